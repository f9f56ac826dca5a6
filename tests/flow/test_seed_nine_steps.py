"""The seed's nine steps: from one instance set up by hand to a cutover with files flowing.

The instances are `worker run` processes that drain through the group's hook; the function is the
worker's own package, run by the embedded AWS.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from support.flow_process import wait_until
from support.seed_story import Seed, StopHereError
from support.stacks import a_stack
from support.worker_machines import WorkerMachines

from provision.aws.session import Aws
from provision.core.finding import Level
from provision.core.group import GroupFacts
from provision.core.status import judge
from provision.spec.blueprint import Consumer
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

LAMBDA, EC2 = Consumer.LAMBDA, Consumer.EC2

NAME = "seed"

DELAYS = Delays(launch_seconds=1, terminate_seconds=2, image_seconds=1, lambda_seconds=0.5)
"""In real time: the consumers are real."""


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    """Run an AWS whose instances and functions run, with nothing in it."""
    machines = WorkerMachines(tmp_path_factory.mktemp("machines"), f"/s3-event-worker/{NAME}")
    with EmbeddedAws(
        run_lambdas=True, machines=machines, shell=machines, delays=DELAYS, tick_seconds=0.2
    ) as region:
        environment = region.environment()
        session = boto3.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_DEFAULT_REGION"],
        )
        aws = Aws(session, region.endpoint_url)
        machines.start(region, aws.logs)
        stack = a_stack(NAME, instances={"type": "t2.micro"}, scaling={"policy": "none"})
        yield Seed(region, machines, aws, stack)
        machines.end()


def group_of(seed: Seed) -> GroupFacts:
    """Return the group."""
    group = seed.observer().group()
    assert group is not None
    return group


def test_the_nine_steps(seed: Seed) -> None:
    """Source instance, AMI, template, group, sizes, verified, service, a file, the cutover."""
    seed.apply()  # the pipeline and the twin; template and group wait for an AMI
    source = seed.configured_instance()
    moves_a_file(seed, "first.txt")
    image = seed.image_of(source)
    seed.apply()
    seed.wait(lambda: group_of(seed).in_service, "the group's instance to be in service")
    looks_as_the_seed_had_it(seed, image)
    moves_a_file(seed, "second.txt")
    cuts_over_with_files_flowing(seed, LAMBDA)
    assert group_of(seed).instances == ()
    assert {each.level for each in seed.verify()} == {Level.OK}
    by_hand, drained = seed.machines.workers()
    assert by_hand.wait() == 0
    assert [len(drained.events(name)) for name in ("hook-completed", "drained")] == [1, 1]
    assert drained.wait() == 0


@pytest.mark.heavy
def test_and_back_again_cut_off_half_way(seed: Seed, tmp_path: Path) -> None:
    """The operator's machine goes off in the middle, twice; the same command goes on."""
    stands(seed, LAMBDA)
    with seed.traffic() as traffic:
        for point in ("from now on EC2 is to consume", "turning Lambda off"):
            with pytest.raises(StopHereError):
                seed.cut_over(EC2, stop_at=point)
        ended = seed.command(tmp_path, "cutover", "ec2", "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["consumers"] == ["ec2"]
    assert traffic.unattended == []
    nothing_is_left(seed, EC2)


@pytest.mark.heavy
def test_to_the_function_cut_off_in_every_way(seed: Seed) -> None:
    """Proven, but not declared; declared, but not drained; draining."""
    stands(seed, EC2)
    with seed.traffic() as traffic:
        for point in ("Lambda took a canary", "setting the group to", "waiting: i-"):
            with pytest.raises(StopHereError):
                seed.cut_over(LAMBDA, stop_at=point)
        seed.cut_over(LAMBDA)
    assert traffic.unattended == []
    nothing_is_left(seed, LAMBDA)


def stands(seed: Seed, consumer: Consumer) -> None:
    """Bring the stack to where a test begins, where no test before it has: each may run alone."""
    if seed.observer().group() is None:
        seed.apply()
        seed.image_of(seed.configured_instance())
        seed.apply()
        seed.wait(lambda: group_of(seed).in_service, "the group's instance to be in service")
    if seed.consumers() != {consumer}:
        seed.cut_over(consumer)


def moves_a_file(seed: Seed, name: str) -> None:
    """Take step 8: a file lands, and is moved."""
    seed.put(name, name.encode())
    seed.wait(lambda: name in seed.keys("processed/"), f"{name} in processed/")


def looks_as_the_seed_had_it(seed: Seed, image: str) -> None:
    """Look at steps 3 to 7: three zones, 1/1/2; the instance shows group, AMI, role, service."""
    group, blueprint = group_of(seed), seed.blueprint
    assert (group.minimum, group.desired, group.maximum) == (1, 1, 2)
    network = blueprint.network
    assert network is not None
    assert {*network.subnets.values()} == {"us-east-2a", "us-east-2b", "us-east-2c"}
    worker = seed.machines.workers()[-1]
    wait_until(lambda: worker.events("ready"), "the service to be ready", 60, worker.picture)
    seen = {each.subject: each for each in seed.verify()}
    assert {each.level for each in seen.values()} == {Level.OK}
    (instance,) = group.in_service
    for told in (group.name, image, blueprint.names.worker_role):
        assert told in seen[f"instance {instance.id}"].detail
    assert seen[f"service on {instance.id}"].detail == "active"


def cuts_over_with_files_flowing(seed: Seed, target: Consumer) -> None:
    """Take step 9: none lost, none waiting, and at no moment nobody consumes."""
    with seed.traffic() as traffic:
        seed.cut_over(target)
    assert len(traffic.sent) > 10
    assert traffic.unattended == []
    nothing_is_left(seed, target)


def nothing_is_left(seed: Seed, target: Consumer) -> None:
    """Everything arrived, byte for byte; nobody else consumes; no plan wants anything."""
    bucket = seed.stack.pipeline.bucket
    for name in sorted(seed.keys("processed/")):
        body = seed.aws.s3.get_object(Bucket=bucket, Key=f"processed/{name}")["Body"].read()
        assert body == name.encode()
    assert seed.keys("uploads/") == set()
    facts = seed.observer().stack()
    assert facts.queue is not None
    assert (facts.queue.waiting, facts.queue.in_flight, facts.dead_letters) == (0, 0, 0)
    assert judge(replace(facts, alarms=()))[0].detail.endswith("consumes")
    assert seed.consumers() == {target}
    assert seed.plan().steps == ()
