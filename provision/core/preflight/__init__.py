"""What is judged before anything is made: the rules that AWS enforces later, and less kindly. Pure.

A file a topic, each with its facts and its judgement; `aws/preflight/` gathers the facts.
"""
