"""Things of our names that are somebody else's: no command changes one, and none uses it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from support.group_world import new_image
from support.provision_cli import run
from support.provision_world import IMAGE, World
from support.recorded_aws import RecordedAws
from support.untagging import untag

from provision.aws.images import image_of
from provision.core.finding import Level
from provision.core.image import WITHDRAWN_TAG
from provision.core.resource import OWNER_TAG, tag_list
from provision.resources.catalogue import intentions
from provision.verify import Verification
from worker.demo.embedded.server import EmbeddedAws


@pytest.fixture(scope="module")
def standing(region: EmbeddedAws, aws: RecordedAws) -> Iterator[World]:
    """Give a stack whose group has no instance."""
    sizes = {"ami": IMAGE.id, "minimum": 0, "desired": 0}
    whole = World.of(region, aws, "standing", instances=sizes)
    whole.apply()
    yield whole
    whole.destroy()


WRITES = ("Create", "Modify", "Update", "Put", "Start", "Tag", "Set", "Copy", "Delete")

CASES = [
    ("group", "rollback"),
    pytest.param("launch-template", "rollback", marks=pytest.mark.heavy),
    pytest.param("group", "rollout", marks=pytest.mark.heavy),
    ("launch-template", "rollout"),
    pytest.param("queue", "rollout", marks=pytest.mark.heavy),
    pytest.param("group", "cutover lambda", marks=pytest.mark.heavy),
    pytest.param("function", "cutover lambda", marks=pytest.mark.heavy),
    ("queue", "cutover lambda"),
    pytest.param("bucket", "cutover lambda", marks=pytest.mark.heavy),
]


@pytest.mark.parametrize(("kind", "command"), CASES)
def test_a_command_that_meets_what_is_not_the_stack_s_writes_nothing(
    standing: World, tmp_path: Path, kind: str, command: str
) -> None:
    """Exit status 1, with its name, and with who says more; its owner hears nothing of us."""
    key = next(each.key for each in intentions(standing.blueprint) if each.key.kind == kind)
    untag(standing, key)
    before = standing.region.requests.snapshot()
    ended = run(standing, tmp_path, *command.split())
    sent = standing.region.requests.snapshot() - before
    standing.apply(key)
    assert ended.exit_code == 1, ended.output
    assert f"{key} is not this stack's" in ended.output
    assert "`provision plan` says whose it is" in ended.output
    assert [each for each in sent if each.startswith(WRITES)] == []


@pytest.mark.parametrize("kind", ["bucket", pytest.param("queue", marks=pytest.mark.heavy)])
def test_no_canary_is_sent_through_what_is_not_the_stack_s(standing: World, kind: str) -> None:
    """Verify says whose it is not, and writes nothing into it."""
    key = next(each.key for each in intentions(standing.blueprint) if each.key.kind == kind)
    untag(standing, key)
    hours = count(0, 3600)
    run = Verification(
        standing.aws,
        standing.blueprint,
        standing.region.clock.advance,
        lambda: float(next(hours)),
        lambda _: None,
    )
    with standing.aws.recording() as sent:
        found = list(run.run())
    standing.apply(key)
    assert f"{key} is not this stack's" in found[-1].detail
    assert found[-1].level is Level.FAILURE
    assert [each for each in sent if each.writes] == []


def test_an_ami_that_another_stack_withdrew_stays_withdrawn(
    standing: World, tmp_path: Path
) -> None:
    """Whoever rolls it out all the same by its id says nothing for its owner."""
    theirs = new_image(standing).id
    tags = tag_list({OWNER_TAG: "another", WITHDRAWN_TAG: "2026-03-01T12:00:00+00:00"})
    standing.aws.ec2.create_tags(Resources=[theirs], Tags=tags)
    ended = run(standing, tmp_path, "rollout", "--ami", theirs)
    assert ended.exit_code == 0, ended.output
    found = image_of(standing.aws.ec2, theirs)
    assert found is not None
    assert found.withdrawn
    assert run(standing, tmp_path, "rollback").exit_code == 0
