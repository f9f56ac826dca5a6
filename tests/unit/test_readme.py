"""The README says what is: its transcripts, its settings, its exit statuses."""

import json
import re

import pytest
from support.readme import README, Step, steps
from support.stack_table import PAGE, page
from support.stacks import a_blueprint

from provision.policies.worker import CLOUDWATCH_AGENT, SSM_AGENT, worker_grants
from worker.errors import ExitCode
from worker.settings import read_settings

TEXT = README.read_text(encoding="utf-8")
STEPS = list(steps(TEXT))
LEAST = {"QUEUE_URL": "https://sqs.us-east-2.amazonaws.com/123456789012/q", "BUCKET": "files"}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.line)
def test_a_transcript_is_what_the_command_prints(step: Step) -> None:
    """Run each command of the README again: it prints what stands there (`make readme`)."""
    assert step.run() == step.printed


def test_there_are_transcripts() -> None:
    """The test above has something to run."""
    assert len(STEPS) >= 3


def test_the_settings_table_is_complete_and_its_defaults_are_true() -> None:
    """Every setting has its row, every row its setting, and each default is the real one."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", TEXT, re.MULTILINE))
    real = read_settings(LEAST).named()
    assert rows.keys() == real.keys()
    for name, shown in rows.items():
        if told := re.fullmatch(r"`([^`]+)`", shown):
            assert told[1] in {real[name], _in_units(real[name]), "BUCKET"}, name


def _in_units(value: str) -> str:
    size = int(value) if value.isdigit() else 0
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return value


def test_the_page_of_the_stack_file_is_complete_and_true() -> None:
    """It is written from the settings themselves (`make readme`)."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_exit_statuses_are_complete() -> None:
    """Every exit status of `worker run` has its row."""
    rows = {int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert rows == {int(code) for code in ExitCode}


def test_the_policy_is_what_a_stack_gives_its_worker() -> None:
    """Action by action, on the same resources; the image's agents ask for more."""
    blueprint = a_blueprint()
    names = blueprint.names
    places = {
        "BUCKET": names.bucket,
        "REGION:ACCOUNT": f"{names.region}:{names.account}",
        "QUEUE": names.queue,
        "GROUP": names.group,
    }
    block = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert block is not None
    text = re.sub("|".join(places), lambda place: places[place[0]], block[1])
    shown = {
        (action, statement["Resource"])
        for statement in json.loads(text)["Statement"]
        for action in _listed(statement["Action"])
    }
    granted = {
        (action, resource)
        for grant in worker_grants(blueprint)
        for action, users in grant.uses.items()
        for resource in grant.resources
        if users not in (SSM_AGENT, CLOUDWATCH_AGENT)
    }
    assert shown == granted


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions
