"""What every family draws its resources from: the stack, its names, and what surrounds it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provision.core.resource import OWNER_TAG
from provision.spec.names import Names
from provision.spec.stack import Stack

LEASE_MARGIN_SECONDS = 30
"""Between a drain's end and the moment its messages come back to others."""

LAMBDA_VISIBILITY_FACTOR = 6
"""Queue visibility over function timeout, as Lambda's own guide advises (rule 46)."""


class Consumer(StrEnum):
    """Who takes the messages: the group's instances, or the function."""

    EC2 = "ec2"
    LAMBDA = "lambda"


class Consent(StrEnum):
    """How somebody whom we subscribed stands to it: only they themselves can agree."""

    GIVEN = "given"
    AWAITED = "awaited"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many instances the group may have, and has to begin with."""

    minimum: int
    desired: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Image:
    """The AMI that instances start from."""

    id: str
    architecture: str
    root_device: str
    root_gib: int = 0
    """The size of its root volume: an instance's cannot be smaller."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where instances may run: the subnets by their zone, all of one VPC."""

    vpc_id: str
    subnets: Mapping[str, str]
    """Subnet id → zone."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything that decides what is wanted.

    `image` or `network` None: there is none (yet), so neither template nor group is wanted.
    `consumer` is who was cut over to last; the queue's tag tells (aws/consumer.py). `subscribed` is
    whom we subscribed to the alarms so far; their topic's tag tells (aws/subscribed.py).
    """

    stack: Stack
    names: Names
    network: Network | None = None
    image: Image | None = None
    consumer: Consumer = Consumer.EC2
    subscribed: Mapping[str, Consent] = field(default_factory=dict)
    """E-mail address → consent, in the tag's order."""

    @property
    def sizes(self) -> Sizes:
        """The group's sizes: the stack file's, or none at all while the function consumes.

        A maximum of 0 keeps the scaler from starting instances behind the cutover's back.
        """
        if self.consumer is Consumer.LAMBDA:
            return Sizes(0, 0, 0)
        instances = self.stack.instances
        return Sizes(instances.minimum, instances.desired, instances.maximum)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that everything of the stack carries."""
        return {**self.stack.tags, OWNER_TAG: self.stack.name}

    @property
    def visibility_seconds(self) -> int:
        """How long a received message stays hidden: a drain's time, and six timeouts of Lambda's.

        Copies that take longer are no concern: the worker renews its leases.
        """
        drain = self.stack.worker.drain_seconds + LEASE_MARGIN_SECONDS
        return max(drain, LAMBDA_VISIBILITY_FACTOR * self.stack.lambda_.timeout_seconds)
