"""`worker explain`: says what a message would do, and why."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TextIO

import click

from worker import cli_settings
from worker.aws.clients import Clients
from worker.aws.s3 import BotoS3
from worker.commands.output import complain, print_json, reports_errors, say
from worker.core.drive import drive
from worker.errors import ExitCode
from worker.operator.explain import Explanation, explain_live
from worker.operator.explain import explain as explain_text
from worker.operator.explain_text import as_json, as_lines
from worker.settings import Settings

EXAMPLES = """\b
Examples:
  worker explain message.json
  aws sqs receive-message --queue-url "$DLQ_URL" | worker explain -
  worker explain --live --json message.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"))
@click.option("--live", is_flag=True, help="Look at S3 (HeadObject only) for what is there now.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
@reports_errors
def explain(file: TextIO, *, live: bool, wants_json: bool) -> None:
    """Say what the worker would do with a message, entry by entry.

    FILE (- for stdin) holds an SQS message body, or what `aws sqs receive-message` prints, or the
    event of a Lambda function. Without --live there is no call to AWS; nothing is ever written.

    Exit status: 0 explained; 2 settings that cannot work, or nothing to explain.
    """
    settings = cli_settings.load(needs_queue=False)
    text = file.read()
    if not text.strip():
        complain("nothing to explain; `aws sqs receive-message` prints nothing without messages")
        say("another try: worker explain FILE, with the message's body in the file")
        sys.exit(ExitCode.SETTINGS)
    explanations = explain_text(text, settings.rules)
    if live:
        explanations = _look(explanations, settings)
    if wants_json:
        print_json(as_json(explanations, settings.rules))
        return
    for line in as_lines(explanations, settings.rules):
        click.echo(line)
    if not live:
        say("--live looks at what is in S3 now")


def _look(explanations: Sequence[Explanation], settings: Settings) -> list[Explanation]:
    with closing(Clients(settings.region).s3(1)) as client, ThreadPoolExecutor(1) as pool:
        s3 = BotoS3(client, pool, time.sleep)
        return drive(explain_live(explanations, settings.rules), s3)
