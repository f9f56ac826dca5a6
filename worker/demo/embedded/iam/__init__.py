"""IAM: when other services know of a new role, and (by the caller's wish) who may do what."""
