"""Files under a customer's key: what whoever reads and writes them needs, when IAM is enforced."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from support.iam_actor import Actor, allow
from support.lambda_package import trust

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

ACCOUNT = "123456789012"
DENIED = (403, "AccessDenied")
DONE = (200, "")


@dataclass
class Vault:
    """A bucket under a customer's key, and a role that may do all of S3 with it."""

    s3: Client
    kms: Client
    bucket: str
    key: str
    actor: Actor

    @property
    def theirs(self) -> Client:
        """The role's client."""
        return self.actor.client("s3")

    def encrypt(self, key: str = "", *, bucket_key: bool = False) -> None:
        """Set the bucket's default encryption; no key: AWS's own."""
        named = {"KMSMasterKeyID": key} if key else {}
        default = {"SSEAlgorithm": "aws:kms", **named}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
        self.s3.put_bucket_encryption(
            Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )

    def may(self, *actions: str, **condition: Mapping[str, object]) -> None:
        """Let the role use the key so, besides all of S3."""
        grants = [allow(each, self.key, condition or None) for each in actions]
        self.actor.may(allow("s3:*"), *grants)

    def put(self, key: str = "uploads/a") -> None:
        """Put a file, whoever may read it."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")


@pytest.fixture
def vault(
    aws: EmbeddedAws, client: Callable[[str], Client], s3: Client, bucket: str, name: str
) -> Iterator[Vault]:
    """Give a bucket under a new key, and enforce IAM while the test runs."""
    iam, kms = client("iam"), client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    role = iam.create_role(RoleName=f"{name}-actor", AssumeRolePolicyDocument=trust())
    made = Vault(s3, kms, bucket, key, Actor(aws, iam, f"{name}-actor", role["Role"]["Arn"], {}))
    made.encrypt(key)
    with aws.enforcing_iam():
        yield made
    for each in made.actor.clients.values():
        each.close()


def test_rule_12a_writing_encrypts_and_reading_decrypts(vault: Vault, refusal: Refusal) -> None:
    """Each with its own action, and without the other."""
    at = {"Bucket": vault.bucket, "Key": "uploads/a"}
    vault.put()
    vault.may("kms:GenerateDataKey")
    assert refusal(vault.theirs.put_object, **at, Body=b"y") == DONE
    assert refusal(vault.theirs.get_object, **at) == DENIED
    assert refusal(vault.theirs.head_object, **at) == DONE
    assert refusal(vault.theirs.head_object, **at, ChecksumMode="ENABLED")[0] == 403
    vault.may("kms:Decrypt")
    assert refusal(vault.theirs.get_object, **at) == DONE
    assert refusal(vault.theirs.put_object, **at, Body=b"z") == DENIED


def test_rule_12a_a_copy_does_both(vault: Vault, refusal: Refusal) -> None:
    """It reads under the source's key and writes under the destination's."""
    vault.put()
    copy = {
        "Bucket": vault.bucket,
        "Key": "processed/a",
        "CopySource": {"Bucket": vault.bucket, "Key": "uploads/a"},
    }
    for alone in ("kms:GenerateDataKey", "kms:Decrypt"):
        vault.may(alone)
        assert refusal(vault.theirs.copy_object, **copy) == DENIED
    vault.may("kms:GenerateDataKey", "kms:Decrypt")
    assert refusal(vault.theirs.copy_object, **copy) == DONE


def test_rule_12a_a_copy_in_parts_decrypts_what_it_wrote(vault: Vault, refusal: Refusal) -> None:
    """Also where its source is under no key at all."""
    vault.s3.put_object(
        Bucket=vault.bucket, Key="uploads/plain", Body=b"x", ServerSideEncryption="AES256"
    )
    at = {"Bucket": vault.bucket, "Key": "processed/a"}
    vault.may("kms:GenerateDataKey")
    upload = vault.theirs.create_multipart_upload(**at)["UploadId"]
    part = {**at, "UploadId": upload, "PartNumber": 1}
    source = {"Bucket": vault.bucket, "Key": "uploads/plain"}
    assert refusal(vault.theirs.upload_part_copy, **part, CopySource=source) == DENIED
    vault.may("kms:GenerateDataKey", "kms:Decrypt")
    etag = vault.theirs.upload_part_copy(**part, CopySource=source)["CopyPartResult"]["ETag"]
    vault.may("kms:GenerateDataKey")
    whole = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    complete = vault.theirs.complete_multipart_upload
    told = {**at, "UploadId": upload, "MultipartUpload": whole}
    assert refusal(complete, **told) == DENIED
    vault.may("kms:Decrypt")
    assert refusal(complete, **told) == DONE


@pytest.mark.parametrize(("bucket_key", "context"), [(False, "/uploads/a"), (True, "")])
def test_rule_12a_the_context_is_the_file_or_with_a_bucket_key_the_bucket(
    vault: Vault, refusal: Refusal, *, bucket_key: bool, context: str
) -> None:
    """And S3 is the service by which the key is used."""
    vault.encrypt(vault.key, bucket_key=bucket_key)
    put = {"Bucket": vault.bucket, "Key": "uploads/a", "Body": b"x"}
    via = {"kms:ViaService": "s3.us-east-2.amazonaws.com"}
    for where, told in ((context, DONE), ("/else", DENIED)):
        arn = f"arn:aws:s3:::{vault.bucket}{where}"
        wanted = {**via, "kms:EncryptionContext:aws:s3:arn": arn}
        vault.may("kms:GenerateDataKey", StringEquals=wanted)
        assert refusal(vault.theirs.put_object, **put) == told
    vault.may("kms:GenerateDataKey", StringEquals={"kms:ViaService": "sqs.us-east-2.amazonaws.com"})
    assert refusal(vault.theirs.put_object, **put) == DENIED


def test_rule_12a_the_keys_own_policy_has_to_leave_it_to_iam(
    vault: Vault, refusal: Refusal
) -> None:
    """Else a role may use it only if the key's policy names it."""
    vault.may("kms:GenerateDataKey")
    put = {"Bucket": vault.bucket, "Key": "uploads/a", "Body": b"x"}
    for principal, told in (("arn:aws:iam::123456789012:user/x", DENIED), (None, DONE)):
        statement = allow("kms:*") | {"Principal": {"AWS": principal or vault.actor.arn}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        vault.kms.put_key_policy(KeyId=vault.key, PolicyName="default", Policy=policy)
        assert refusal(vault.theirs.put_object, **put) == told


def test_rule_12a_a_key_may_be_named_by_its_id_or_by_an_alias(
    vault: Vault, refusal: Refusal, name: str
) -> None:
    """The permission is about the key, however the bucket calls it."""
    vault.kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=vault.key)
    put = {"Bucket": vault.bucket, "Key": "uploads/a", "Body": b"x"}
    for called in (f"alias/{name}", vault.key.rpartition("/")[2]):
        vault.encrypt(called)
        vault.may("kms:Decrypt")
        assert refusal(vault.theirs.put_object, **put) == DENIED
        vault.may("kms:GenerateDataKey")
        assert refusal(vault.theirs.put_object, **put) == DONE


def test_rule_12a_a_look_at_a_key_is_asked_for_by_key(vault: Vault, refusal: Refusal) -> None:
    """Leave for another key is none."""
    look = vault.actor.client("kms").describe_key
    vault.actor.may(allow("kms:DescribeKey", f"arn:aws:kms:us-east-2:{ACCOUNT}:key/other"))
    assert refusal(look, KeyId=vault.key)[1] == "AccessDeniedException"
    vault.may("kms:DescribeKey")
    assert refusal(look, KeyId=vault.key) == DONE


def test_rule_12a_awss_own_key_needs_no_leave(vault: Vault, refusal: Refusal) -> None:
    """Nor is it a customer's, however the bucket calls it."""
    told = vault.kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert told["KeyManager"] == "AWS"
    assert vault.kms.describe_key(KeyId=vault.key)["KeyMetadata"]["KeyManager"] == "CUSTOMER"
    vault.may()
    put = {"Bucket": vault.bucket, "Key": "uploads/a", "Body": b"x"}
    for name in ("", "alias/aws/s3", told["Arn"]):
        vault.encrypt(name)
        assert refusal(vault.theirs.put_object, **put) == DONE
