"""What the checks before a start find, as values: findings, the queue's facts, the guards. Pure.

`worker.aws.checks` asks AWS; here stands what each answer means.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from worker.core.port import Fault, FaultKind, Location
from worker.operator.grants import Names, Statement, is_denied, kms_grant, policy, statement
from worker.settings import Settings

FEWEST_RECEIVES = 3
"""Below this a message that met one restart and one hiccup is already in the dead-letter queue."""


class Level(StrEnum):
    """How bad a finding is: only a failure keeps the worker from starting."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


class Guard(StrEnum):
    """The conditions that the move rests on, by operation and header."""

    COPY_ONTO_NOTHING = "CopyObject If-None-Match"
    COPY_SOURCE = "CopyObject x-amz-copy-source-if-match"
    COPY_OVER = "CopyObject If-Match"
    TRUE_CONDITIONS = "CopyObject when its conditions hold"
    DELETE = "DeleteObject If-Match"
    DELETE_SEVERAL = "DeleteObjects ETag"


class GuardResult(StrEnum):
    """What the store made of a condition."""

    HOLDS = "holds"
    IGNORED = "ignored"  # it did what the condition forbids
    UNSUPPORTED = "unsupported"  # 501
    UNTOLD = "untold"  # it could not be tried


WITHOUT_GUARD: Mapping[Guard, str] = {
    Guard.COPY_ONTO_NOTHING: "a slow copy of an old upload could land over a newer file",
    Guard.COPY_SOURCE: "another upload could be moved in the name of the one that was meant",
    Guard.COPY_OVER: "two workers could write over each other's files",
    Guard.TRUE_CONDITIONS: "nothing at all could be moved",
    Guard.DELETE: "an upload that arrives during a move could be deleted unmoved",
    Guard.DELETE_SEVERAL: "an upload that arrives during a move could be deleted unmoved",
}


WRONG_CLOCK = "this machine's clock is wrong: `timedatectl` shows it"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    `grant` is the policy statement that would give what is missing; `guard` is set where the
    finding is about a condition of the store's.
    """

    level: Level
    subject: str
    detail: str
    grant: Statement | None = None
    hint: str = ""
    guard: GuardResult | None = None


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """What the worker must know of its queue; `visibility_timeout` in seconds.

    `max_receive_count` is None without a dead-letter queue; `kms_key` is empty without KMS.
    """

    has_dlq: bool
    max_receive_count: int | None
    visibility_timeout: int
    arn: str
    dlq_arn: str = ""
    kms_key: str = ""

    @property
    def is_fifo(self) -> bool:
        """Whether this is a FIFO queue: the suffix is part of such a queue's name."""
        return self.arn.endswith(".fifo")


def judge_queue(facts: QueueFacts, visibility_timeout: int) -> list[Finding]:
    """Say what the queue's attributes mean for a worker whose leases last so many seconds."""
    found = [
        Finding(Level.OK, "queue", facts.arn),
        _judge_dlq(facts),
        _judge_visibility(facts.visibility_timeout, visibility_timeout),
    ]
    if facts.is_fifo:
        detail = "a FIFO queue; S3 does not send to one, and one key's messages wait in line"
        found.append(Finding(Level.WARNING, "queue type", detail, hint="use a standard queue"))
    if facts.kms_key:
        detail = f"encrypted under {facts.kms_key}; receiving needs kms:Decrypt, tried on first use"
        key = facts.kms_key if facts.kms_key.startswith("arn:") else _any_key_beside(facts.arn)
        found.append(Finding(Level.OK, "queue encryption", detail, statement("kms:Decrypt", key)))
    return found


def _judge_dlq(facts: QueueFacts) -> Finding:
    subject = "dead-letter queue"
    if not facts.has_dlq:
        return Finding(
            Level.WARNING,
            subject,
            "none; a message that can never succeed backs off and comes back until it expires",
            hint="give the queue a RedrivePolicy; `provision apply` does",
        )
    detail = f"{facts.dlq_arn}, after {facts.max_receive_count} receives"
    if (facts.max_receive_count or 0) < FEWEST_RECEIVES:
        hint = f"set maxReceiveCount to {FEWEST_RECEIVES} or more: a restart costs a receive, too"
        return Finding(Level.WARNING, subject, detail, hint=hint)
    return Finding(Level.OK, subject, detail)


def _judge_visibility(queues: int, ours: int) -> Finding:
    subject = "visibility timeout"
    if queues == ours:
        return Finding(Level.OK, subject, f"{ours} s")
    return Finding(
        Level.WARNING,
        subject,
        f"the queue's is {queues} s; the worker asks for {ours} s with every receive",
        hint="harmless to the worker; a Lambda function on this queue would get the queue's",
    )


def _any_key_beside(queue_arn: str) -> str:
    _, partition, _, region, account, *_ = (*queue_arn.split(":"), *"******")[:6]
    return Names(partition, region, account).any_key()


