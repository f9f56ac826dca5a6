"""What is wanted, what was found, and the plan between the two. Pure."""
