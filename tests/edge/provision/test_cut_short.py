"""A run that ends after any of its calls leaves nothing that the next run cannot deal with."""

from collections.abc import Callable

import pytest
from support.photograph import photograph
from support.provision_world import World

Build = Callable[..., World]

SAMPLED = (1, 4, 9)
"""Cuts of the plain run: in the first resource, half-way, and in a resource of many calls."""


def every_cut(build: Build) -> int:
    """Count the writing requests of a whole apply."""
    world = build()
    with world.aws.recording() as sent:
        world.apply()
    return sum(each.writes for each in sent)


@pytest.mark.parametrize("writes", SAMPLED)
def test_a_cut_run_is_finished_by_the_next(build: Build, writes: int) -> None:
    """Cut after the n-th writing request: applied again, and there is nothing left to do."""
    finishes_after(build(), writes)


@pytest.mark.parametrize("writes", SAMPLED)
def test_a_cut_run_can_be_taken_down(build: Build, writes: int) -> None:
    """Cut after the n-th writing request: destroyed, and the account is as it was before."""
    vanishes_after(build(), writes)


@pytest.mark.heavy
def test_a_run_cut_after_each_of_its_calls_is_finished_by_the_next(build: Build) -> None:
    """The same after each of them in turn."""
    for writes in range(1, every_cut(build) + 1):
        finishes_after(build(), writes)


@pytest.mark.heavy
def test_a_run_cut_after_each_of_its_calls_can_be_taken_down(build: Build) -> None:
    """The same after each of them in turn."""
    for writes in range(1, every_cut(build) + 1):
        vanishes_after(build(), writes)


def finishes_after(world: World, writes: int) -> None:
    """Cut a run, and run again."""
    assert world.apply_until(writes), "the run was over before"
    world.apply()
    assert not world.plan().steps


def vanishes_after(world: World, writes: int) -> None:
    """Cut a run, and take down what it made."""
    before = photograph(world.aws)
    assert world.apply_until(writes), "the run was over before"
    world.destroy()
    assert photograph(world.aws) == before
