"""A bucket's name, policy, lifecycle and encryption: what S3 refuses, and judges."""

import ipaddress
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from moto.iam.access_control import PermissionResult
from moto.s3 import models
from moto.s3.exceptions import InvalidBucketName
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.s3.utils import bucket_policy_is_public

from worker.demo.embedded.iam.principals import unknown_principal
from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_buckets import SSE_S3
from worker.demo.embedded.s3_request import RefusedError
from worker.operator.policy import Json, Question, effects, listed, statements

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_NAME: Final = re.compile(r"(?!xn--|sthree-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)")
_ACTIONS: Final = (
    "AbortIncompleteMultipartUpload",
    "Expiration",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "Transition",
)
_DAYS: Final = (
    ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
    ("Expiration", "Days"),
    ("NoncurrentVersionExpiration", "NoncurrentDays"),
)
_LONGEST_RULE_ID: Final = 255

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Refuse what S3 refuses of a bucket, and judge its policy with its conditions."""
    patches = layer.patches
    patches.replace(models, "s3_allow_crossdomain_access", others_buckets_are_closed)
    patches.replace(FakeBucket, "get_permission", conditions_are_judged)
    patches.wrap(S3Backend, "create_bucket", name_is_free)
    patches.wrap(S3Backend, "create_bucket", name_is_valid)
    patches.wrap(S3Backend, "put_bucket_policy", lambda f: policy_is_valid(layer, f))
    patches.wrap(S3Backend, "put_bucket_lifecycle_configuration", lifecycle_is_valid)
    patches.replace(S3Backend, "delete_bucket_encryption", encryption_is_never_off)


def others_buckets_are_closed() -> bool:
    """Answer moto's question: a bucket of another account is 403, as is HeadBucket of it."""
    return False


def conditions_are_judged(self: Moto, action: str, resource: str) -> PermissionResult:
    """Emulators' table, "bucket policy": a statement holds only if its conditions do.

    `aws:SecureTransport` is true here: the loopback interface cannot be listened to. Without it, a
    bucket that insists on TLS could not be used without a certificate.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    name = action.replace("HeadObject", "GetObject").replace("PostObject", "PutObject")
    asked = Question(name, resource, {"aws:SecureTransport": "true"})
    said = effects(json.loads(self.policy), asked)
    if "Deny" in said:
        return PermissionResult.DENIED
    return PermissionResult.PERMITTED if "Allow" in said else PermissionResult.NEUTRAL


def name_is_valid(create: Handler) -> Handler:
    """Refuse names that S3 does not give; moto looks at the length alone.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """

    def created(self: Moto, bucket_name: str, *args: object, **kwargs: object) -> Moto:
        if not _NAME.fullmatch(bucket_name) or ".." in bucket_name or _is_address(bucket_name):
            raise InvalidBucketName
        return create(self, bucket_name, *args, **kwargs)

    return created


def name_is_free(create: Handler) -> Handler:
    """Refuse a name that another account has: 409 BucketAlreadyExists."""

    def created(self: Moto, bucket_name: str, *args: object, **kwargs: object) -> Moto:
        _, owner = s3_backends.bucket_accounts.get(bucket_name, (None, self.account_id))
        if owner != self.account_id:
            message = (
                "The requested bucket name is not available. The bucket namespace is shared by all"
                " users of the system. Please select a different name and try again."
            )
            raise RefusedError(409, "BucketAlreadyExists", message, BucketName=bucket_name)
        return create(self, bucket_name, *args, **kwargs)

    return created


def policy_is_valid(layer: "Layer", put: Handler) -> Handler:
    """Refuse a policy that is none, is about another bucket, names nobody, or opens it to all.

    Rule 3 for the principals. A public policy is refused while BlockPublicPolicy is on.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
    """

    def checked(self: Moto, bucket_name: str, policy: bytes) -> None:
        bucket = self.get_bucket(bucket_name)
        document = _document(policy)
        for each in statements(document):
            if not all(_is_about(bucket, pattern) for pattern in listed(each.get("Resource"))):
                raise RefusedError(400, "MalformedPolicy", "Policy has invalid resource")
        if unknown_principal(layer, document):
            raise RefusedError(400, "MalformedPolicy", "Invalid principal in policy")
        block = bucket.public_access_block
        if block and block.block_public_policy and bucket_policy_is_public(policy):
            message = (
                "The bucket policy is public, and the bucket's BlockPublicPolicy setting is on."
            )
            raise RefusedError(403, "AccessDenied", message)
        put(self, bucket_name, policy)

    return checked


def lifecycle_is_valid(put: Handler) -> Handler:
    """Refuse rules without an action, with one id for two, with no whole day; name the nameless.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
    """

    def checked(self: Moto, bucket_name: str, rules: list[dict[str, Moto]]) -> None:
        for rule in rules:
            _check_rule(rule)
            rule["ID"] = rule.get("ID") or secrets.token_urlsafe(36)
        if max(Counter(rule["ID"] for rule in rules).values(), default=0) > 1:
            message = "Rule ID must be unique. Found same ID for more than one rule"
            raise RefusedError(400, "InvalidArgument", message)
        put(self, bucket_name, rules)

    return checked


def encryption_is_never_off(self: Moto, bucket_name: str) -> None:
    """Give a bucket whose encryption is deleted S3's own again; moto has none then.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html
    """
    self.get_bucket(bucket_name).encryption = SSE_S3


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _document(policy: bytes) -> Json:
    try:
        document: Json = json.loads(policy)
    except ValueError as error:
        message = "Policies must be valid JSON and the first byte must be '{'"
        raise RefusedError(400, "MalformedPolicy", message) from error
    if not isinstance(document, Mapping) or not statements(document):
        raise RefusedError(400, "MalformedPolicy", "Missing required field Statement")
    return document


def _is_about(bucket: Moto, pattern: Json) -> bool:
    resource = str(pattern)
    return resource == bucket.arn or resource.startswith((f"{bucket.arn}/", f"{bucket.arn}*"))


def _check_rule(rule: Mapping[str, Moto]) -> None:
    if not any(rule.get(action) for action in _ACTIONS):
        message = "At least one action needs to be specified in a rule."
        raise RefusedError(400, "InvalidRequest", message)
    if len(rule.get("ID") or "") > _LONGEST_RULE_ID:
        message = "ID length should not exceed allowed limit of 255"
        raise RefusedError(400, "InvalidArgument", message)
    for action, name in _DAYS:
        days = (rule.get(action) or {}).get(name)
        if days is not None and int(days) < 1:
            message = f"'{name}' for {action} action must be a positive integer"
            raise RefusedError(400, "InvalidArgument", message)
