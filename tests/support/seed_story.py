"""The seed's steps, as an operator takes them today, on an AWS whose instances and function run."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from click.testing import Result

from provision.ami_from_instance import ImageMaker, Order
from provision.apply import apply, observe
from provision.aws.consumer import read_consumer
from provision.aws.cutover_hands import CutoverHands
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.aws.surroundings import identify, survey
from provision.canary import Canaries
from provision.commands.cutover import cutover_of
from provision.core.finding import Finding
from provision.core.plan import Plan, make_plan
from provision.core.resource import OWNER_TAG
from provision.core.status import consumers
from provision.cutover import CuttingOver
from provision.resources.catalogue import intentions, providers
from provision.spec.blueprint import Blueprint, Consumer
from provision.spec.stack import Stack
from provision.spec.user_data import user_data
from provision.verify import Verification, canary_route
from support.flow_process import wait_until
from support.provision_cli import run_command
from support.provision_twin import Heard
from support.worker_machines import WorkerMachines
from worker.demo.embedded.server import EmbeddedAws

PATIENCE_SECONDS: Final = 90.0
"""A bound for the worst machine."""

UPLOAD_SECONDS: Final = 0.1


class StopHereError(Exception):
    """The operator's machine goes off."""


@dataclass
class Traffic:
    """Files that land all the while, and who was seen to consume."""

    sent: dict[str, bytes] = field(default_factory=dict)
    unattended: list[str] = field(default_factory=list)


@dataclass
class Seed:
    """One stack, from its source instance to the cutover."""

    region: EmbeddedAws
    machines: WorkerMachines
    aws: Aws
    stack: Stack
    said: list[str] = field(default_factory=list)

    # --- the steps --------------------------------------------------------------------------------

    @property
    def blueprint(self) -> Blueprint:
        """Look at what surrounds the stack, as every command does."""
        surveyed = survey(self.aws.ec2, self.stack, identify(self.aws.sts))
        return replace(surveyed, consumer=read_consumer(self.aws.sqs, surveyed.names.queue))

    def plan(self) -> Plan:
        """Compare everything."""
        wanted = intentions(self.blueprint)
        found = observe(wanted, providers(self.aws, self.blueprint))
        return make_plan(wanted, found, stack=self.stack.name)

    def apply(self) -> None:
        """Make it so."""
        planned = self.plan()
        assert not planned.refusals
        applied = apply(
            planned,
            providers(self.aws, self.blueprint),
            stack=self.stack.name,
            progress=Heard(),
            sleep=briefly,
        )
        assert applied.error is None, applied.error

    def configured_instance(self) -> str:
        """Start an instance by hand, with the worker on it; give its id."""
        text = user_data(self.blueprint)
        told = self.aws.ec2.run_instances(
            ImageId="ami-03cf127a",
            InstanceType="t2.micro",
            MinCount=1,
            MaxCount=1,
            UserData=text,
            IamInstanceProfile={"Name": self.blueprint.names.worker_role},
        )
        return told["Instances"][0]["InstanceId"]

    def image_of(self, instance: str) -> str:
        """Make an AMI from it, with reboot, wait until it is available, and let the source go."""
        maker = ImageMaker(self.aws, lambda _, seconds: briefly(seconds), self.said.append)
        tags = {OWNER_TAG: self.stack.name}
        image = maker.make(Order(instance, f"{self.stack.name}-worker-1", tags)).id
        self.aws.ec2.terminate_instances(InstanceIds=[instance])
        return image

    def verify(self) -> list[Finding]:
        """Verify everything, as `apply` does at its end."""
        checks = Verification(self.aws, self.blueprint, briefly, time.monotonic, self.said.append)
        return list(checks.run())

    def command(self, folder: Path, *arguments: str) -> Result:
        """Run one of `provision`'s commands as it is, with its own patience."""
        return run_command(self.region, self.stack, folder, *arguments)

    def cut_over(self, target: Consumer, *, stop_at: str = "") -> None:
        """Cut over as the command does; with `stop_at`, until something of the kind is said."""
        blueprint, aws = self.blueprint, self.aws

        def say(text: str) -> None:
            self.said.append(text)
            if stop_at and stop_at in text:
                raise StopHereError(text)

        route = canary_route(aws, blueprint)
        assert route is not None
        canaries = Canaries(aws.s3, aws.sqs, route, sleep=briefly, clock=time.monotonic)
        hands = CutoverHands(aws, blueprint, canaries, say, briefly, time.monotonic)
        cutover = cutover_of(blueprint, target)
        CuttingOver(cutover, hands, say, briefly, time.monotonic).run()

    # --- what there is ----------------------------------------------------------------------------

    def observer(self) -> Observer:
        """Look at the stack."""
        return Observer(self.aws, self.blueprint)

    def consumers(self) -> frozenset[Consumer]:
        """Return who consumes."""
        return consumers(self.observer().stack())

    def keys(self, prefix: str) -> set[str]:
        """Return what lies below a prefix, canaries and probes left out."""
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.stack.pipeline.bucket, Prefix=prefix
        )
        found = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return {key.removeprefix(prefix) for key in found if f"{prefix}." not in key}

    def put(self, name: str, body: bytes) -> None:
        """Upload a file."""
        bucket = self.stack.pipeline.bucket
        self.aws.s3.put_object(Bucket=bucket, Key=f"uploads/{name}", Body=body)

    def wait(self, reached: Any, what: str) -> None:  # noqa: ANN401 # whatever says yes
        """Wait for something, with the workers' last lines if it does not come."""
        wait_until(reached, what, PATIENCE_SECONDS, self.picture)

    def picture(self) -> str:
        """Show all that may explain it."""
        said = "\n  ".join(self.said[-20:])
        return f"said:\n  {said}\n{self.observer().stack()}\n{self.machines.picture()}"

    # --- files, all the while ---------------------------------------------------------------------

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        """Let files land, and look who consumes, until the block is left; then wait for them."""
        traffic, over = Traffic(), threading.Event()
        threads = [
            threading.Thread(target=each, args=(traffic, over))
            for each in (self._upload, self._watch)
        ]
        for each in threads:
            each.start()
        try:
            yield traffic
        finally:
            over.set()
            for each in threads:
                each.join()
        self.wait(lambda: self._is_done_with(traffic), "all files to arrive")

    def _is_done_with(self, traffic: Traffic) -> bool:
        """Say whether all files are there, and every message is acknowledged."""
        queue = self.observer().queue()
        idle = queue is not None and (queue.waiting, queue.in_flight) == (0, 0)
        return idle and not self.keys("uploads/") and self.keys("processed/") >= {*traffic.sent}

    def _upload(self, traffic: Traffic, over: threading.Event) -> None:
        batch = len(self.keys("processed/"))
        for number in itertools.count(batch):
            name = f"file {number}.bin"
            self.put(name, name.encode())
            traffic.sent[name] = name.encode()
            if over.wait(UPLOAD_SECONDS):
                return

    def _watch(self, traffic: Traffic, over: threading.Event) -> None:
        while not over.wait(UPLOAD_SECONDS):
            if not self.consumers():
                traffic.unattended.append(self.said[-1] if self.said else "before the first word")


def briefly(seconds: float) -> None:
    """Sleep a tenth of what AWS would need."""
    time.sleep(seconds / 10)
