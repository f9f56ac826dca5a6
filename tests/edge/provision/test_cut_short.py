"""A run that ends after any of its calls leaves nothing that the next run cannot deal with."""

from collections.abc import Callable

import pytest
from support.photograph import photograph
from support.provision_world import World

Build = Callable[..., World]

SAMPLED = (9, 30)
"""Cuts of the plain run: in the bucket, and in the function; the heavy one cuts at each call."""


def writes_of(world: World, run: Callable[[], object]) -> int:
    """Count the writing requests of a whole run."""
    with world.aws.recording() as sent:
        run()
    return sum(each.writes for each in sent)


@pytest.mark.parametrize("writes", SAMPLED)
def test_a_cut_run_is_finished_by_the_next(world: World, writes: int) -> None:
    """Cut after the n-th writing request: applied again, and there is nothing left to do."""
    finishes_after(world, writes)


@pytest.mark.parametrize("writes", SAMPLED)
def test_a_cut_run_can_be_taken_down(world: World, writes: int) -> None:
    """Cut after the n-th writing request: destroyed, and the account is as it was before."""
    vanishes_after(world, writes)


@pytest.mark.parametrize("writes", [1, 9])
def test_a_cut_destroy_goes_on(world: World, writes: int) -> None:
    """Cut after the n-th writing request: destroyed again, and the account is as it was before."""
    goes_on_after(world, writes)


@pytest.mark.heavy
def test_a_run_cut_after_each_of_its_calls_is_finished_by_the_next(build: Build) -> None:
    """The same after each of them in turn."""
    world = build()
    for writes in range(1, writes_of(world, world.apply) + 1):
        finishes_after(build(), writes)


@pytest.mark.heavy
def test_a_run_cut_after_each_of_its_calls_can_be_taken_down(build: Build) -> None:
    """The same after each of them in turn."""
    world = build()
    for writes in range(1, writes_of(world, world.apply) + 1):
        vanishes_after(build(), writes)


@pytest.mark.heavy
def test_a_destroy_cut_after_each_of_its_calls_goes_on(build: Build) -> None:
    """The same after each of them in turn."""
    world = build()
    world.apply()
    for writes in range(1, writes_of(world, world.destroy) + 1):
        goes_on_after(build(), writes)


def finishes_after(world: World, writes: int) -> None:
    """Cut a run, run again, and take it down."""
    assert world.apply_until(writes), "the run was over before"
    world.apply()
    assert not world.plan().steps
    world.destroy()


def vanishes_after(world: World, writes: int) -> None:
    """Cut a run, and take down what it made."""
    before = photograph(world.aws)
    assert world.apply_until(writes), "the run was over before"
    world.destroy()
    assert photograph(world.aws) == before


def goes_on_after(world: World, writes: int) -> None:
    """Cut a destroy, and destroy again."""
    before = photograph(world.aws)
    world.apply()
    assert world.destroy_until(writes), "the run was over before"
    world.destroy()
    assert photograph(world.aws) == before
