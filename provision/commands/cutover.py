"""`provision cutover`: from the instances to the function, or back, without a gap."""

import time
from dataclasses import replace

import click

from provision.aws.cutover_hands import CutoverHands
from provision.aws.stack_facts import Observer
from provision.canary import Canaries
from provision.commands.context import Context, with_stack
from provision.commands.output import print_json, say
from provision.commands.plan import introduce
from provision.commands.stops import begun
from provision.core.cutover import Cutover
from provision.cutover import CuttingOver, again
from provision.errors import RefusedError
from provision.ownership import CONSUMERS, WAY, must_be_ours
from provision.screen.status_view import status_document
from provision.spec.blueprint import Blueprint, Consumer
from provision.verify import canary_route

EXAMPLES = """\b
Examples:
  provision cutover lambda     the function takes over; the instances drain and go
  provision cutover ec2        the instances take over; the function rests
"""


@click.command(epilog=EXAMPLES)
@click.argument("consumer", type=click.Choice([each.value for each in Consumer]))
@with_stack
def cutover(context: Context, *, consumer: str) -> None:
    """Let the function or the instances consume, without a gap and without a second consumer left.

    The incoming one is turned on and proven by canaries while the outgoing one still works; then
    the outgoing one is drained, and a last canary goes from end to end. Should that fail, the
    outgoing one is brought back. Cut off anywhere, the same command goes on.

    Exit status: 0 done, 1 it could not begin, 3 it stopped half-way, and leaves no gap.
    """
    blueprint = context.blueprint()
    introduce(context, blueprint)
    must_be_ours(context.aws, blueprint, (*CONSUMERS, *WAY))
    target = Consumer(consumer)
    with begun(again(target)):
        cutting_over(context, blueprint, target).run()
    if context.wants_json:
        facts = Observer(context.aws, blueprint).stack()
        print_json(status_document(context.stack.name, facts))


def cutting_over(context: Context, blueprint: Blueprint, target: Consumer) -> CuttingOver:
    """Compose one cutover."""
    aws = context.aws
    route = canary_route(aws, blueprint)
    if route is None:
        raise RefusedError("there is no queue yet", "`provision apply` makes the stack")
    canaries = Canaries(aws.s3, aws.sqs, route, sleep=time.sleep, clock=time.monotonic)
    return CuttingOver(
        cutover_of(blueprint, target),
        CutoverHands(aws, blueprint, canaries, say, time.sleep, time.monotonic),
        say,
        time.sleep,
        time.monotonic,
    )


def cutover_of(blueprint: Blueprint, target: Consumer) -> Cutover:
    """Return the cutover that this stack makes."""
    live = replace(blueprint, consumer=Consumer.EC2)
    return Cutover(target, live.sizes, blueprint.stack.worker.drain_seconds)
