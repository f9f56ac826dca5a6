"""A bake from the command line: what Packer is told, what is shown, and how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support import fake_packer
from support.provision_cli import run, stack_file
from support.provision_world import World

from provision.core.resource import OWNER_TAG
from provision.errors import ProvisionError
from provision.packer import build_wheel, git_revision

ROOT = Path(__file__).parents[3]
PACKER = str(Path(fake_packer.__file__))
GIT = shutil.which("git")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Give a wheel, as far as anybody here looks."""
    path = tmp_path / "s3_event_worker-0.1.0-py3-none-any.whl"
    path.touch()
    return path


class Baking:
    """Runs `provision ami bake` as a program, with a Packer that plays a part."""

    def __init__(self, world: World, folder: Path, wheel: Path) -> None:
        self._world = world
        self._folder = folder
        self._wheel = wheel

    def start(self, play: str, *more: str) -> subprocess.Popen[str]:
        """Start a bake."""
        command = [sys.executable, "-m", "provision", "ami", "bake", "--packer", PACKER]
        given = ["--wheel", str(self._wheel), "--git-revision", "638bdda"]
        return subprocess.Popen(
            [*command, *given, *more],
            env={
                **os.environ,
                **self._world.region.environment(),
                "PROVISION_STACK": str(stack_file(self._world.blueprint.stack, self._folder)),
                "PLAY": play,
                "TOLD": str(self._folder / "told.json"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, play: str, *more: str) -> tuple[int, str, str]:
        """Run a bake to its end; return exit status, stdout, stderr."""
        with self.start(play, *more) as process:
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err

    @property
    def told(self) -> Mapping[str, Any]:
        """What Packer was told."""
        found: Mapping[str, Any] = json.loads((self._folder / "told.json").read_text())
        return found

    @property
    def cleared_up(self) -> bool:
        """Whether Packer came to the end of its clearing up."""
        return (self._folder / "told.cleared").exists()


@pytest.fixture
def baking(world: World, tmp_path: Path, wheel: Path) -> Baking:
    """Give bakes for a stack."""
    return Baking(world, tmp_path, wheel)


def test_a_bake_is_shown_step_by_step_and_its_image_told(
    world: World, baking: Baking, wheel: Path
) -> None:
    """With the stack's tag, region and architecture, from the template's own folder."""
    endpoint = world.region.endpoint_url
    status, out, err = baking.finish(
        "well", "--json", "--var", "os=ubuntu-24.04", "--endpoint-url", endpoint
    )
    assert status == 0, err
    assert json.loads(out)["ami"] == "ami-88aecf1bcc5d58d0e"
    assert "[validate] ok      worker check --offline, in the service's sandbox" in err
    told = baking.told
    assert told["words"][:3] == ["build", "-machine-readable", "-color=false"]
    assert told["cwd"] == str(ROOT / "packer")
    assert json.loads(told["tags"]) == {OWNER_TAG: world.stack}
    assert (told["region"], told["arch"]) == ("us-east-2", "x86_64")
    assert (told["wheel"], told["git_revision"]) == (str(wheel), "638bdda")
    assert (told["ec2_endpoint"], told["os"]) == (endpoint, "ubuntu-24.04")


def test_a_step_that_fails_ends_the_bake_in_its_own_words(baking: Baking) -> None:
    """Nothing is left of it, so exit status 1."""
    status, _, err = baking.finish("fail")
    assert status == 1
    assert "the bake failed: validate: the service is not active" in err
    assert "README.md tells of each step" in err


def test_a_packer_that_was_killed_may_have_left_something(baking: Baking) -> None:
    """Exit status 3, and how to find it."""
    status, _, err = baking.finish("killed")
    assert status == 3
    assert "Name=s3-event-worker-bake" in err


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 3])
def test_packer_takes_away_what_it_made_before_an_interrupted_bake_ends(
    baking: Baking, signals: list[signal.Signals]
) -> None:
    """Ctrl-C, however often, and a CI job's end: it is asked once, and waited for."""
    with baking.start("hang") as process:
        assert process.stderr is not None
        assert any("hanging" in line for line in process.stderr)
        process.send_signal(signals[0])
        assert any("Cancelling build" in line for line in process.stderr)
        for each in signals[1:]:
            process.send_signal(each)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Packer has taken away what it made" in err
    assert baking.cleared_up


def test_without_packer_it_says_what_to_install(world: World, tmp_path: Path) -> None:
    """Or which other way there is."""
    result = run(world, tmp_path, "ami", "bake", "--packer", "packer-of-nobody")
    assert result.exit_code == 1
    assert "there is no packer-of-nobody" in result.stderr
    assert "provision ami from-instance" in result.stderr


def test_away_from_the_source_tree_it_says_what_is_missing(world: World, tmp_path: Path) -> None:
    """An installation holds neither template nor sources."""
    result = run(world, tmp_path, "ami", "bake", "--packer", PACKER, "--source", str(tmp_path))
    assert result.exit_code == 1
    assert "there is no packer/worker.pkr.hcl" in result.stderr
    assert "clone the repository, and give --source" in result.stderr


@pytest.mark.parametrize("variable", ["os", "=x", "tags={}", "wheel=x"])
def test_variables_are_pairs_and_those_of_the_stack_are_the_stacks(
    world: World, tmp_path: Path, variable: str
) -> None:
    """Without the stack's tag nobody would find the image."""
    result = run(world, tmp_path, "ami", "bake", "--packer", PACKER, "--var", variable)
    assert result.exit_code == 2
    assert "--var" in result.stderr


def test_what_cannot_be_built_or_told_is_asked_for(tmp_path: Path) -> None:
    """A folder that is no project, and no Git repository."""
    with pytest.raises(ProvisionError, match="pip wheel") as caught:
        build_wheel(tmp_path, tmp_path, sys.executable)
    assert "--wheel" in caught.value.hint
    with pytest.raises(ProvisionError, match="git") as caught:
        git_revision(tmp_path)
    assert caught.value.hint == "give it with --git-revision"
    with pytest.raises(ProvisionError, match="does not run"):
        build_wheel(tmp_path, tmp_path, str(tmp_path / "python"))


@pytest.mark.skipif(GIT is None, reason="needs Git")
def test_a_revision_tells_of_changes(tmp_path: Path) -> None:
    """A wheel of changed files is not what its revision says."""

    def git(*words: str) -> None:
        name = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run(
            [str(GIT), "-C", str(tmp_path), *name, *words], check=True, capture_output=True
        )

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "nothing")
    clean = git_revision(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").touch()
    assert git_revision(tmp_path) == f"{clean}-dirty"
