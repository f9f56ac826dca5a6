"""What instances are told at their first boot."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.stacks import a_blueprint

from provision.spec.s3_names import PREFIX_BYTES
from provision.spec.user_data import (
    AGENT_FILE,
    ENVIRONMENT_FILE,
    LOG_FILE,
    UNIT,
    environment_file,
    user_data,
)
from provision.spec.worker_environment import LIFECYCLE_HOOK, worker_environment
from worker.host.lifecycle import DEFAULT_HOOK_NAME
from worker.settings import read_settings

ROOT = Path(__file__).parents[3]

LIMIT_BYTES = 16 * 1024
"""EC2's, before base64 (rule 24)."""


def read_environment_file(text: str) -> dict[str, str]:
    r"""Read what we write as systemd does: "…" with \\ \" \` \$ inside."""
    found = re.findall(r'^(\w+)="((?:[^"\\]|\\.)*)"$', text, re.MULTILINE | re.DOTALL)
    return {name: re.sub(r'\\(["\\`$])', r"\1", value) for name, value in found}


@given(st.dictionaries(st.from_regex(r"\A[A-Z_]{1,9}\Z"), st.text(st.characters(codec="utf-8"))))
def test_every_value_comes_out_of_the_environment_file_as_it_went_in(
    settings: dict[str, str],
) -> None:
    """Quotes, backslashes, dollars and spaces in a prefix are nobody's downfall."""
    assert read_environment_file(environment_file(settings)) == settings


def test_the_worker_reads_from_it_what_the_stack_says() -> None:
    """The settings' own reader accepts all of it, and knows every name."""
    blueprint = a_blueprint(
        pipeline={"source_prefix": 'in `1` "x"/', "destination_prefix": "out/"},
        worker={"concurrency": 7, "drain_seconds": 600, "on_conflict": "keep-both"},
    )
    settings = read_settings(worker_environment(blueprint))
    assert settings.unknown == ()
    assert settings.queue_url == "https://sqs.us-east-2.amazonaws.com/123456789012/files-uploads"
    assert settings.source.key == 'in `1` "x"/'
    assert (settings.concurrency, settings.drain_seconds) == (7, 600)
    assert settings.named().keys() >= worker_environment(blueprint).keys()


def test_how_many_moves_at_a_time_is_the_workers_own_choice_unless_the_stack_file_says() -> None:
    """A number here would hold the fast executor, which takes many more, to it."""
    environment = worker_environment(a_blueprint())
    assert "CONCURRENCY" not in environment
    assert (
        read_settings(environment).concurrency
        == read_settings({"QUEUE_URL": environment["QUEUE_URL"], "BUCKET": "files"}).concurrency
    )


def test_the_hook_is_the_one_that_the_worker_completes() -> None:
    """The name is written down twice; both say the same."""
    assert LIFECYCLE_HOOK == DEFAULT_HOOK_NAME


def test_the_file_is_the_units_own_and_the_unit_may_drain() -> None:
    """Systemd's unit reads this file; the drop-in gives a stop more time than the drain takes."""
    unit = (ROOT / "systemd" / UNIT).read_text(encoding="utf-8")
    assert f"EnvironmentFile={ENVIRONMENT_FILE}\n" in unit
    document = json.loads(
        user_data(a_blueprint(worker={"drain_seconds": 6900})).removeprefix("#cloud-config\n")
    )
    drop_in = document["write_files"][1]
    assert drop_in["path"] == f"/etc/systemd/system/{UNIT}.d/stack.conf"
    assert drop_in["content"] == "[Service]\nTimeoutStopSec=6960\n"


def test_the_agent_is_told_the_stacks_log_group_and_nothing_that_the_image_says() -> None:
    """The agent joins this file with the image's, and refuses two that speak of the same thing."""
    blueprint = a_blueprint("photos")
    document = json.loads(user_data(blueprint).removeprefix("#cloud-config\n"))
    (file,) = (each for each in document["write_files"] if each["path"] == AGENT_FILE)
    told = json.loads(file["content"])
    assert told["logs"]["logs_collected"]["files"]["collect_list"] == [
        {
            "file_path": LOG_FILE,
            "log_group_name": blueprint.names.worker_log_group,
            "log_stream_name": "{instance_id}",
        }
    ]
    image = ROOT / "packer" / "files" / "amazon-cloudwatch-agent.json"
    assert set(told).isdisjoint(json.loads(image.read_text(encoding="utf-8")))
    # Others are not read, or are taken for one that `fetch-config` is still working on.
    assert AGENT_FILE.endswith(".d/s3-event-worker.json")


def test_it_is_empty_where_all_is_baked_in() -> None:
    """The seed's way."""
    assert user_data(a_blueprint(instances={"user_data": "none"})) == ""


@pytest.mark.parametrize("letter", ["a", "é", "𝄞"])
def test_rule_24_the_longest_settings_fit_into_user_data(letter: str) -> None:
    """16 KB is far above what the longest names and prefixes take."""
    most = letter * min(500, (PREFIX_BYTES - 2) // len(letter.encode()))
    prefixes = {"source_prefix": f"{most}/", "destination_prefix": f"b{most}/"}
    blueprint = a_blueprint("a" * 32, pipeline={**prefixes, "bucket": "b" * 63})
    assert len(user_data(blueprint).encode()) <= LIMIT_BYTES
