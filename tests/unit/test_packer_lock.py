"""The image's dependencies: all of pyproject's, locked with hashes, and compared in the image."""

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "packer" / "requirements.lock"
INVENTORY = ROOT / "packer" / "files" / "inventory.py"

names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
versions = st.from_regex(r"[0-9]\.[0-9]", fullmatch=True)


def load_inventory() -> ModuleType:
    """Import the script that runs in the image, which is in no package."""
    spec = importlib.util.spec_from_file_location("inventory", INVENTORY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


inventory = load_inventory()


def needed() -> list[Requirement]:
    """Read what the worker needs, and the fast path if there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    fast = project["optional-dependencies"].get("fast", [])
    return [Requirement(each) for each in [*project["dependencies"], *fast]]


def test_the_lock_holds_every_dependency_in_a_version_that_pyproject_allows() -> None:
    """`make lock` writes it anew."""
    pins = inventory.pins(LOCK.read_text(encoding="utf-8"))
    for requirement in needed():
        version, _ = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: {version}; run `make lock`"


def test_every_pin_has_its_hashes_and_nothing_names_an_index() -> None:
    """What pip's --require-hashes wants; where from is the operator's business."""
    text = LOCK.read_text(encoding="utf-8")
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(inventory.pins(text)) >= len(needed())
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


# --- compared in the image ------------------------------------------------------------------------


@given(st.dictionaries(names, versions))
def test_an_image_with_exactly_the_locked_packages_is_right(packages: dict[str, str]) -> None:
    """And our own wheel beside them."""
    locked = inventory.pins(
        "".join(f"{name}=={of} \\\n    --hash=sha256:0\n" for name, of in packages.items())
    )
    assert locked == {name: (of, False) for name, of in packages.items()}
    found = packages | {"s3-event-worker": "0.1.0", "pip": "25.0"}
    assert inventory.differences(locked, found) == []


@given(st.dictionaries(names, versions, min_size=1), st.data())
def test_a_missing_another_and_an_unknown_package_are_each_named(
    packages: dict[str, str], data: st.DataObject
) -> None:
    """By a sentence of its own."""
    locked = {name: (version, False) for name, version in packages.items()}
    name = data.draw(st.sampled_from(sorted(packages)))
    without = {other: version for other, version in packages.items() if other != name}
    (missing,) = inventory.differences(locked, without)
    assert missing == f"{name}: nothing is installed, the lock says {packages[name]}"
    (another,) = inventory.differences(locked, packages | {name: "99"})
    assert another == f"{name}: 99 is installed, the lock says {packages[name]}"
    (unknown,) = inventory.differences(locked, packages | {"stowaway-package": "1"})
    assert unknown == "stowaway-package: installed, but not locked"


def test_a_package_for_some_platforms_may_be_missing_but_not_in_another_version() -> None:
    """A lock is for all of them at once."""
    locked = inventory.pins('colorama==0.4.6 ; sys_platform == "win32" \\\n')
    assert locked == {"colorama": ("0.4.6", True)}
    assert inventory.differences(locked, {}) == []
    assert inventory.differences(locked, {"colorama": "0.4.5"}) != []


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script as the image does."""
    return subprocess.run(
        [sys.executable, str(INVENTORY), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_inventory_tells_machine_python_and_every_package(tmp_path: Path) -> None:
    """With what the bake adds, sorted, as JSON."""
    lock, target = tmp_path / "lock", tmp_path / "image.json"
    here = {canonicalize_name(each.name): each.version for each in distributions()}
    lock.write_text("".join(f"{name}=={of}\n" for name, of in here.items()), encoding="utf-8")
    done = run(lock, target, "git_revision=0123abc", "source_ami=ami-12345678")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(target.read_text(encoding="utf-8"))
    assert document["packages"] == here
    assert document["git_revision"] == "0123abc"
    assert document["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(document) == {
        *("architecture", "git_revision", "kernel", "os", "packages", "python", "source_ami"),
    }


def test_the_kernel_is_the_newest_that_is_installed(tmp_path: Path) -> None:
    """The builder still runs the one before; without any, as in a container, it is the running."""
    assert inventory.kernel(tmp_path) == platform.release()
    for seconds, release in enumerate(("6.8.0-2", "6.8.0-10", "6.8.0-9")):
        order = tmp_path / release / "modules.order"
        order.parent.mkdir()
        order.touch()
        os.utime(order, (seconds, seconds))
    assert inventory.kernel(tmp_path) == "6.8.0-9"


def test_an_image_unlike_the_lock_writes_no_inventory(tmp_path: Path) -> None:
    """Status 1, and each difference on a line."""
    target = tmp_path / "image.json"
    done = run(LOCK, target)
    assert done.returncode == 1
    assert "pytest: installed, but not locked" in done.stderr.splitlines()
    assert not target.exists()


@pytest.mark.parametrize("name", ["CapitalLetters", "under_score", "dots.in-it"])
def test_names_are_compared_as_the_index_does(name: str) -> None:
    """PEP 503."""
    assert inventory.normal(name) == canonicalize_name(name)
