"""`provision status` and `provision cutover` as an operator types them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from support.provision_cli import run
from support.provision_world import IMAGE, World

from provision.aws.images import image_of

Build = Callable[..., World]


def test_status_of_nothing_fails_and_says_what_to_do(world: World, tmp_path: Path) -> None:
    """A stack that is not there is a failure with a hint, and no traceback."""
    told = run(world, tmp_path, "status")
    assert told.exit_code == 1
    assert "there is no queue yet" in told.stdout
    assert "`provision apply` makes the stack" in told.stdout


def test_status_for_machines_is_one_document(world: World, tmp_path: Path) -> None:
    """On stdout alone."""
    world.apply()
    document = json.loads(run(world, tmp_path, "status", "--json").stdout)
    assert document["stack"] == world.stack
    assert document["cut_over_to"] == "ec2"
    assert document["observed"]["group"]["minimum"] == 1


def test_a_cutover_of_nothing_is_refused(world: World, tmp_path: Path) -> None:
    """Exit status 1, nothing done, and the next command named."""
    told = run(world, tmp_path, "cutover", "lambda")
    assert told.exit_code == 1
    assert "`provision apply` makes the stack" in told.stderr


def test_a_consumer_that_does_not_exist_is_no_consumer(world: World, tmp_path: Path) -> None:
    """Click says which there are."""
    told = run(world, tmp_path, "cutover", "fargate")
    assert told.exit_code == 2
    assert "'ec2', 'lambda'" in told.stderr


def test_a_stack_in_which_no_worker_is_wanted_is_well(build: Build, tmp_path: Path) -> None:
    """By the file's will: status and verify say so and do not fail; no canary is sent to wait."""
    world = build(instances={"minimum": 0, "desired": 0, "ami": IMAGE.id})
    image = image_of(world.aws.ec2, IMAGE.id)
    assert image is not None
    world.blueprint = replace(world.blueprint, image=image.image)
    world.apply()
    told = run(world, tmp_path, "status")
    assert told.exit_code == 0, told.output
    assert "no worker runs, as minimum = 0 in the stack file allows" in " ".join(
        told.stdout.split()
    )
    seen = run(world, tmp_path, "verify", "--json")
    assert seen.exit_code == 0, seen.output
    found = {each["subject"]: each["level"] for each in json.loads(seen.stdout)}
    assert (found["stack"], found["instances"], found["canary"]) == ("ok", "warning", "warning")
    objects = world.aws.s3.list_objects_v2(Bucket=world.blueprint.names.bucket)
    assert objects["KeyCount"] == 0
