"""Sessions, errors, retries and waits: how the rest talks to AWS."""
