"""Moves objects from one S3 prefix to another, as S3's events tell, and loses none."""
