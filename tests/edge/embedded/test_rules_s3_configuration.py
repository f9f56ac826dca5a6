"""What S3 refuses and tells of a bucket's configuration. Every test here fails on plain moto."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from support.lambda_package import trust

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]


def policy(bucket: str, **changes: object) -> str:
    """Write a policy that insists on TLS, with changes."""
    statement: dict[str, object] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    chosen = {name: each for name, each in (statement | changes).items() if each is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [chosen]})


@pytest.fixture
def stranger(aws: EmbeddedAws, client: Callable[[str], Client]) -> Iterator[Client]:
    """Give an S3 client of another account."""
    role = "arn:aws:iam::999999999999:role/stranger"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="stranger")["Credentials"]
    make: Any = boto3.client
    made = make(
        "s3",
        endpoint_url=aws.endpoint_url,
        region_name="us-east-2",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    yield made
    made.close()


def test_a_bucket_that_insists_on_tls_can_be_used_here(s3: Client, bucket: str) -> None:
    """The Deny's condition does not hold on the loopback interface."""
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    s3.put_object(Bucket=bucket, Key="a", Body=b"content")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"content"
    assert s3.head_object(Bucket=bucket, Key="a")["ContentLength"] == 7


def test_a_policy_of_another_action_denies_nothing_else(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """A Deny of reading covers HeadObject, and not PutObject."""
    deny = policy(bucket, Action="s3:GetObject", Condition=None)
    s3.put_bucket_policy(Bucket=bucket, Policy=deny)
    s3.put_object(Bucket=bucket, Key="a", Body=b"content")
    assert refusal(s3.head_object, Bucket=bucket, Key="a")[0] == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"Resource": "arn:aws:s3:::another/*"},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/never-made"}},
    ],
)
def test_rule_03_a_bucket_policy_is_about_the_bucket_and_names_somebody(
    s3: Client, bucket: str, refusal: Refusal, changes: dict[str, object]
) -> None:
    """Another bucket's ARN, a role that is not there: MalformedPolicy."""
    put = s3.put_bucket_policy
    refused = refusal(put, Bucket=bucket, Policy=policy(bucket, **changes))
    assert refused == (400, "MalformedPolicy")


def test_a_bucket_policy_is_json(s3: Client, bucket: str, refusal: Refusal) -> None:
    """Anything else: MalformedPolicy."""
    refused = refusal(s3.put_bucket_policy, Bucket=bucket, Policy="no json")
    assert refused == (400, "MalformedPolicy")


def test_rule_03_a_bucket_does_not_know_a_new_role_at_once(
    s3: Client, client: Callable[[str], Client], bucket: str, aws: EmbeddedAws, refusal: Refusal
) -> None:
    """MalformedPolicy at first, and then it is taken."""
    aws.propagation.refusals = 1
    made = client("iam").create_role(RoleName=bucket, AssumeRolePolicyDocument=trust())
    chosen = policy(bucket, Principal={"AWS": made["Role"]["Arn"]})
    attempts = [refusal(s3.put_bucket_policy, Bucket=bucket, Policy=chosen) for _ in range(2)]
    aws.propagation.refusals = 0
    assert attempts == [(400, "MalformedPolicy"), (200, "")]


def test_a_public_policy_is_refused_while_they_are_blocked(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """BlockPublicPolicy is on in a new bucket; without the block the policy is taken."""
    public = policy(bucket, Effect="Allow", Condition=None)
    put = s3.put_bucket_policy
    assert refusal(put, Bucket=bucket, Policy=public) == (403, "AccessDenied")
    s3.delete_public_access_block(Bucket=bucket)
    assert refusal(put, Bucket=bucket, Policy=public) == (200, "")


@pytest.mark.parametrize(
    "name", ["UPPER-case", "under_score", "192.168.0.1", "xn--name", "two..dots", "-dash", "dash-"]
)
def test_a_bucket_name_follows_the_rules(s3: Client, refusal: Refusal, name: str) -> None:
    """InvalidBucketName."""
    location = {"LocationConstraint": "us-east-2"}
    refused = refusal(s3.create_bucket, Bucket=name, CreateBucketConfiguration=location)
    assert refused == (400, "InvalidBucketName")


def test_a_bucket_of_another_account_is_closed(
    stranger: Client, bucket: str, refusal: Refusal
) -> None:
    """HeadBucket of it is 403; creating it, BucketAlreadyExists."""
    location = {"LocationConstraint": "us-east-2"}
    assert refusal(stranger.head_bucket, Bucket=bucket)[0] == 403
    made = refusal(stranger.create_bucket, Bucket=bucket, CreateBucketConfiguration=location)
    assert made == (409, "BucketAlreadyExists")


def rule(**changes: object) -> dict[str, object]:
    """Write a lifecycle rule, with changes; None takes a field away."""
    usual: dict[str, object] = {
        "ID": "ours",
        "Filter": {"Prefix": "processed/"},
        "Status": "Enabled",
        "Expiration": {"Days": 30},
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([rule(Expiration=None)], "InvalidRequest"),
        ([rule(), rule()], "InvalidArgument"),
        ([rule(Expiration={"Days": 0})], "InvalidArgument"),
        ([rule(ID="x" * 256)], "InvalidArgument"),
    ],
    ids=["no-action", "one-id-twice", "no-day", "long-id"],
)
def test_a_lifecycle_rule_does_something(
    s3: Client, bucket: str, refusal: Refusal, rules: list[dict[str, object]], code: str
) -> None:
    """No action, an id twice, zero days, an id over 255 characters: refused."""
    put = s3.put_bucket_lifecycle_configuration
    assert refusal(put, Bucket=bucket, LifecycleConfiguration={"Rules": rules}) == (400, code)


def test_a_lifecycle_rule_without_an_id_gets_one(s3: Client, bucket: str) -> None:
    """It is told when the rules are read."""
    rules = {"Rules": [rule(ID=None)]}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)
    [kept] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert len(kept["ID"]) >= 40


def test_encryption_is_never_off(s3: Client, bucket: str) -> None:
    """After its deletion a bucket has SSE-S3, as at its making."""
    before = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    s3.delete_bucket_encryption(Bucket=bucket)
    after = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert before == after
