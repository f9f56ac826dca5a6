"""The steps of a bake: shell scripts that are checked, say what is wrong, and remove enough."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "packer" / "scripts"
STEPS = ("system", "worker", "validate", "clean")
BASH = "/bin/bash"

UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n'
DEBIAN = 'ID=debian\nVERSION_ID="12"\n'
AMAZON = 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n'


def bash(script: Path | str, os_release: Path, **variables: str) -> tuple[int, str]:
    """Run a script, or a line that may use the library; returns its status and all it said."""
    line = ["-c", script] if isinstance(script, str) else [str(script)]
    done = subprocess.run(
        [BASH, *line],
        env={"PATH": os.environ["PATH"], "OS_RELEASE": str(os_release)} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def ubuntu(tmp_path: Path) -> Path:
    """Be on Ubuntu."""
    path = tmp_path / "os-release"
    path.write_text(UBUNTU, encoding="utf-8")
    return path


def test_shellcheck_has_nothing_to_say() -> None:
    """Of the steps and their library, of the units, and of what runs all checks."""
    program = Path(sys.executable).with_name("shellcheck")
    scripts = [
        *sorted(SCRIPTS.glob("*.sh")),
        *sorted((ROOT / "systemd").glob("*.sh")),
        *sorted((ROOT / ".ci").iterdir()),
    ]
    done = subprocess.run(
        [program, "-x", *map(str, scripts)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
    )
    assert len(scripts) == len(STEPS) + 5
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_ends_at_its_first_error_and_says_what_it_is(step: str) -> None:
    """Strict from its first line on, a sentence above that, and the shared trap."""
    text = (SCRIPTS / f"{step}.sh").read_text(encoding="utf-8")
    purpose, strict, _ = text.partition("\nset -euo pipefail\n")
    assert re.fullmatch(r"#!/usr/bin/env bash\n# .*", purpose)
    assert strict
    assert '\n. "$(dirname "$0")/lib.sh"\n' in text


def test_the_template_runs_every_step_and_cleans_last() -> None:
    """In the order of this file."""
    template = (ROOT / "packer" / "worker.pkr.hcl").read_text(encoding="utf-8")
    (listed,) = re.findall(r"for step in \[(.*?)\]", template)
    assert re.findall(r'"(\w+)"', listed) == list(STEPS[:-1])
    assert template.index("for step in") < template.index("image.json") < template.index("clean.sh")


@pytest.mark.parametrize(
    ("step", "missing"),
    [("system", "ONLINE"), ("worker", "OFFLINE_WHEELS"), ("validate", "GIT_REVISION")],
)
def test_a_step_that_is_not_told_enough_names_what_is_missing(
    ubuntu: Path, step: str, missing: str
) -> None:
    """Before it does anything."""
    status, said = bash(SCRIPTS / f"{step}.sh", ubuntu)
    assert (status, said) == (
        1,
        f"[{step}] FAILED: {missing} is not set; the template gives it\n",
    )


def test_without_the_projects_wheel_nothing_is_installed(ubuntu: Path) -> None:
    """The version that was asked for is named."""
    status, said = bash(
        SCRIPTS / "worker.sh", ubuntu, OFFLINE_WHEELS="true", WORKER_VERSION="9.9.9"
    )
    assert (status, said) == (
        1,
        "[worker] FAILED: no wheel of s3-event-worker 9.9.9 was uploaded\n",
    )


@pytest.mark.parametrize(
    ("os_release", "family"),
    [(UBUNTU, "debian"), (DEBIAN, "debian"), (AMAZON, "amazon")],
    ids=["ubuntu", "debian", "amazon"],
)
def test_the_distributions_family_is_known(tmp_path: Path, os_release: str, family: str) -> None:
    """By its own file."""
    path = tmp_path / "os-release"
    path.write_text(os_release, encoding="utf-8")
    assert bash(f". {SCRIPTS}/lib.sh; echo $FAMILY", path) == (0, f"{family}\n")


@pytest.mark.parametrize(
    "os_release",
    ['ID="fedora"\nVERSION_ID="43"\n', 'ID="amzn"\nVERSION_ID="2"\n', 'ID="arch"\n'],
    ids=["fedora", "amazon-linux-2", "arch"],
)
def test_another_distribution_is_refused(tmp_path: Path, os_release: str) -> None:
    """Amazon Linux 2, too: its Python is too old."""
    path = tmp_path / "os-release"
    path.write_text(os_release, encoding="utf-8")
    status, said = bash(f". {SCRIPTS}/lib.sh", path)
    assert status == 1
    assert "this distribution is not known; Ubuntu, Debian and Amazon Linux 2023 are" in said


def test_a_command_that_fails_inside_a_function_is_named_with_its_line(ubuntu: Path) -> None:
    """The trap is inherited, and the step's status is not 0."""
    status, said = bash(
        f"set -euo pipefail; . {SCRIPTS}/lib.sh; f() {{ false; echo no; }}; f", ubuntu
    )
    assert status == 1
    assert said.endswith("FAILED: line 1: false (exit status 1)\n")


