"""What KMS says about the owner's key."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from provision.aws.calls import code_of
from provision.core.preflight.key import KeyFacts

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def key_facts(kms: "KMSClient", arn: str) -> KeyFacts:
    """Describe the key; its state is "missing" if there is none. Raises ClientError."""
    try:
        state = kms.describe_key(KeyId=arn)["KeyMetadata"].get("KeyState", "")
    except ClientError as error:
        if code_of(error) == "NotFoundException":
            return KeyFacts(arn, "missing", None)
        raise
    try:
        policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    except ClientError:
        policy = None
    return KeyFacts(arn, state, policy)
