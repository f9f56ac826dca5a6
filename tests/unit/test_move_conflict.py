"""The guarded move where the name is taken: ON_CONFLICT."""

from dataclasses import replace

import pytest
from support.moving import (
    BESIDE,
    DESTINATION,
    KEEP_BOTH,
    MOVED,
    REJECT,
    SOURCE,
    fresh_twin,
    run,
    uploaded,
)
from support.store import Content
from support.twin import S3Twin

from worker.core.move import MoveRules, Outcome, Result
from worker.core.plan import MAX_KEY_BYTES
from worker.core.port import (
    CopyObject,
    Location,
)


def test_reject_leaves_both_files_alone() -> None:
    """The name is taken: a person decides."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    outcome = run(uploaded(twin), twin, REJECT)
    assert outcome == Outcome(Result.CONFLICT, detail=f"{DESTINATION} holds another file")
    assert twin[SOURCE].content == Content.of("a", 1)
    assert twin[DESTINATION].content == Content.of("z", 1)


@pytest.mark.parametrize("rules", [REJECT, KEEP_BOTH], ids=["reject", "keep-both"])
def test_the_very_same_file_is_no_conflict(rules: MoveRules) -> None:
    """It is there already, in the same second even: only the source has to go."""
    twin = S3Twin(lambda: 7.0)
    task = uploaded(twin)
    twin.perform(CopyObject(SOURCE, task.etag or "", DESTINATION, None))
    assert run(task, twin, rules) == MOVED
    assert len(twin.store.objects) == 1


def test_keep_both_puts_the_newer_file_beside_the_older() -> None:
    """Under a name that carries the upload's sequencer, before the suffix."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    assert run(uploaded(twin), twin, KEEP_BOTH) == Outcome(Result.MOVED, BESIDE)
    assert twin[DESTINATION].content == Content.of("z", 1)
    assert twin[BESIDE].content == Content.of("a", 1)
    assert SOURCE not in twin


def test_keep_both_knows_its_own_earlier_copy() -> None:
    """A redelivery finds its file beside, and only deletes the source."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    task = uploaded(twin)
    twin.perform(CopyObject(SOURCE, task.etag or "", BESIDE, None))
    assert run(task, twin, KEEP_BOTH) == Outcome(Result.MOVED, BESIDE)
    assert len(twin.store.objects) == 2


def test_keep_both_never_replaces_a_third_file() -> None:
    """Even its own name may be taken by somebody."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    twin.put(BESIDE, "y")
    assert run(uploaded(twin), twin, KEEP_BOTH).result is Result.CONFLICT
    assert SOURCE in twin


@pytest.mark.parametrize(
    ("key", "sequencer", "beside"),
    [
        ("processed/f.tar.gz", "0A", "processed/f.tar.0A.gz"),
        ("processed/f", "0A", "processed/f.0A"),
        ("processed/.hidden", "0A", "processed/.hidden.0A"),
        ("processed/v1.2/f", "0A", "processed/v1.2/f.0A"),
        ("processed/a.b/", "0A", "processed/a.b/.0A.b"),
        ("processed/f.txt", None, "processed/f.ETAG.txt"),
    ],
)
def test_a_name_of_its_own_keeps_the_suffix(key: str, sequencer: str | None, beside: str) -> None:
    """Without a sequencer the ETag tells the upload apart."""
    twin = fresh_twin()
    twin.put(Location("out", key), "z")
    task = replace(uploaded(twin), destination=Location("out", key), sequencer=sequencer)
    outcome = run(task, twin, KEEP_BOTH)
    assert outcome.destination
    assert outcome.destination.key == beside.replace("ETAG", task.etag or "")


def test_a_name_of_its_own_may_be_too_long() -> None:
    """Then both cannot be kept, and the source stays."""
    twin = fresh_twin()
    full = Location("out", "k" * (MAX_KEY_BYTES - 2))
    twin.put(full, "z")
    outcome = run(replace(uploaded(twin), destination=full), twin, KEEP_BOTH)
    assert outcome.result is Result.UNMOVABLE
    assert SOURCE in twin


def test_a_name_of_its_own_may_be_just_as_long_as_s3_allows() -> None:
    """1,024 bytes are a key."""
    twin = fresh_twin()
    full = Location("out", "k" * (MAX_KEY_BYTES - len(".0A")))
    twin.put(full, "z")
    assert run(replace(uploaded(twin), destination=full), twin, KEEP_BOTH).result is Result.MOVED
