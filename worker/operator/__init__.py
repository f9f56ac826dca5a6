"""What an operator asks, thought through without moving anything: check, explain, sweep.

`preflight` judges a set-up (with `grants` for what is missing), `explain` foresees a message
(`forecast`, `in_flight`; `explain_text` words it), `sweep` finds what no event moved; `policy`
answers what IAM documents allow.
"""
