"""Least-privilege IAM documents, each generated from a table of what our code calls. Pure.

`grants.py` turns a table into a document; the other files are the tables. A test holds every table
to the code: no call without its action, no action without its call.
"""
