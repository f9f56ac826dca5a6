"""The operators' command line: everything that exists in AWS is made, checked and taken down here."""
