"""What Packer itself says of the template. Needs the program, and no AWS."""

import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from support.packer_template import TEMPLATE, Packer

pytestmark = pytest.mark.packer

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Validate:
    """`packer validate` with everything that is needed, and what a test adds."""

    def __init__(self, packer: Packer, template: Path, wheel: Path) -> None:
        self._packer, self._template = packer, template
        self._needed = {"wheel": str(wheel), "git_revision": REVISION, "region": "us-east-2"}

    def __call__(self, **variables: str) -> CompletedProcess[str]:
        """Run it; a variable given as None is left out."""
        given = self._needed | variables
        options = [f"-var={name}={value}" for name, value in given.items()]
        return self._packer.run("validate", *options, ".", cwd=self._template)


@pytest.fixture
def validate(packer: Packer, template: Path, wheel: Path) -> Validate:
    """Validate the template."""
    return Validate(packer, template, wheel)


def test_the_template_is_laid_out_as_packer_would(packer: Packer) -> None:
    """`packer fmt -check` has nothing to change in any of its files."""
    done = packer.run("fmt", "-check", "-diff", ".", cwd=TEMPLATE)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
@pytest.mark.parametrize("system", ["ubuntu-24.04", "amazon-linux-2023"])
@pytest.mark.parametrize("interface", ["session_manager", "public_ip", "private_ip"])
def test_every_image_can_be_baked_over_every_connection(
    validate: Validate, system: str, arch: str, interface: str
) -> None:
    """Packer accepts the whole configuration."""
    done = validate(os=system, arch=arch, ssh_interface=interface)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_source_a_network_and_wheels_of_ones_own_are_accepted(
    validate: Validate, wheel: Path
) -> None:
    """What a bake without the internet gives."""
    done = validate(
        source_ami="ami-0123456789abcdef0",
        subnet_id="subnet-0123456789abcdef0",
        ssh_interface="private_ip",
        source_cidrs='["10.0.0.0/16"]',
        ssh_username="admin",
        wheelhouse=str(wheel.parent),
        online="false",
        ec2_endpoint="http://127.0.0.1:5000",
        kms_key_id="alias/images",
        iam_instance_profile="baker",
        tags='{"Stack":"uploads"}',
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("os", "windows", "The os is ubuntu-24.04 or amazon-linux-2023."),
        ("arch", "amd64", "The arch is x86_64 or arm64."),
        ("wheel", "", "`make wheel` builds it into dist/"),
        ("wheel", "dist/other-1.0-py3-none-any.whl", "`make wheel` builds it into dist/"),
        ("wheel", "no/s3_event_worker-0.1.0-py3-none-any.whl", "no such file or directory"),
        ("wheelhouse", "no/such/folder", "`make wheelhouse` fills"),
        ("git_revision", "", "`git rev-parse HEAD`"),
        ("git_revision", "main", "`git rev-parse HEAD`"),
        ("source_ami", "ubuntu", "such as ami-0123456789abcdef0"),
        ("ami_name", "a:b", "3 to 128 letters"),
        ("ami_name", "ab", "3 to 128 letters"),
        ("volume_size", "7", "8 to 16384 GiB"),
        ("deprecate_after_days", "-1", "0 to 3650"),
        ("deprecate_after_days", "3651", "0 to 3650"),
        ("ssh_interface", "telnet", "session_manager, public_ip or private_ip"),
        ("source_cidrs", '["0.0.0.0/0"]', "may not hold the whole internet"),
        ("source_cidrs", '["10.0.0.0/8","::/0"]', "may not hold the whole internet"),
        ("source_cidrs", '["0.0.0.0/1","128.0.0.0/1"]', "may not hold the whole internet"),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_should_be(
    validate: Validate, name: str, value: str, told: str
) -> None:
    """Before anything is started."""
    done = validate(**{name: value})
    said = re.sub(r"[\s│]+", " ", done.stdout + done.stderr)
    assert done.returncode == 1
    assert told in said
