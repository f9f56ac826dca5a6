"""Is every instance of the group what it should be? The seed's sixth step, as findings. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from provision.core.finding import Finding, failure, ok, warning
from provision.core.group import GroupFacts, InstanceFacts


@dataclass(frozen=True, slots=True)
class Expected:
    """What every instance must carry."""

    group: str
    template_version: str
    image: str
    profile: str


def judge_instances(
    expected: Expected, group: GroupFacts, services: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Return a finding an instance, or a failure for each thing that is not as it should be.

    `services` says what systemd calls the service, by instance; one that could not be asked is
    missing there.
    """
    if not group.instances:
        hint = "look at `provision status`: launch failures stand among the scaling activities"
        return (failure(f"group {expected.group}", "has no instance", hint),)
    return tuple(
        finding
        for each in group.instances
        for finding in (*_judge(expected, each), _service(each.id, services.get(each.id)))
    )


def _judge(expected: Expected, seen: InstanceFacts) -> Iterator[Finding]:
    faults = list(_faults(expected, seen))
    yield from faults
    if not faults:
        yield ok(
            f"instance {seen.id}",
            f"{seen.lifecycle_state} in {seen.zone}, group {seen.group_tag},"
            f" template version {seen.template_version}, {seen.image}, role {seen.profile}",
        )


def _faults(expected: Expected, seen: InstanceFacts) -> Iterator[Finding]:
    subject = f"instance {seen.id}"
    if not seen.in_service:
        state = f"is {seen.lifecycle_state}, {seen.health}"
        yield failure(subject, state, "`provision status --watch` shows how it goes on")
    pairs = (
        ("its group tag", seen.group_tag, expected.group),
        ("its template version", seen.template_version, expected.template_version),
        ("its AMI", seen.image, expected.image),
        # RunInstances can go on without a profile that is too new (rule 2).
        ("its instance profile", seen.profile, expected.profile),
    )
    for what, seen_value, wanted in pairs:
        if seen_value != wanted:
            detail = f"{what} is {seen_value or '(none)'}, not {wanted}"
            yield failure(subject, detail, "`provision rollout` replaces it")


def _service(instance: str, state: str | None) -> Finding:
    subject = f"service on {instance}"
    if state is None:
        hint = "`aws ssm describe-instance-information` lists whom it reaches"
        return warning(subject, "not asked: Systems Manager does not reach the instance", hint)
    if state != "active":
        session = f"`aws ssm start-session --target {instance}`"
        return failure(
            subject, f"systemd calls it {state}", f"{session}, then `journalctl -u s3-event-worker`"
        )
    return ok(subject, "active")
