"""An account in memory: resources of one kind that a plan can be carried out on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from provision.core.plan import Step
from provision.core.resource import OWNER_TAG, Change, Found, Json, Key, Wanted, found_with_tags

KIND = "thing"


def refusal(code: str, message: str = "") -> ClientError:
    """Return what boto3 raises when AWS refuses with this code."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "SomeOperation")


@dataclass
class Things:
    """A provider over a dict; `refusals` are raised one a call, before (or after) it works.

    `after`: the call has its effect although its answer is a refusal, as when an answer is lost.
    """

    found: dict[Key, Found] = field(default_factory=dict)
    refusals: list[BaseException] = field(default_factory=list)
    after: bool = False
    changed: list[str] = field(default_factory=list)

    def observe(self, key: Key) -> Found | None:
        """Return the thing."""
        return self.found.get(key)

    def create(self, wanted: Wanted) -> None:
        """Make the thing; one that is there is an error, as with AWS."""
        self._refuse(early=True)
        if wanted.key in self.found:
            raise refusal("AlreadyExists")
        self.found[wanted.key] = _as_found(wanted.values())
        self.changed.append(f"create {wanted.key.name}")
        self._refuse(early=False)

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Change just these properties."""
        self._refuse(early=True)
        now = self.found[wanted.key].properties
        self.found[wanted.key] = _as_found({**now, **{each.name: each.after for each in changes}})
        self.changed.append(f"update {wanted.key.name}")
        self._refuse(early=False)

    def delete(self, key: Key) -> None:
        """Take the thing away."""
        self._refuse(early=True)
        self.found.pop(key, None)
        self.changed.append(f"delete {key.name}")
        self._refuse(early=False)

    def _refuse(self, *, early: bool) -> None:
        if self.refusals and early is not self.after:
            raise self.refusals.pop(0)


def _as_found(values: dict[str, Json]) -> Found:
    tags = {
        name.removeprefix("tag:"): str(value)
        for name, value in values.items()
        if name.startswith("tag:")
    }
    others = {name: value for name, value in values.items() if not name.startswith("tag:")}
    return found_with_tags(others, tags)


@dataclass
class Heard:
    """A Progress that remembers what it was told."""

    lines: list[str] = field(default_factory=list)

    def begins(self, step: Step) -> None:
        """Remember the step."""
        self.lines.append(f"begins {step.key.name}")

    def waits(self, why: str, seconds: float) -> None:
        """Remember the reason, and how long."""
        self.lines.append(f"waits {seconds:g}: {why}")

    def ends(self, step: Step) -> None:
        """Remember the end."""
        self.lines.append(f"ends {step.key.name}")


OURS = {f"tag:{OWNER_TAG}": "files"}
