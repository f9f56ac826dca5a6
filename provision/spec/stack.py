"""The stack file's sections and settings, each with its bounds and its reason. Pure.

The descriptions are what `provision init` writes as comments and what the documentation's table
shows: a setting is described here and nowhere else.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from provision.spec.s3_names import a_bucket_name, a_prefix
from worker.core.move import OnConflict
from worker.core.verdict import OnMalformed, OnMissing

Prefix = Annotated[
    str, Field(pattern=r"^[^/\x00-\x1f].{0,500}/$", examples=["uploads/"]), AfterValidator(a_prefix)
]
BucketName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["acme-files"]),
    AfterValidator(a_bucket_name),
]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]
TagName = Annotated[str, Field(pattern=r"^[\w .:/=+@-]+$", max_length=128)]
TagValue = Annotated[str, Field(pattern=r"^[\w .:/=+@-]*$", max_length=256)]
"""What every service takes; resources hold 50 tags, and some are AWS's and ours.

https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
"""

SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$")]


A_KEY = "arn:aws:kms:us-east-2:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"


class Section(BaseModel):
    """A section of the stack file: no unknown settings, and nothing changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False)


class Pipeline(Section):
    """[pipeline]: where files land, and what tells of them."""

    bucket: BucketName = Field(description="the bucket that files land in")
    existing_bucket: bool = Field(
        default=False,
        description="the bucket is yours already: only our notification rule is added to it",
    )
    source_prefix: Prefix = Field(default="uploads/", description="where files land")
    destination_prefix: Prefix = Field(default="processed/", description="where they go")
    kms_key_arn: str = Field(
        default="",
        pattern=r"^(|arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]{36})$",
        examples=[A_KEY],
        description="encrypt topic and queues under this key of yours; empty: SSE-SQS",
    )
    bucket_kms_key_arn: str = Field(
        default="",
        pattern=r"^(|arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36}))$",
        examples=[A_KEY],
        description="the key of yours that the bucket's files are encrypted under; empty: SSE-S3",
    )
    max_receive_count: int = Field(
        default=5, ge=5, le=1000, description="tries before the dead-letter queue (5 or more)"
    )
    retention_days: int = Field(
        default=4, ge=1, le=13, description="how long a message may wait; the DLQ keeps 14 days"
    )
    noncurrent_days: int = Field(
        default=30, ge=1, le=3650, description="how long an overwritten version is kept"
    )
    abort_multipart_days: int = Field(
        default=7, ge=1, le=365, description="when the parts of an unfinished upload go"
    )

    @model_validator(mode="after")
    def _no_endless_loop(self) -> "Pipeline":
        if self.destination_prefix.startswith(self.source_prefix):
            raise ValueError(
                f"destination_prefix {self.destination_prefix!r} is inside source_prefix"
                f" {self.source_prefix!r}: every move would start another one"
            )
        return self


class Worker(Section):
    """[worker]: the daemon's own settings; `worker --help` and the README tell them."""

    concurrency: int = Field(
        default=0, ge=0, le=1024, description="moves at a time; 0: as many as suit the worker"
    )
    drain_seconds: int = Field(
        default=90, ge=21, le=6900, description="how long a stopping worker may finish its work"
    )
    on_conflict: OnConflict = Field(
        default=OnConflict.REPLACE, description="the name is taken: replace, keep-both, reject"
    )
    on_missing: OnMissing = Field(
        default=OnMissing.ACK, description="the file is nowhere any more: ack, reject"
    )
    on_malformed: OnMalformed = Field(
        default=OnMalformed.REJECT, description="a message that is no S3 event: reject, drop"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning, error"
    )


