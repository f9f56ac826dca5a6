"""An ETag names bytes, not an upload: what that costs when the same bytes come again.

Every loss here needs a second upload of the very same bytes to the same name (or the same bytes
at the destination before), while a copy or a delete of the first one is under way. A versioned
bucket still holds every version.
"""

from dataclasses import replace

import pytest
from support.cases import Case, Clock
from support.catalogue import KMS, case
from support.interleave import explore

BYTES_LOST = {
    "a, b, a again": case("a b a", mishaps=0),
    "b, then a, over an old a": case("b a", "a", mishaps=0),
    "a, then b, over an old b": case("a b", "b", mishaps=0),
}
ONLY_METADATA_OR_TAGS_LOST = {
    "a, then a with other metadata": case("a1 a2", mishaps=0),
    "a, then a with other tags": case("a1x a1y", mishaps=0),
}
NOTHING_LOST = {
    "a, then the same a": case("a a"),
    "a, then the same a, over z": case("a a", "z"),
    "a over the same a": case("a", "a"),
    "a over a with other metadata": case("a2", "a1"),
    "a, b, then the same b": case("a b b"),
    "a, a, then b": case("a a b", clock=Clock.TIES),
}


@pytest.mark.parametrize(
    "repeating",
    [*BYTES_LOST.values(), *ONLY_METADATA_OR_TAGS_LOST.values()],
    ids=[*BYTES_LOST, *ONLY_METADATA_OR_TAGS_LOST],
)
def test_the_same_bytes_again_can_leave_an_older_upload(repeating: Case) -> None:
    """The limit, shown as it is: these orders of uploads can lose the last one."""
    report = explore(repeating)
    print(report)
    assert report.losses > 0
    assert report.torn == 0


@pytest.mark.parametrize(
    "repeating", ONLY_METADATA_OR_TAGS_LOST.values(), ids=ONLY_METADATA_OR_TAGS_LOST
)
def test_other_metadata_on_the_same_bytes_never_costs_the_bytes(repeating: Case) -> None:
    """Seen without metadata and tags, the very same orders lose nothing."""
    bytes_only = tuple(replace(upload, metadata="", tag="") for upload in repeating.uploads)
    assert explore(replace(repeating, uploads=bytes_only)).losses == 0


@pytest.mark.parametrize("repeating", NOTHING_LOST.values(), ids=NOTHING_LOST)
def test_the_same_upload_again_is_no_loss(repeating: Case) -> None:
    """Where the last upload is like the one before it, or only older files are, all is well."""
    report = explore(repeating)
    assert (report.losses, report.torn) == (0, 0), "\n".join(report.trace)


@pytest.mark.parametrize(
    "in_order",
    [case("a b a", workers=1, mishaps=0), case("b a", "a", workers=1, mishaps=0)],
    ids=str,
)
def test_one_worker_without_mishaps_never_loses_bytes(in_order: Case) -> None:
    """The bytes are at risk only while two deliveries, or a crash, overlap."""
    assert explore(in_order).losses == 0


@pytest.mark.parametrize(
    "over_old", [case("b a", "a", behaviour=KMS), case("a b", "b", behaviour=KMS)], ids=str
)
def test_a_destination_under_kms_knows_its_older_files_apart(over_old: Case) -> None:
    """With SSE-KMS an ETag is new with every write, so that an old file is never mistaken."""
    assert explore(over_old).losses == 0
