"""IAM tells the other services late: a new role or instance profile is unknown to them at first."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moto.iam.models import IAMBackend

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]


@dataclass(slots=True)
class Propagation:
    """How late: `seconds` by the layer's clock, and for the first `refusals` uses of each."""

    seconds: float = 0.0
    refusals: int = 0
    born: dict[str, float] = field(default_factory=dict)
    """When each role, user and instance profile was made, by ARN."""
    refused: Counter[str] = field(default_factory=Counter)
    """How often each was refused so far."""


def visible(layer: "Layer", arn: str) -> bool:
    """Say whether other services know this role, user or instance profile by now.

    Counts as one use. An ARN that IAM never made is visible: whether it exists is the caller's
    question.
    """
    spread = layer.propagation
    if arn not in spread.born:
        return True
    if layer.clock() - spread.born[arn] < spread.seconds or spread.refused[arn] < spread.refusals:
        spread.refused[arn] += 1
        return False
    return True


def correct(layer: "Layer") -> None:
    """Note when things are made and deleted."""
    patches = layer.patches
    for operation in ("create_role", "create_user", "create_instance_profile"):
        patches.wrap(IAMBackend, operation, lambda f: birth_is_noted(layer, f))


def birth_is_noted(layer: "Layer", create: Handler) -> Handler:
    """Rules 1 to 3: remember when it was made; one that is made again is new."""

    def created(self: Moto, *args: object, **kwargs: object) -> Moto:
        made = create(self, *args, **kwargs)
        layer.propagation.born[made.arn] = layer.clock()
        layer.propagation.refused.pop(made.arn, None)
        return made

    return created
