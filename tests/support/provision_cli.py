"""`provision`'s commands, run in this process against a world's AWS."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from provision.cli import main
from provision.spec.stack import Stack
from support.provision_world import World
from worker.demo.embedded.server import EmbeddedAws


def run(world: World, folder: Path, *arguments: str, typed: str = "", role: str = "") -> Result:
    """Run a command with the world's stack file; `typed` is what the operator types.

    It acts as an administrator, or as the role of this ARN.
    """
    stack = world.blueprint.stack
    return run_command(world.region, stack, folder, *arguments, typed=typed, role=role)


def run_command(
    region: EmbeddedAws,
    stack: Stack,
    folder: Path,
    *arguments: str,
    typed: str = "",
    role: str = "",
) -> Result:
    """Run a command in a region, with the stack file of a stack."""
    environment = {
        **region.environment(role),
        "PROVISION_STACK": str(stack_file(stack, folder)),
        "COLUMNS": "200",
    }
    return CliRunner().invoke(main, arguments, input=typed, env=environment)


def stack_file(stack: Stack, folder: Path) -> Path:
    """Write the file of a stack: whatever is not as by default."""
    path = folder / "stack.toml"
    told = stack.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    sections = {name: each for name, each in told.items() if isinstance(each, dict)}
    lines = [f"{name} = {json.dumps(each)}" for name, each in told.items() if name not in sections]
    for section, settings in sections.items():
        pairs = [f"{json.dumps(name)} = {json.dumps(each)}" for name, each in settings.items()]
        lines += [f"[{section}]", *pairs]
    path.write_text("\n".join(lines) + "\n")
    return path