def judge_guard(guard: Guard, result: GuardResult, told: str, *, required: bool) -> Finding:
    """Say what a guard's result means; `told` is what the store answered."""
    subject = f"guard: {guard}"
    if result is GuardResult.HOLDS:
        return Finding(Level.OK, subject, result.value, guard=result)
    detail = f"{result}: {told}; without it {WITHOUT_GUARD[guard]}"
    if required:
        hint = "this store cannot keep files safe; GUARDS=best-effort runs at your own risk"
        return Finding(Level.FAILURE, subject, detail, hint=hint, guard=result)
    hint = "GUARDS=best-effort: running without this guarantee"
    return Finding(Level.WARNING, subject, detail, hint=hint, guard=result)


def is_unsupported(findings: Iterable[Finding]) -> bool:
    """Tell whether the store answers 501 to a condition, so that none may be sent."""
    return any(finding.guard is GuardResult.UNSUPPORTED for finding in findings)


def granted(action: str, place: object) -> Finding:
    """Say that a permission is there."""
    return Finding(Level.OK, f"{action} on {place}", "allowed")


def refused(
    actions: str | Sequence[str], place: object, resource: str, fault: Fault, names: Names
) -> Finding:
    """Say what keeps us from doing `actions` on `place`, whose ARN is `resource`."""
    listed = actions if isinstance(actions, str) else ", ".join(actions)
    subject = f"{listed} on {place}"
    if grant := kms_grant(fault, names):
        hint = "the key's own policy must allow it as well, or leave it to IAM"
        return Finding(Level.FAILURE, subject, f"KMS refused: {fault}", grant, hint)
    if not is_denied(fault):
        return Finding(Level.FAILURE, subject, str(fault), hint=_remedy(fault))
    hint = ""
    if "explicit deny" in fault.message:
        hint = "an explicit deny wins over any grant: look for it in the policy that AWS names"
    return Finding(Level.FAILURE, subject, f"denied: {fault}", statement(actions, resource), hint)


def is_clock_wrong(fault: Fault) -> bool:
    """Tell that AWS took our time for wrong: S3 has a code for it, the others say it in words."""
    words = ("Signature expired", "Signature not yet current")
    return fault.code == "RequestTimeTooSkewed" or fault.message.startswith(words)


def _remedy(fault: Fault) -> str:
    known = {
        "NoSuchBucket": "create the bucket, or correct BUCKET or DST_BUCKET",
        "PermanentRedirect": "the bucket is in another region: correct REGION",
        "AuthorizationHeaderMalformed": "the bucket is in another region: correct REGION",
        "IllegalLocationConstraintException": "the bucket is in another region: correct REGION",
        "SSLError": "trust the endpoint's certificate: AWS_CA_BUNDLE names a file of those trusted",
        "AWS.SimpleQueueService.NonExistentQueue": "create the queue, or correct QUEUE_URL, REGION",
        "QueueDoesNotExist": "create the queue, or correct QUEUE_URL and REGION",
    }
    if fault.code in known:
        return known[fault.code]
    if is_clock_wrong(fault):
        return WRONG_CLOCK
    if fault.kind in {FaultKind.UNAVAILABLE, FaultKind.THROTTLED}:
        return "no permission problem: look at the network, the endpoint, and the service's health"
    return ""


def judge_settings(settings: Settings, versions: Mapping[str, str]) -> list[Finding]:
    """Say what can be told of the settings without any AWS; `versions` by name of the program."""
    route = f"{settings.source} -> {settings.destination}"
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    found = [Finding(Level.OK, "versions", listed), Finding(Level.OK, "settings", route)]
    found += [
        Finding(Level.WARNING, "settings", f"unknown in the settings file: {name}")
        for name in settings.unknown
    ]
    if not settings.guards_required:
        detail = "GUARDS=best-effort: files may be lost on a store that ignores conditions"
        found.append(Finding(Level.WARNING, "guards", detail))
    return found


def failures(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that keep the worker from starting."""
    return [finding for finding in findings if finding.level is Level.FAILURE]


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """Return the findings as JSON's kinds, with one policy that grants all that is missing."""
    missing = [each.grant for each in findings if each.grant and each.level is not Level.OK]
    return {
        "ok": not failures(findings),
        "findings": [
            {
                "level": each.level.value,
                "subject": each.subject,
                "detail": each.detail,
                "hint": each.hint,
                "grant": each.grant,
                "guard": each.guard and each.guard.value,
            }
            for each in findings
        ],
        "policy": policy(missing) if missing else None,
    }


def untold(action: str, location: Location, resource: str) -> Finding:
    """Say that a permission cannot be told while s3:ListBucket is missing (rule 21)."""
    return Finding(
        Level.WARNING,
        f"{action} on {location}",
        "cannot be told: without s3:ListBucket every missing object reads as 403",
        statement(action, resource),
        "grant s3:ListBucket, then check again",
    )
