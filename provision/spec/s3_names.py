"""What S3 takes as a bucket's name, and IAM within an ARN, beyond what a pattern can say. Pure."""

import re
from typing import Final

RESERVED_BEGINNINGS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

ADDRESS: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
IAM_PATTERNS: Final = re.compile(r"[*?$]")
PREFIX_BYTES: Final = 512
"""Half of what a key may have (rule 23b): the rest is the file's own name."""


def a_bucket_name(name: str) -> str:
    """Return the name; raises ValueError for one that S3 keeps to itself, or takes for another."""
    if ".." in name or ADDRESS.fullmatch(name):
        raise ValueError(f"{name!r} has two dots in a row, or is like an IP address: S3 refuses it")
    if name.startswith(RESERVED_BEGINNINGS) or name.endswith(RESERVED_ENDS):
        raise ValueError(f"{name!r} begins or ends with what S3 reserves for names of its own")
    return name


def a_prefix(prefix: str) -> str:
    """Return the prefix; raises ValueError for one that no policy or no key could hold."""
    if found := IAM_PATTERNS.search(prefix):
        raise ValueError(f"{prefix!r} holds {found[0]!r}, which means something else in a policy")
    if len(prefix.encode()) > PREFIX_BYTES:
        raise ValueError(
            f"has more than {PREFIX_BYTES} bytes: a key has 1,024 with the file's name"
        )
    return prefix
