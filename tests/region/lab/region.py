"""A region: the embedded AWS on a bridge, its instances as containers, each with its metadata."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
from region.lab import network
from region.lab.agents import Agents
from region.lab.base import write_surroundings
from region.lab.facts import Surroundings, facts_of
from region.lab.images import Images
from region.lab.imds import MetadataService, Visitor
from region.lab.journal import Journal
from region.lab.machines import ContainerMachines, Machine
from region.lab.place import Place, free_place
from region.lab.roles import Roles
from region.lab.sweep import sweep

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import REGION, EmbeddedAws

ACCOUNT: Final = "123456789012"
"""The account that moto plays."""

TICK_SECONDS: Final = 0.2

Client = Any
"""A boto3 client."""


class Region:
    """What a test holds: clients of its AWS, and the machines behind its instances."""

    def __init__(
        self, place: Place, aws: EmbeddedAws, machines: ContainerMachines, journal: Journal
    ) -> None:
        self.place, self.aws = place, aws
        self.machines, self.journal = machines, journal
        self._spot: dict[str, tuple[str, datetime]] = {}
        self._clients: dict[tuple[str, str], Client] = {}
        self._roles = Roles(aws, self.client("iam"))

    def client(self, service: str, access_key_id: str = "testing") -> Client:
        """Return a boto3 client, the operator's unless it is given somebody else's key."""
        if (service, access_key_id) not in self._clients:
            make: Any = boto3.client  # whose overloads want a literal name
            self._clients[service, access_key_id] = make(
                service,
                endpoint_url=self.aws.endpoint_url,
                region_name=REGION,
                aws_access_key_id=access_key_id,
                aws_secret_access_key="testing",
            )
        return self._clients[service, access_key_id]

    def close(self) -> None:
        """Close the clients' connections."""
        for each in self._clients.values():
            each.close()

    def subnet_id(self) -> str:
        """Return one of the default VPC's subnets."""
        return str(self.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"])

    def announce_spot(self, instance_id: str, action: str, seconds: float) -> None:
        """Have the metadata service announce an interruption, so many seconds ahead."""
        self._spot[instance_id] = (action, datetime.now(UTC) + timedelta(seconds=seconds))
        self.journal.note(instance_id, "spot-notice", action=action)

    def visitor_at(self, address: str) -> Visitor | None:
        """Say what the instance at an address may read about itself now."""
        machine = self.machines.at(address)
        if machine is None:
            return None
        facts = facts_of(machine.launch, self._surroundings(machine))
        return Visitor(facts, machine.launch.metadata_http_tokens == "required")

    def _surroundings(self, machine: Machine) -> Surroundings:
        launch = machine.launch
        state = self.aws.instance_state(launch.instance_id)
        session = self._roles.session(launch.profile_arn, launch.instance_id)
        return Surroundings(
            ACCOUNT,
            REGION,
            machine.pending_time,
            public_key=self._public_key(launch.instance_id),
            target_lifecycle_state=state.target_lifecycle_state if state else None,
            spot_action=self._spot.get(launch.instance_id),
            role=session.role if session else None,
            credentials=session.credentials if session else None,
        )

    def _public_key(self, instance_id: str) -> str | None:
        ec2 = self.client("ec2")
        (reservation,) = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        name = reservation["Instances"][0].get("KeyName")
        pairs = ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
        return next((pair["PublicKey"] for pair in pairs if pair["KeyName"] == name), None)


@contextmanager
def open_region(base: Path, journal: Journal) -> Iterator[Region]:
    """Run a region in a network namespace, which this thread lives in meanwhile.

    `base` is the folder every image lies over. Raises LabError.
    """
    with ExitStack() as stack:
        place = stack.enter_context(free_place())
        sweep(place)
        stack.callback(sweep, place)
        network.make_region_network(place)
        stack.enter_context(network.entered(place.region_namespace))
        write_surroundings(base, place.work / "surroundings")
        images = Images((place.work / "surroundings", base), place.work / "images")
        machines = ContainerMachines(place, images, journal)
        aws = stack.enter_context(
            EmbeddedAws(
                address=(network.GATEWAY, network.AWS_PORT),
                machines=machines,
                delays=Delays.none(),
                enforce_iam=True,
                shell=Agents(machines),
                tick_seconds=TICK_SECONDS,
            )
        )
        region = Region(place, aws, machines, journal)
        stack.callback(region.close)
        stack.enter_context(MetadataService(region.visitor_at))
        stack.callback(machines.end)
        yield region
