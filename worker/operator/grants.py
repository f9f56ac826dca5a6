"""The IAM statements that would grant what is missing, in the bucket's own partition. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from worker.core.port import Fault, FaultKind, Location

Statement: TypeAlias = Mapping[str, object]
"""One statement of an IAM policy: Effect, Action, Resource."""

DENIED_CODES = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"}
)
"""What AWS says when a permission is missing; credentials and missing buckets say other things."""

KMS_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""Copying under a key decrypts and encrypts anew; a multipart upload needs both by itself."""

_KMS_ACTION = re.compile(r"\bkms:[A-Za-z]+")
_KMS_KEY = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d*:key/[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Names:
    """Makes ARNs of what the worker uses; `account` `*` where it is not known."""

    partition: str = "aws"
    region: str = "*"
    account: str = "*"

    def bucket(self, location: Location) -> str:
        """Return the bucket's ARN."""
        return f"arn:{self.partition}:s3:::{location.bucket}"

    def objects(self, location: Location) -> str:
        """Return the ARN of all objects under a prefix."""
        return f"{self.bucket(location)}/{location.key}*"

    def queue(self, url: str) -> str:
        """Return the ARN of the queue that has this URL (`https://host/account/name`)."""
        account, _, name = url.partition("://")[2].partition("/")[2].partition("/")
        return f"arn:{self.partition}:sqs:{self.region}:{account}:{name}"

    def any_key(self) -> str:
        """Return the ARN that stands for any KMS key of the account."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:key/*"


def statement(actions: str | Sequence[str], resource: str) -> Statement:
    """Write a statement that allows `actions` on `resource`, and nothing else."""
    listed = [actions] if isinstance(actions, str) else list(actions)
    return {"Effect": "Allow", "Action": listed, "Resource": resource}


def is_denied(fault: Fault) -> bool:
    """Tell a missing permission from the other things that only a person can mend."""
    return fault.kind is FaultKind.ACCESS and fault.code in DENIED_CODES


def is_locked(fault: Fault) -> bool:
    """Tell that Object Lock keeps a version, by S3's words: its code is that of a lack of leave."""
    return is_denied(fault) and "object lock" in fault.message.lower()


def kms_grant(fault: Fault, names: Names) -> Statement | None:
    """Return the statement for KMS if the fault is about a key, with its ARN where AWS tells it.

    S3 passes KMS's refusals on, as codes `KMS.…` or as an AccessDenied that names a kms: action.
    """
    if not (fault.code.startswith(("KMS.", "Kms")) or _KMS_ACTION.search(fault.message)):
        return None
    key = _KMS_KEY.search(fault.message)
    return statement(KMS_ACTIONS, key.group() if key else names.any_key())


def policy(grants: Iterable[Statement]) -> Mapping[str, object]:
    """Join statements into one policy document: one statement a resource, no action twice."""
    actions: dict[str, list[str]] = {}
    for grant in grants:
        listed = grant["Action"]
        known = actions.setdefault(str(grant["Resource"]), [])
        known += [each for each in listed if each not in known] if isinstance(listed, list) else []
    return {
        "Version": "2012-10-17",
        "Statement": [statement(listed, resource) for resource, listed in actions.items()],
    }
