"""The stack file, the names and ARNs that follow from it, and the blueprint of it all. Pure."""
