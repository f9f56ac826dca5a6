"""`provision`: the command line. Each command stands in its own file under provision/commands/."""

import click

from provision.commands.ami import ami
from provision.commands.apply import apply
from provision.commands.cutover import cutover
from provision.commands.destroy import destroy
from provision.commands.dlq import dlq
from provision.commands.init import init
from provision.commands.plan import plan
from provision.commands.policy import policy
from provision.commands.rollout import rollback, rollout
from provision.commands.status import status
from provision.commands.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="s3-event-worker")
def main() -> None:
    """Stand up, watch, change and take down the whole system, from one stack file.

    Credentials and endpoints are the standard ones (AWS_PROFILE, AWS_ENDPOINT_URL, ...). Nothing is
    touched that does not carry the stack's tag.

    \b
    Examples:
      provision init                      write stack.toml, every setting explained
      provision plan                      what would change, property by property
      provision apply                     make it so; running it again resumes
      provision verify                    is it so, and does a file arrive?
      provision status --watch            who consumes, what waits, what is wrong
      provision rollout                   the newest AMI on every instance, watched
      provision rollback                  and back again
      provision cutover lambda            the function takes over, without a gap
      provision ami list                  the images, and who uses them
      provision dlq list                  what was set aside, and why
      provision policy operator           what whoever runs all this must be allowed
      provision destroy                   take it away; the bucket and its files stay
    """


COMMANDS = (
    init,
    plan,
    apply,
    verify,
    status,
    rollout,
    rollback,
    cutover,
    ami,
    dlq,
    policy,
    destroy,
)

for command in COMMANDS:
    main.add_command(command)
