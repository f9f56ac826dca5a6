"""`worker`: the command line. Each command stands in its own file under worker/commands/."""

import click

from worker.commands.check import check
from worker.commands.demo import demo
from worker.commands.explain import explain
from worker.commands.give_up import give_up
from worker.commands.run import run
from worker.commands.sweep import sweep


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="s3-event-worker")
def main() -> None:
    """Move every file that lands in s3://BUCKET/uploads/ to processed/, and lose none.

    All settings come from the environment (QUEUE_URL, BUCKET, REGION, ...) or from the TOML file
    that SETTINGS_FILE names; the environment wins.

    \b
    Examples:
      worker check                  is everything there that the worker needs?
      worker run                    move files until told to stop
      worker explain message.json   what would this message do, and why?
      worker sweep --move           move what no event told of
      worker demo                   see it all work on an AWS inside this machine
    """


for command in (run, check, explain, sweep, demo, give_up):
    main.add_command(command)
