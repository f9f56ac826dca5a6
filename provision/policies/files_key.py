"""The owner's key that the bucket's files are under: who may use it, and for what. Pure."""

from collections.abc import Iterator

from provision.policies.grants import Grant, used_by
from provision.spec.blueprint import Blueprint


def using_files_key(blueprint: Blueprint, *, reads: str, writes: str) -> Iterator[Grant]:
    """Yield what S3 asks for in the caller's name where files are under a key of the owner's.

    `reads`, `writes`: the operations that decrypt, and those that encrypt; a copy does both, and a
    copy in parts decrypts again what it wrote. The encryption context names the file, or, where the
    bucket has an S3 Bucket Key, the bucket (rule 12a).
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    if not pipeline.bucket_kms_key_arn:
        return
    files = [
        names.bucket_arn,
        f"{names.bucket_arn}/{pipeline.source_prefix}*",
        f"{names.bucket_arn}/{pipeline.destination_prefix}*",
    ]
    yield Grant(
        "EncryptedFiles",
        {**used_by("kms:Decrypt", reads), **used_by("kms:GenerateDataKey", writes)},
        (pipeline.bucket_kms_key_arn,),
        {
            "StringEquals": {"kms:ViaService": names.asking_kms("s3")},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": files},
        },
    )
