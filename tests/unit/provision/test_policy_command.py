"""`provision policy` prints the documents, and needs no AWS where it is told the account."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provision.cli import main

ACCOUNT = "210987654321"
NOBODY: dict[str, str | None] = {
    **dict.fromkeys(["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
    **dict.fromkeys(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"], "/nowhere"),
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a stack file."""
    write(tmp_path)
    return tmp_path


def write(folder: Path, *, region: str = "us-east-2", more: str = "", prefix: str = "in/") -> None:
    """Write a stack file."""
    (folder / "stack.toml").write_text(
        f'name = "files"\nregion = "{region}"\n{more}'
        f'[pipeline]\nbucket = "acme"\nsource_prefix = "{prefix}"\n'
    )


def printed(folder: Path, *arguments: str) -> Result:
    """Run the command without credentials, and with nobody to ask."""
    stack = str(folder / "stack.toml")
    environment = {**NOBODY, "PROVISION_STACK": stack}
    return CliRunner().invoke(main, ["policy", *arguments], env=environment)


@pytest.mark.parametrize("role", ["worker", "lambda", "operator", "packer"])
def test_a_document_is_of_the_named_account_alone(folder: Path, role: str) -> None:
    """No other account's number stands in it, and no key was needed."""
    result = printed(folder, role, "--account", ACCOUNT)
    assert result.exit_code == 0, result.output
    assert f":{ACCOUNT}:" in result.stdout
    assert json.loads(result.stdout)


def test_whoever_cannot_be_asked_for_the_account_may_name_it(folder: Path) -> None:
    """No sign-in is needed to print a document."""
    result = printed(folder, "worker")
    assert result.exit_code == 1
    assert "Unable to locate credentials" in result.stderr
    assert "with --account ID nobody is asked" in result.stderr


def test_the_account_may_stand_in_the_stack_file(folder: Path) -> None:
    """As the account that the stack is for."""
    write(folder, more=f'account = "{ACCOUNT}"\n')
    assert f":{ACCOUNT}:" in printed(folder, "worker").stdout


def test_the_partition_is_the_regions(folder: Path) -> None:
    """In China and GovCloud every ARN begins otherwise."""
    write(folder, region="us-gov-west-1")
    told = printed(folder, "operator", "--account", ACCOUNT).stdout
    assert '"arn:aws-us-gov:' in told
    assert '"arn:aws:' not in told


def test_the_operators_documents_are_three_and_each_can_be_had_alone(folder: Path) -> None:
    """All of them on stdout by their names, and why there are three on stderr."""
    result = printed(folder, "operator", "--account", ACCOUNT)
    together = json.loads(result.stdout)
    assert list(together) == [
        f"files-operator-{part}" for part in ("pipeline", "services", "instances")
    ]
    assert "3 documents, for a managed policy holds 6,144 characters" in result.stderr
    alone = printed(folder, "operator", "--account", ACCOUNT, "--part", "services")
    assert json.loads(alone.stdout) == together["files-operator-services"]
    assert alone.stderr == ""


def test_documents_that_no_managed_policy_could_hold_are_not_printed(folder: Path) -> None:
    """A prefix may have 512 bytes, and stands in a document several times, each letter escaped."""
    write(folder, prefix=f"{'ü' * 250}/", more="")
    text = (folder / "stack.toml").read_text()
    (folder / "stack.toml").write_text(f'{text}destination_prefix = "{"é" * 250}/"\n')
    result = printed(folder, "operator", "--account", ACCOUNT)
    assert result.exit_code == 1
    assert "a managed policy 6144" in result.stderr
    assert "shorten the prefixes" in result.stderr


def test_a_part_is_the_operators_alone(folder: Path) -> None:
    """Other documents have none."""
    assert printed(folder, "worker", "--part", "services", "--account", ACCOUNT).exit_code == 2


def test_without_an_account_and_credentials_it_says_what_is_missing(folder: Path) -> None:
    """Never a traceback."""
    result = printed(folder, "worker")
    assert result.exit_code == 1
    assert "AWS" in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)
