"""The launch template against the embedded AWS."""

from dataclasses import replace

import pytest
from support.converging import changed_names, converge, plan_for, remove
from support.recorded_aws import RecordedAws
from support.stacks import IMAGE, a_blueprint

from provision.core.resource import Wanted
from provision.errors import ProvisionError
from provision.resources.launch_template import (
    KEPT_VERSIONS,
    LaunchTemplateProvider,
    worker_template,
)
from provision.resources.security_group import SecurityGroupProvider, worker_security_group
from provision.spec.blueprint import Blueprint, Network


@pytest.fixture
def blueprint(aws: RecordedAws, name: str) -> Blueprint:
    """Give a stack in the default VPC whose security group is there."""
    vpcs = aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
    network = Network(vpcs["Vpcs"][0]["VpcId"], {})
    made = a_blueprint(name, network=network)
    converge(SecurityGroupProvider(aws.ec2, made), worker_security_group(made, network), name)
    return made


@pytest.fixture
def provider(aws: RecordedAws, blueprint: Blueprint) -> LaunchTemplateProvider:
    """Give the provider of that stack."""
    return LaunchTemplateProvider(aws.ec2, aws.autoscaling, blueprint)


def with_image(blueprint: Blueprint, number: int) -> Wanted:
    """Return the template with one AMI or another."""
    return worker_template(blueprint, replace(IMAGE, id=f"ami-{number:017x}"))


def test_the_template_converges_and_is_removed(
    provider: LaunchTemplateProvider, blueprint: Blueprint
) -> None:
    """Created once, then nothing to do; gone already is fine."""
    wanted = with_image(blueprint, 1)
    converge(provider, wanted, blueprint.stack.name)
    remove(provider, wanted.key)


def test_a_change_makes_a_new_version_and_going_back_uses_the_old_one_again(
    aws: RecordedAws, provider: LaunchTemplateProvider, blueprint: Blueprint
) -> None:
    """Versions are found by their data: nothing is made twice."""
    stack, first, second = (
        blueprint.stack.name,
        with_image(blueprint, 1),
        with_image(blueprint, 2),
    )
    converge(provider, first, stack)
    assert changed_names(plan_for(provider, second, stack)) == ["ImageId"]
    converge(provider, second, stack)
    with aws.recording() as sent:
        converge(provider, first, stack)
    written = [each.operation for each in sent if each.writes]
    assert written == ["ec2.ModifyLaunchTemplate"]
    assert aws.parameters_of("ec2.ModifyLaunchTemplate")["DefaultVersion"] == "1"


def test_a_run_cut_between_the_version_and_its_becoming_the_default_goes_on(
    provider: LaunchTemplateProvider, blueprint: Blueprint
) -> None:
    """The version is there already, and is not made again."""
    stack, second = blueprint.stack.name, with_image(blueprint, 2)
    converge(provider, with_image(blueprint, 1), stack)
    made = provider.create_version(second)
    converge(provider, second, stack)
    assert provider.number_of(second.key.name, provider.version(second.key.name, "$Default")) == (
        made
    )
    assert len(provider.versions(second.key.name)) == 2


def test_old_versions_are_kept_to_roll_back_to_and_their_number_is_bounded(
    provider: LaunchTemplateProvider, blueprint: Blueprint
) -> None:
    """The newest few stay."""
    stack = blueprint.stack.name
    for number in range(KEPT_VERSIONS + 3):
        converge(provider, with_image(blueprint, number), stack)
    kept = [each["VersionNumber"] for each in provider.versions(blueprint.names.launch_template)]
    assert kept == list(range(KEPT_VERSIONS + 3, 3, -1))


def test_a_version_that_somebody_made_the_default_is_seen_and_mended(
    aws: RecordedAws, provider: LaunchTemplateProvider, blueprint: Blueprint
) -> None:
    """Property by property: the type, and what we never set."""
    stack, wanted = blueprint.stack.name, with_image(blueprint, 1)
    converge(provider, wanted, stack)
    aws.ec2.create_launch_template_version(
        LaunchTemplateName=wanted.key.name,
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "m5.large", "EbsOptimized": True},
    )
    aws.ec2.modify_launch_template(LaunchTemplateName=wanted.key.name, DefaultVersion="2")
    assert changed_names(plan_for(provider, wanted, stack)) == ["InstanceType", "Others"]
    converge(provider, wanted, stack)


def test_without_its_security_group_no_version_is_made(
    aws: RecordedAws, provider: LaunchTemplateProvider, blueprint: Blueprint
) -> None:
    """A version without it would launch into the VPC's default group."""
    SecurityGroupProvider(aws.ec2, blueprint).delete(
        worker_security_group(blueprint, blueprint.network or Network("", {})).key
    )
    with pytest.raises(ProvisionError, match="security group"):
        provider.create(with_image(blueprint, 1))
