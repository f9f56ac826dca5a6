"""Workers are killed again and again, messages come twice, files are overwritten: none is lost."""

import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.flow_aws import Aws
from support.flow_files import big_file, make_files
from support.flow_fleet import Fleet, Repeater, Users
from support.flow_pipeline import make_pipeline
from support.flow_process import Start

VISIBILITY_SECONDS = 4
"""Short: what a victim held must come back while the test runs."""

GARBAGE = (
    "garbage",
    "{",
    "[]",
    "null",
    '"text"',
    '{"Records": 5}',
    '{"Records": [{}]}',
    json.dumps({"Type": "Notification", "Message": "no event"}),
    json.dumps({"detail-type": "Object Created", "source": "aws.s3"}),
)


def most_receives(kills: int) -> int:
    """Return a maxReceiveCount that only garbage reaches.

    A kill costs each message in the victim's hand a receive, and another one those that its open
    poll still swallows after its death. A copy in trouble costs some of its own.
    """
    return 2 * kills + 8


@pytest.mark.parametrize(
    ("aws", "files", "kills"),
    [
        ("honest-moto", 200, 4),
        pytest.param("honest-moto", 500, 8, marks=pytest.mark.heavy),
        pytest.param("ministack", 500, 8, marks=pytest.mark.heavy),  # the second opinion
        pytest.param("honest-moto", 2_000, 30, marks=pytest.mark.heavy),
    ],
    indirect=["aws"],
)
def test_nothing_is_lost_while_workers_are_killed(
    aws: Aws, start: Start, files: int, kills: int
) -> None:
    """Every last upload arrives, byte for byte; the dead-letter queue holds exactly the garbage.

    Two workers, of which one that is at work is killed about once a second. On ministack, which
    ignores the destination's conditions on CopyObject (and keeps those on its source and on
    deletes), this does not show that a late copy of an old upload cannot land over a newer file;
    and as it drops the tags of an upload in parts, not that they are kept.
    """
    dice = random.Random(files)  # noqa: S311 - a game of dice, not a secret
    pipeline = make_pipeline(
        aws, max_receives=most_receives(kills), visibility_seconds=VISIBILITY_SECONDS
    )
    environment = pipeline.environment(
        VISIBILITY_TIMEOUT=str(VISIBILITY_SECONDS),
        CONCURRENCY="8",
        MULTIPART_THRESHOLD="5MiB",
        PART_SIZE="5MiB",
    )
    users, repeater = Users(pipeline, dice), Repeater(pipeline, dice)
    fleet = Fleet(start, environment, size=2)
    fleet.fill()
    pipeline.send(*GARBAGE)
    todo = [big_file(tagged=aws.tags_parts), *make_files(files - 1, seed=files)]
    repeated = 0
    with ThreadPoolExecutor(1) as in_the_background:
        for number in range(kills):
            uploading = in_the_background.submit(users.upload, todo[number::kills])
            fleet.kill_one_at_work(after_seconds=dice.random())
            uploading.result()
            repeated += repeater.repeat_some()
    pipeline.wait_until_empty(180, fleet.picture())
    repeated += repeater.repeat_old()
    pipeline.wait_until_empty(60, fleet.picture())
    print(
        f"{aws.name}: {len(users.last)} files, {users.uploads} uploads, {repeated} repeated"
        f" messages, {kills} kills; {dict(fleet.outcomes())}"
    )
    assert pipeline.differences(users.last.values()) == []
    assert pipeline.bodies(pipeline.dlq) == sorted(GARBAGE)
