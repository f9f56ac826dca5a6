"""One file a resource family: what is wanted of it (pure), and its provider (talks to AWS).

`catalogue.py` joins them: which resources a stack has, in the order in which they are made.
"""
