"""What an operator may type wrong, before AWS is asked at all: told, and no traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from provision.cli import main

INIT = ("init", "--name", "files", "--region", "us-east-2", "--bucket", "acme-files")


def test_a_stack_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder that is not there is no bug of ours."""
    path = str(tmp_path / "nowhere" / "stack.toml")
    ended = CliRunner().invoke(main, [*INIT, "--stack", path])
    assert ended.exit_code == 1
    assert f"{path} cannot be written: No such file or directory" in ended.output


def test_the_environment_names_the_stack_file_for_every_command(tmp_path: Path) -> None:
    """What `init` writes is what the next command reads."""
    path = tmp_path / "mine.toml"
    given = {"PROVISION_STACK": str(path)}
    assert CliRunner().invoke(main, INIT, env=given).exit_code == 0
    told = CliRunner().invoke(main, ["policy", "worker", "--account", "123456789012"], env=given)
    assert path.exists()
    assert "arn:aws:s3:::acme-files" in told.stdout


@pytest.mark.parametrize("given", [("--endpoint-url", "foo"), ()])
def test_an_endpoint_that_is_no_url_is_named(tmp_path: Path, given: tuple[str, ...]) -> None:
    """On the command line, or in the environment."""
    path = str(tmp_path / "stack.toml")
    CliRunner().invoke(main, [*INIT, "--stack", path])
    ended = CliRunner().invoke(
        main, ["plan", "--stack", path, *given], env={"AWS_ENDPOINT_URL": "foo"}
    )
    assert ended.exit_code == 1
    assert "Invalid endpoint: foo" in ended.output
    assert "AWS_ENDPOINT_URL" in ended.output
