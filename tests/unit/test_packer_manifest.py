"""What a bake says and leaves behind, read from a real one: Packer 1.16.0, amazon plugin 1.8.2."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.core.bake import (
    CONTENTS,
    MANIFEST,
    Progress,
    read_bake,
    read_progress,
    what_next,
    why_failed,
)
from provision.errors import ProvisionError

A_BAKE = Path(__file__).parents[1] / "packer" / "a_bake"
LEFT = (A_BAKE / MANIFEST).read_text(encoding="utf-8")
INSIDE = (A_BAKE / CONTENTS).read_text(encoding="utf-8")
SAID = (A_BAKE / "progress.csv").read_text(encoding="utf-8").splitlines()

texts = st.text() | st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
).map(json.dumps)


def test_a_real_bakes_image_is_known_with_all_that_is_in_it() -> None:
    """The image, what it was made from, and the version of everything."""
    image = read_bake(LEFT, INSIDE)
    assert (image.region, image.ami) == ("us-east-2", "ami-88aecf1bcc5d58d0e")
    facts, inside = image.facts, image.contents
    assert (facts.source_ami, facts.git_revision) == ("ami-03cf127a", "638bdda")
    assert (facts.os, facts.arch, facts.worker_version) == ("ubuntu-24.04", "x86_64", "0.1.0")
    assert (inside.os, inside.python) == ("Debian GNU/Linux 12 (bookworm)", "3.11.2")
    assert inside.packages["s3-event-worker"] == facts.worker_version
    assert {"boto3", "botocore", "structlog", "tenacity", "click"} <= set(inside.packages)


def test_of_many_bakes_the_last_one_counts() -> None:
    """Packer adds to a manifest that is there already."""
    document = json.loads(LEFT)
    older = document["builds"][0] | {"artifact_id": "us-east-2:ami-0", "packer_run_uuid": "older"}
    document["builds"].insert(0, older)
    assert read_bake(json.dumps(document), INSIDE) == read_bake(LEFT, INSIDE)


def test_the_contents_of_another_bake_are_refused() -> None:
    """Left over from a bake that failed later than its validation."""
    other = json.dumps(json.loads(INSIDE) | {"git_revision": "0000000"})
    with pytest.raises(ProvisionError, match=r"image\.json tells of another bake: 0000000"):
        read_bake(LEFT, other)


@given(texts, texts)
def test_anything_else_is_an_error_with_what_to_do(manifest: str, contents: str) -> None:
    """Never a traceback, whichever of the two files is broken."""
    for pair in [(manifest, contents), (LEFT, contents), (manifest, INSIDE)]:
        with pytest.raises(ProvisionError) as caught:
            read_bake(*pair)
        assert "bake again" in caught.value.hint


def test_the_progress_of_a_real_bake_tells_its_steps_in_order() -> None:
    """Commas and all; the steps of ours, and Packer's own between them."""
    seen = [found for found in map(read_progress, SAID) if found]
    steps = list(dict.fromkeys(each.step for each in seen))
    assert steps == ["packer", "system", "worker", "validate", "clean"]
    assert Progress("packer", "Connected to SSH!") in seen
    assert Progress("validate", "ok      worker check --offline, in the service's sandbox") in seen
    assert not any(word in each.words for each in seen for word in ("PACKER_COMMA", "\\n", "==>"))
    assert len(seen) < len(SAID) * 0.7


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("1,,ui,error,==> amazon-ebs.worker: it broke\n", Progress("packer", "it broke")),
        ("1,,ui,message,    amazon-ebs.worker: [worker] done", Progress("worker", "done")),
        ("1,,ui,say,\\n==> Builds finished", Progress("packer", "Builds finished")),
        ("1,amazon-ebs.worker,artifact,0,id,us-east-2:ami-1", None),
        ("1,,ui,say,", None),
        ("==> amazon-ebs.worker: for people", None),
    ],
)
def test_lines_of_every_kind_are_told_apart(line: str, progress: Progress | None) -> None:
    """Errors and Packer 1.6's messages are words, too; artifacts are the manifest's business."""
    assert read_progress(line) == progress


@given(st.text())
def test_no_line_of_output_stops_a_bake(line: str) -> None:
    """Whatever it is, it is words or nothing."""
    found = read_progress(line)
    assert found is None or found.words


def test_why_a_bake_failed_is_the_steps_own_last_word_or_packers_last_error() -> None:
    """The step's is the cause, whatever Packer says after it."""
    failed = "1,,ui,message,    amazon-ebs.worker: [worker] FAILED: line 7: pip install"
    error = "1,,ui,error,Build 'amazon-ebs.worker' errored"
    assert why_failed([*SAID, failed, error]) == "worker: line 7: pip install"
    assert why_failed([*SAID, error]) == "Build 'amazon-ebs.worker' errored"
    assert why_failed(SAID) == "Packer gave no reason"


@pytest.mark.parametrize(
    ("why", "hint"),
    [
        (
            "   6:   required_plugins {\nError: Unsupported Packer Core version",
            "install Packer 1.9",
        ),
        ("Error: Missing plugins", "`packer init packer`"),
        ("validate: the service is not active", "packer/README.md"),
    ],
)
def test_what_to_do_about_a_bake_that_failed_hangs_on_why(why: str, hint: str) -> None:
    """No plugin helps a Packer that is too old, though its words name plugins, too."""
    assert hint in what_next(why, "packer")
