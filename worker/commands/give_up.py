"""`worker give-up`: what systemd begins when the worker keeps failing on an instance."""

import os
import sys
import time
from contextlib import closing

import click
import structlog

from worker import log as logs
from worker.aws.autoscaling import AutoScalingUnavailable, InstanceAutoScaling
from worker.aws.clients import Clients
from worker.aws.imds import ImdsClient, ImdsUnavailable
from worker.commands.output import reports_errors
from worker.errors import PreflightError
from worker.host.give_up import Ending, Replace, Stay, judge, stays_for

log = structlog.get_logger()


@click.command("give-up")
@reports_errors
def give_up() -> None:
    """Have the Auto Scaling group replace this instance, if a new one may do better.

    For systemd, which begins it by s3-event-worker-failed.service and says how the worker ended.
    Nothing happens outside a group, to an instance below an hour of age, and for what a new
    instance would find just the same: settings that cannot work (2), a permission or a queue that
    is missing (3), access that was lost (4). The log says what was decided, and why.

    Exit status: 0 decided; 3 the metadata service or Auto Scaling could not be asked.
    """
    logs.configure("info", "auto", sys.stdout)
    ending = Ending(
        os.environ.get("MONITOR_SERVICE_RESULT", ""), os.environ.get("MONITOR_EXIT_STATUS", "")
    )
    try:
        decision = stays_for(ending) or _decide(ending)
    except (ImdsUnavailable, AutoScalingUnavailable) as error:
        raise PreflightError(
            f"worker give-up: the instance stays: {error}\n"
            "an instance's role needs autoscaling:DescribeAutoScalingInstances and"
            " autoscaling:SetInstanceHealth"
        ) from error
    if isinstance(decision, Replace):
        log.error("instance-given-up", why=decision.why)
    else:
        log.warning("instance-stays", why=decision.why, ended=str(ending))


def _decide(ending: Ending) -> Replace | Stay:
    """Ask where we are, judge, and tell the group."""
    imds = ImdsClient.from_environment(os.environ)
    instance_id, age_seconds = imds.instance_id(), time.time() - imds.launch_time().timestamp()
    with closing(Clients(imds.region()).autoscaling()) as client:
        group = InstanceAutoScaling(client)
        decision = judge(ending, age_seconds, group.find_member(instance_id))
        if isinstance(decision, Replace):
            group.set_instance_health(instance_id)
    return decision
