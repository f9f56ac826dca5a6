"""The settings file that systemd is given: every setting, each with its true default."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from worker.host.lifecycle import DEFAULT_HOOK_NAME
from worker.settings import read_settings

SYSTEMD = Path(__file__).parents[2] / "systemd"
ENVIRONMENT = SYSTEMD / "worker.env"
NEEDED = {
    "QUEUE_URL": "https://sqs.us-east-2.amazonaws.com/123456789012/uploads",
    "BUCKET": "some-bucket",
}

BOTOCORES = {"AWS_REGION", "AWS_DEFAULT_REGION"}
"""Asked for, but named by AWS: the file speaks of them in words."""

FROM_ELSEWHERE = {"SETTINGS_FILE"}
"""Read by the commands themselves, before the settings."""


def offered() -> dict[str, str]:
    """Read the settings that the environment file offers, each with its default."""
    lines = re.findall(r"^#([A-Z_]+)=(.*)$", ENVIRONMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(lines)


class Listening(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def test_the_environment_file_offers_every_setting_that_is_read() -> None:
    """No more and no fewer names than the worker asks for."""
    environment = Listening(NEEDED)
    read_settings(environment)
    assert environment.asked - BOTOCORES == set(offered()) - FROM_ELSEWHERE


def test_the_environment_file_tells_the_true_defaults() -> None:
    """With every line in force, nothing is changed."""
    everything = {name: value for name, value in offered().items() if value} | NEEDED
    assert read_settings(everything) == read_settings(NEEDED)
    assert offered()["LIFECYCLE_HOOK"] == DEFAULT_HOOK_NAME


def test_the_environment_file_sets_nothing_by_itself_and_explains_each_line() -> None:
    """As installed it is all comment; each setting has words above it."""
    lines = ENVIRONMENT.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    unexplained = [
        line
        for before, line in pairwise(lines)
        if re.match(r"#[A-Z_]+=", line) and not before.startswith("# ")
    ]
    assert unexplained == []
