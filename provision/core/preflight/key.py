"""The owner's KMS key: in use, here, and open to S3 and SNS (rule 12). Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from provision.core.finding import Finding, failure, ok, warning

NEEDED: Final = ("kms:GenerateDataKey", "kms:Decrypt")
SERVICES: Final = ("s3.amazonaws.com", "sns.amazonaws.com")
"""S3 publishes to the encrypted topic, SNS sends to the encrypted queue."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A key as KMS tells it; `policy` None: it could not be read. `state`: AWS's word."""

    arn: str
    state: str
    policy: Mapping[str, Any] | None


def judge_key(facts: KeyFacts, region: str) -> Iterator[Finding]:
    """Yield what would make S3's or SNS's deliveries fail without a word to anybody."""
    subject = f"key {facts.arn.rpartition('/')[2]}"
    if facts.arn.split(":")[3] != region:
        yield failure(subject, f"is not in {region}", "use a key of the stack's region")
        return
    if facts.state != "Enabled":
        yield failure(subject, f"is {facts.state}", "enable it, or name another `kms_key_arn`")
        return
    if facts.policy is None:
        yield warning(subject, "not told whether S3 and SNS may use it", _hint())
        return
    closed = [each for each in SERVICES if not may_use(facts.policy, each)]
    for service in closed:
        detail = f"its policy does not let {service} {' and '.join(NEEDED)} (rule 12)"
        yield failure(subject, detail, _hint())
    if not closed:
        yield ok(subject, "enabled, and S3 and SNS may use it")


def _hint() -> str:
    return (
        "add to the key's policy: Allow, Principal Service"
        f" {' and '.join(SERVICES)}, Action {' and '.join(NEEDED)}, Resource *"
    )


def may_use(policy: Mapping[str, Any], service: str) -> bool:
    """Say whether some statements let the service do all that is needed; conditions are not read.

    A condition can only narrow: a yes here may still be a no of AWS's.
    """
    allowed = [
        pattern
        for statement in _listed(policy.get("Statement"))
        if statement.get("Effect") == "Allow" and _names(statement.get("Principal"), service)
        for pattern in _listed(statement.get("Action"))
    ]
    return all(any(_matches(action, pattern) for pattern in allowed) for action in NEEDED)


def _matches(action: str, pattern: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _names(principal: Any, service: str) -> bool:  # noqa: ANN401 - a policy's principal
    if principal == "*":
        return True
    services = principal.get("Service") if isinstance(principal, Mapping) else None
    return service in _listed(services)


def _listed(value: Any) -> Sequence[Any]:  # noqa: ANN401 - a policy's value, or a list of them
    return value if isinstance(value, list) else [] if value is None else [value]
