"""The commands of `worker`, one a file."""
