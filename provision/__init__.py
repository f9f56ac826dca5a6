"""The operators' command line: all that exists in AWS is made, checked and taken down here."""
