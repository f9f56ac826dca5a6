"""`provision`'s commands, run in this process against a world's AWS."""

from pathlib import Path

from click.testing import CliRunner, Result

from provision.cli import main
from support.provision_world import World


def run(world: World, folder: Path, *arguments: str, typed: str = "") -> Result:
    """Run a command with the world's stack file; `typed` is what the operator types."""
    environment = {
        **world.region.environment(),
        "PROVISION_STACK": str(stack_file(world, folder)),
        "COLUMNS": "200",
    }
    return CliRunner().invoke(main, arguments, input=typed, env=environment)


def stack_file(world: World, folder: Path) -> Path:
    """Write the stack file of a world whose settings are the defaults."""
    stack = world.blueprint.stack
    path = folder / "stack.toml"
    path.write_text(
        f'name = "{stack.name}"\nregion = "{stack.region}"\n'
        f'[pipeline]\nbucket = "{stack.pipeline.bucket}"\n'
    )
    return path
