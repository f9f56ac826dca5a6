"""What a stack finds and does not make, against the embedded AWS: the network, the image."""

from support.group_world import an_image
from support.provision_world import IMAGE
from support.recorded_aws import RecordedAws
from support.stacks import a_stack

from provision.aws.images import find_image, image_of
from provision.aws.network import find_network
from provision.core.image import WITHDRAWN_TAG
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

DELAYS = Delays(lambda_seconds=0)
"""Instances take a while to come and to go."""


def test_rule_35_only_zones_that_offer_the_type_are_used(aws: RecordedAws) -> None:
    """As many as the stack file wants, in the default VPC; a type that nobody offers has none."""
    stack = a_stack(instances={"zones": 2})
    network = find_network(aws.ec2, stack.instances)
    assert network is not None
    assert sorted(network.subnets.values()) == ["us-east-2a", "us-east-2b"]
    nowhere = a_stack(instances={"type": "x9.small"})
    assert find_network(aws.ec2, nowhere.instances) is None


def test_named_subnets_are_used_as_they_are(aws: RecordedAws) -> None:
    """All of them, whatever the number of zones; unknown ones are no network."""
    subnets = [each["SubnetId"] for each in aws.ec2.describe_subnets()["Subnets"]]
    named = a_stack(instances={"subnets": subnets, "zones": 1})
    network = find_network(aws.ec2, named.instances)
    assert network is not None
    assert sorted(network.subnets) == sorted(subnets)
    unknown = a_stack(instances={"subnets": ["subnet-0123456789abcdef0"]})
    assert find_network(aws.ec2, unknown.instances) is None


def test_the_latest_image_is_the_newest_of_the_stack_that_was_not_withdrawn(
    aws: RecordedAws, region: EmbeddedAws, name: str
) -> None:
    """Others' images, those that are not available yet, and withdrawn ones are passed over."""
    assert find_image(aws.ec2, name, "latest") is None
    first, second = (an_image(aws, name, number) for number in (1, 2))
    assert find_image(aws.ec2, name, "latest") is None
    region.clock.advance(120)
    found = find_image(aws.ec2, name, "latest")
    assert found is not None
    assert found.id in {first, second}
    aws.ec2.create_tags(Resources=[found.id], Tags=[{"Key": WITHDRAWN_TAG, "Value": "now"}])
    left = find_image(aws.ec2, name, "latest")
    assert left is not None
    assert {left.id, found.id} == {first, second}
    assert find_image(aws.ec2, name, IMAGE.id) is not None
    assert image_of(aws.ec2, "ami-0fffffffffffffff0") is None