class Instances(Section):
    """[instances]: the launch template and the Auto Scaling group."""

    ami: str = Field(
        default="latest",
        pattern=r"^(latest|ami-[0-9a-f]{8,17})$",
        examples=["latest"],
        description="an AMI's id, or latest: the newest that `provision ami` made for this stack",
    )
    type: str = Field(
        default="t3.small",
        pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$",
        examples=["t3.small"],
        description="the instance type",
    )
    minimum: int = Field(default=1, ge=0, le=100, description="instances at least")
    desired: int = Field(
        default=1, ge=0, le=100, description="instances at first; later the scaler decides"
    )
    maximum: int = Field(default=2, ge=1, le=100, description="instances at most")
    zones: int = Field(default=3, ge=1, le=6, description="zones of the default VPC to use")
    subnets: tuple[SubnetId, ...] = Field(
        default=(), description="these subnets instead of the default VPC's"
    )
    security_groups: tuple[SecurityGroupId, ...] = Field(
        default=(), description="these groups instead of our own, which lets nothing in"
    )
    key_pair: str = Field(default="", max_length=255, description="an SSH key pair, if you must")
    root_gib: int = Field(
        default=8, ge=8, le=1024, description="the root volume, in GiB; the AMI's own if larger"
    )
    spot: bool = Field(default=False, description="run on spot capacity")
    spot_types: tuple[str, ...] = Field(
        default=(), description="further types that spot may choose from"
    )
    user_data: Literal["environment", "none"] = Field(
        default="environment",
        description="environment: settings come with the template; none: all is baked in",
    )

    @model_validator(mode="after")
    def _sizes_in_order(self) -> "Instances":
        if not self.minimum <= self.desired <= self.maximum:
            raise ValueError(
                f"minimum {self.minimum}, desired {self.desired}, maximum {self.maximum}"
                " do not stand in that order"
            )
        return self


class Scaling(Section):
    """[scaling]: what changes the number of instances between minimum and maximum."""

    policy: Literal["backlog", "none"] = Field(
        default="backlog", description="backlog: messages waiting per instance; none: fixed"
    )
    backlog_per_instance: int = Field(
        default=1000, ge=1, le=1_000_000, description="messages waiting that one instance may have"
    )


class Lambda(Section):
    """[lambda]: the function that can take over from the instances."""

    enabled: bool = Field(default=True, description="have the function, ready to be cut over to")
    runtime: Literal["python3.12", "python3.13", "python3.14"] = Field(
        default="python3.12", description="Lambda's Python"
    )
    timeout_seconds: int = Field(default=30, ge=15, le=900, description="the function's timeout")
    memory_mib: int = Field(default=256, ge=128, le=10_240, description="its memory")
    batch_size: int = Field(default=5, ge=1, le=10, description="messages an invocation")
    maximum_concurrency: int = Field(default=10, ge=2, le=1000, description="invocations at a time")


class Watch(Section):
    """[watch]: alarms, dashboard, logs."""

    email: str = Field(
        default="",
        pattern=r"^(|[^@\s]+@[^@\s]+\.[^@\s]+)$",
        examples=["ops@example.com"],
        description="who is told of alarms; whom it named before is told no more",
    )
    oldest_message_seconds: int = Field(
        default=300, ge=60, le=86_400, description="alarm when a message waits longer"
    )
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = (
        Field(default=30, description="how long logs are kept")
    )


class Stack(Section):
    """The whole stack file."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$",
        examples=["files"],
        description="begins the name of all it makes",
    )
    region: str = Field(
        pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$",
        examples=["us-east-2"],
        description="the region of everything",
    )
    account: str = Field(
        default="",
        pattern=r"^(|\d{12})$",
        examples=["123456789012"],
        description="refuse to work in any other account than this",
    )
    tags: dict[TagName, TagValue] = Field(
        default_factory=dict,
        max_length=40,
        description="tags on everything, such as a cost centre",
    )
    pipeline: Pipeline
    worker: Worker = Field(default_factory=Worker)
    instances: Instances = Field(default_factory=Instances)
    scaling: Scaling = Field(default_factory=Scaling)
    lambda_: Lambda = Field(default_factory=Lambda, alias="lambda")
    watch: Watch = Field(default_factory=Watch)

    @model_validator(mode="after")
    def _tags_are_free(self) -> "Stack":
        taken = [name for name in self.tags if name.startswith(("aws:", "s3-event-worker:"))]
        if taken:
            raise ValueError(f"tags: {taken[0]!r} begins with a prefix that is reserved")
        twins = len(self.tags) - len({name.lower() for name in self.tags})
        if twins:
            raise ValueError("tags: two names differ in upper and lower case alone; IAM refuses it")
        return self
