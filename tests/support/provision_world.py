"""A stack in an embedded AWS: planned, applied, cut short and destroyed as the commands do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from provision.apply import Applied, apply, observe
from provision.aws.session import Aws
from provision.aws.waiting import Pause
from provision.core.plan import Plan, make_plan
from provision.core.removal import plan_removal
from provision.core.resource import Key, Provider
from provision.resources.catalogue import DESTROY_ORDER, intentions, providers
from provision.spec.blueprint import Blueprint, Image, Network
from support.provision_twin import Heard
from support.recorded_aws import CutError, RecordedAws
from support.stacks import a_blueprint
from worker.demo.embedded.server import EmbeddedAws

IMAGE = Image("ami-03cf127a", "x86_64", "/dev/sda1")
"""One of moto's own; to have them all listed takes it seconds."""


def the_network(aws: Aws) -> Network:
    """Return the default VPC's subnets."""
    defaults = [{"Name": "default-for-az", "Values": ["true"]}]
    found = aws.ec2.describe_subnets(Filters=defaults)["Subnets"]  # type: ignore[arg-type] # plain dicts
    zones = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
    return Network(found[0]["VpcId"], zones)


@dataclass(slots=True)
class World:
    """One stack in an embedded AWS; the clock goes on whenever a run waits."""

    region: EmbeddedAws
    aws: RecordedAws
    blueprint: Blueprint
    pause: Pause | None = None
    """Stands in for the clock's going on in long waits."""

    @classmethod
    def of(cls, region: EmbeddedAws, aws: RecordedAws, name: str, **sections: Any) -> Self:  # noqa: ANN401 # sections of the stack file
        """Return a stack of this name in the default VPC, with an image of moto's own."""
        blueprint = a_blueprint(name, image=IMAGE, network=the_network(aws), **sections)
        return cls(region, aws, blueprint)

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Who provides each kind."""
        return providers(self.aws, self.blueprint, pause=self._pause)

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.blueprint.names.stack

    def plan(self, *adopt: Key) -> Plan:
        """Look, and compare."""
        wanted = intentions(self.blueprint)
        found = observe(wanted, self.providers)
        return make_plan(wanted, found, stack=self.stack, adopt=frozenset(adopt))

    def apply(self, *adopt: Key) -> Applied:
        """Plan, and carry it out; raises what stopped it."""
        planned = self.plan(*adopt)
        assert not planned.refusals, planned.refusals
        return self.carry_out(planned)

    def apply_until(self, writes: int) -> bool:
        """Apply, cut after so many writing requests; says whether it was cut at all."""
        return self._until(writes, self.apply)

    def destroy_until(self, writes: int) -> bool:
        """Destroy, cut likewise."""
        return self._until(writes, self.destroy)

    def _until(self, writes: int, run: Callable[[], object]) -> bool:
        try:
            with self.aws.cut_after(writes):
                run()
        except CutError:
            return True
        return False

    def destroy(self, *keep: str) -> Applied:
        """Take away all that is ours, but for these kinds."""
        found = observe(intentions(self.blueprint), self.providers)
        return self.carry_out(
            plan_removal(found, stack=self.stack, order=DESTROY_ORDER, keep=keep).plan
        )

    def _pause(self, why: str, seconds: float) -> None:
        if self.pause is not None:
            self.pause(why, seconds)
        else:
            self.region.clock.advance(seconds)

    def carry_out(self, planned: Plan) -> Applied:
        """Carry out a plan; raises what stopped it."""
        applied = apply(
            planned,
            self.providers,
            stack=self.stack,
            progress=Heard(),
            sleep=self.region.clock.advance,
        )
        if applied.error is not None:
            raise applied.error
        return applied