# --- what is removed ------------------------------------------------------------------------------


def gone(ubuntu: Path) -> list[str]:
    """Read the list of what no image may hold."""
    status, said = bash(f'. {SCRIPTS}/gone.sh; printf "%s\\n" "${{GONE[@]}}"', ubuntu)
    assert status == 0
    return said.splitlines()


def test_what_is_removed_is_looked_for_again_by_the_same_list(ubuntu: Path) -> None:
    """One list, read twice by the step that cleans, and by nothing else."""
    clean = (SCRIPTS / "clean.sh").read_text(encoding="utf-8")
    assert clean.count('"${GONE[@]}"') == 2
    assert len(gone(ubuntu)) == len(set(gone(ubuntu))) > 25


def test_nothing_is_removed_that_an_image_needs(ubuntu: Path) -> None:
    """Whole paths, two folders deep at least unless it is a temporary folder; no ..; no spaces."""
    for pattern in gone(ubuntu):
        assert re.fullmatch(r"/[\w*./-]+", pattern), pattern
        assert ".." not in pattern.split("/")
        folders = pattern.split("/")[1:-1]
        assert folders, pattern
        assert "*" not in folders[0]
        assert not pattern.startswith(("/usr", "/opt", "/bin", "/boot", "/lib"))


@pytest.mark.parametrize(
    "secret",
    [
        "/root/.ssh/*",
        "/home/*/.ssh/*",
        "/etc/ssh/ssh_host_*",
        "/root/.aws",
        "/home/*/.aws",
        "/root/.*_history",
        "/var/lib/cloud/*",
        "/var/lib/systemd/random-seed",
        "/root/.cache",
    ],
)
def test_rule_41_keys_credentials_histories_and_the_first_boots_traces_go(
    ubuntu: Path, secret: str
) -> None:
    """An image with /var/lib/cloud in it would skip its first boot."""
    assert secret in gone(ubuntu)


def test_every_unit_is_installed_and_looked_over_and_those_that_boot_are_enabled() -> None:
    """A unit that lies in systemd/ and is forgotten here would be missing in every image."""
    worker = (SCRIPTS / "worker.sh").read_text(encoding="utf-8")
    validate = (SCRIPTS / "validate.sh").read_text(encoding="utf-8")
    names = (SCRIPTS / "lib.sh").read_text(encoding="utf-8")
    units = sorted((ROOT / "systemd").glob("*.service"))
    variables = {
        name: unit for unit, name in re.findall(r"^  (\w*UNIT)=(.*)$", names, re.MULTILINE)
    }
    assert sorted(variables) == [unit.name for unit in units]
    for unit in units:
        variable = f'"${variables[unit.name]}"'
        boots = "[Install]" in unit.read_text(encoding="utf-8")
        assert variable in re.findall(r"for unit in (.*); do", worker)[0].split()
        assert variable in re.findall(r"verify [^{]*\{(.*?)\}", validate)[0].split(",")
        assert (variable in re.findall(r"systemctl -q enable (.*)", worker)[0].split()) == boots
