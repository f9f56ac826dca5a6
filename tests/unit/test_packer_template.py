"""The template's promises that need no Packer to be read, and its copy for an older one."""

import re
from pathlib import Path

import pytest
from support.packer_template import (
    MAIN,
    NEWER_ARGUMENTS,
    NEWER_BLOCKS,
    TEMPLATE,
    copy_for_older,
    without_newer,
)

TEXT = (TEMPLATE / MAIN).read_text(encoding="utf-8")
VARIABLES = (TEMPLATE / "variables.pkr.hcl").read_text(encoding="utf-8")


def argument(name: str) -> str:
    """Return what an argument is set to, where it stands once."""
    (value,) = re.findall(rf"^ *{name} += (.*)$", TEXT, re.MULTILINE)
    return str(value)


def test_the_plugin_is_pinned_to_one_version() -> None:
    """Another one bakes on purpose only."""
    (version,) = re.findall(r'source  = "github.com/hashicorp/amazon"\n +version = "(.*)"', TEXT)
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_a_source_image_is_its_publishers() -> None:
    """Canonical's and Amazon's account numbers, never a name alone."""
    assert argument("owners") == "[local.owner]"
    assert argument("owner") == 'local.is_ubuntu ? "099720109477" : "137112412989"'


def test_rule_44_the_image_and_the_builder_want_tokens_of_the_metadata_service() -> None:
    """And the builder keeps them to itself: one hop."""
    assert argument("imds_support") == '"v2.0"'
    assert argument("http_tokens") == '"required"'
    assert argument("http_put_response_hop_limit") == "1"


def test_rule_42_the_root_volume_is_the_one_that_the_source_image_has() -> None:
    """Under another name it would be a second, empty one; encrypted, gp3, gone with the builder."""
    assert argument("device_name") == 'local.is_ubuntu ? "/dev/sda1" : "/dev/xvda"'
    assert argument("volume_type") == '"gp3"'
    assert argument("encrypted") == "true"
    assert argument("delete_on_termination") == "true"


def test_an_image_is_deprecated_by_itself_unless_the_days_are_none() -> None:
    """180 days by default; 0 leaves the date out."""
    assert argument("deprecate_at") == (
        'var.deprecate_after_days == 0 ? "" :'
        ' timeadd(timestamp(), "${var.deprecate_after_days * 24}h")'
    )


def test_nobody_but_the_caller_can_reach_the_builder() -> None:
    """Without Session Manager and addresses of ones own, this machine's is the only one."""
    assert argument("temporary_security_group_source_cidrs") == "var.source_cidrs"
    assert argument("temporary_security_group_source_public_ip") == (
        'var.ssh_interface != "session_manager" && length(var.source_cidrs) == 0'
    )
    assert "0.0.0.0/0" not in TEXT + VARIABLES
    assert argument("shutdown_behavior") == '"terminate"'


def test_every_variable_says_what_it_is_for_and_is_used() -> None:
    """No more are offered than do something."""
    offered = re.findall(r'^variable "(\w+)" \{', VARIABLES, re.MULTILINE)
    assert len(offered) == VARIABLES.count("\n  description = ")
    assert {name for name in offered if f"var.{name}" not in TEXT} == set()
    assert set(re.findall(r"var\.(\w+)", TEXT)) == set(offered)


def test_the_readme_explains_every_variable() -> None:
    """In its table."""
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    offered = re.findall(r'^variable "(\w+)" \{', VARIABLES, re.MULTILINE)
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == offered


# --- the copy for an older Packer -----------------------------------------------------------------


@pytest.mark.parametrize("name", [*NEWER_BLOCKS, *NEWER_ARGUMENTS])
def test_what_is_newer_is_in_the_template_and_not_in_the_copy(name: str) -> None:
    """The list holds nothing that the template does not."""
    word = re.compile(rf"^ *{name}\b", re.MULTILINE)
    assert word.search(TEXT)
    assert not word.search(without_newer(TEXT))


def test_the_copy_lacks_nothing_else() -> None:
    """Every other line stands, in its order."""
    kept = without_newer(TEXT).splitlines()
    lines = iter(TEXT.splitlines())
    assert all(line in lines for line in kept)
    assert len(kept) == len(TEXT.splitlines()) - len(NEWER_ARGUMENTS) - 6 - 5


def test_the_copy_has_all_that_the_template_uploads(tmp_path: Path) -> None:
    """Scripts, files, lock and units are where its paths point."""
    copy = copy_for_older(tmp_path)
    uploads = re.findall(r'"\$\{path\.root\}/([\w./]+)"', TEXT)
    assert len(uploads) == 4
    assert [name for name in uploads if not (copy / name).exists()] == []
