"""Roles, instance profile and security group against the embedded AWS."""

import json

import pytest
from support.converging import carry_out, changed_names, converge, plan_for, remove
from support.recorded_aws import RecordedAws
from support.stacks import REGION, a_blueprint

from provision.core.plan import Create, Intention, Refusal, plan_one
from provision.core.resource import tags_of
from provision.resources.instance_profile import InstanceProfileProvider, worker_profile
from provision.resources.role import RoleProvider, lambda_role, worker_role
from provision.resources.security_group import SecurityGroupProvider, worker_security_group
from provision.spec.blueprint import Blueprint, Network

THEIR_TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    },
}
DENY_ALL = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"},
}


@pytest.fixture
def blueprint(aws: RecordedAws, name: str) -> Blueprint:
    """Give a stack in the default VPC."""
    vpcs = aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
    return a_blueprint(name, network=Network(vpcs["Vpcs"][0]["VpcId"], {}))


@pytest.mark.parametrize("make", [worker_role, lambda_role])
def test_a_role_converges_and_each_change_behind_our_back_is_seen(
    aws: RecordedAws, blueprint: Blueprint, make: object
) -> None:
    """Trust, policy and tags: each drift is named, and mended alone."""
    assert callable(make)
    wanted, provider = make(blueprint), RoleProvider(aws.iam, REGION)
    stack, role = blueprint.stack.name, wanted.key.name
    converge(provider, wanted, stack)
    aws.iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(THEIR_TRUST))
    assert changed_names(plan_for(provider, wanted, stack)) == ["AssumeRolePolicyDocument"]
    converge(provider, wanted, stack)
    aws.iam.put_role_policy(
        RoleName=role, PolicyName="least-privilege", PolicyDocument=json.dumps(DENY_ALL)
    )
    assert changed_names(plan_for(provider, wanted, stack)) == ["policy:least-privilege"]
    with aws.recording() as sent:
        carry_out(provider, plan_for(provider, wanted, stack), stack=stack)
    assert [each.operation for each in sent if each.writes] == ["iam.PutRolePolicy"]
    assert plan_for(provider, wanted, stack) is None


def test_a_role_cut_short_after_its_creation_is_ours_and_is_completed(
    aws: RecordedAws, blueprint: Blueprint
) -> None:
    """The tags go with the creating call, so the next run finds its own half-made role."""
    wanted, provider = worker_role(blueprint), RoleProvider(aws.iam, REGION)
    aws.iam.create_role(
        RoleName=wanted.key.name,
        AssumeRolePolicyDocument=json.dumps(wanted.values()["AssumeRolePolicyDocument"]),
        Tags=[{"Key": key, "Value": value} for key, value in tags_of(wanted.values()).items()],
    )
    assert changed_names(plan_for(provider, wanted, blueprint.stack.name)) == [
        "policy:least-privilege"
    ]
    converge(provider, wanted, blueprint.stack.name)


def test_a_role_of_somebody_else_is_refused(aws: RecordedAws, blueprint: Blueprint) -> None:
    """Same name, no tag: never touched without consent."""
    wanted, provider = worker_role(blueprint), RoleProvider(aws.iam, REGION)
    aws.iam.create_role(RoleName=wanted.key.name, AssumeRolePolicyDocument=json.dumps(THEIR_TRUST))
    intention = Intention(wanted.key, wanted)
    step = plan_one(intention, provider.observe(wanted.key), stack=blueprint.stack.name)
    assert isinstance(step, Refusal)


def test_a_stack_of_the_same_name_in_another_region_is_another(
    aws: RecordedAws, blueprint: Blueprint
) -> None:
    """IAM knows no regions: neither apply nor destroy there may touch the role of this one."""
    stack = blueprint.stack.name
    for wanted, there in (
        (worker_role(blueprint), RoleProvider(aws.iam, "eu-west-1")),
        (worker_profile(blueprint), InstanceProfileProvider(aws.iam, "eu-west-1")),
    ):
        here = type(there)(aws.iam, REGION)
        converge(here, wanted, stack)
        found = there.observe(wanted.key)
        refused = plan_one(Intention(wanted.key, wanted), found, stack=stack)
        assert isinstance(refused, Refusal)
        assert f"{stack} in {REGION}" in refused.why
        assert plan_one(Intention(wanted.key, None), found, stack=stack) is None


def test_rule_05_whatever_hangs_on_a_role_goes_before_it(
    aws: RecordedAws, blueprint: Blueprint
) -> None:
    """Inline policies, attached ones (others' too), the profile's hold, then the role."""
    role, profile = worker_role(blueprint), worker_profile(blueprint)
    roles, profiles = RoleProvider(aws.iam, REGION), InstanceProfileProvider(aws.iam, REGION)
    converge(roles, role, blueprint.stack.name)
    converge(profiles, profile, blueprint.stack.name)
    policy = aws.iam.create_policy(
        PolicyName=f"{blueprint.stack.name}-more", PolicyDocument=json.dumps(DENY_ALL)
    )["Policy"]["Arn"]
    aws.iam.attach_role_policy(RoleName=role.key.name, PolicyArn=policy)
    with aws.recording() as sent:
        remove(roles, role.key)
    assert [each.operation for each in sent if each.writes] == [
        "iam.DeleteRolePolicy",
        "iam.DetachRolePolicy",
        "iam.RemoveRoleFromInstanceProfile",
        "iam.DeleteRole",
    ]
    remove(profiles, profile.key)


def test_the_profile_holds_the_role_and_gets_it_back(
    aws: RecordedAws, blueprint: Blueprint
) -> None:
    """A profile that was emptied, or holds another role, is a drift."""
    converge(RoleProvider(aws.iam, REGION), worker_role(blueprint), blueprint.stack.name)
    wanted, provider = worker_profile(blueprint), InstanceProfileProvider(aws.iam, REGION)
    converge(provider, wanted, blueprint.stack.name)
    held = {"InstanceProfileName": wanted.key.name, "RoleName": wanted.key.name}
    aws.iam.remove_role_from_instance_profile(**held)
    assert changed_names(plan_for(provider, wanted, blueprint.stack.name)) == ["Role"]
    converge(provider, wanted, blueprint.stack.name)


def test_nothing_comes_in_and_only_tls_goes_out(aws: RecordedAws, blueprint: Blueprint) -> None:
    """EC2's own first rule, all traffic out, is taken away; what others open is closed again."""
    assert blueprint.network is not None
    wanted = worker_security_group(blueprint, blueprint.network)
    provider, stack = SecurityGroupProvider(aws.ec2, blueprint), blueprint.stack.name
    converge(provider, wanted, stack)
    group = provider.id_of(wanted.key.name)
    assert group is not None
    aws.ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    aws.ec2.revoke_security_group_egress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )
    assert changed_names(plan_for(provider, wanted, stack)) == ["Ingress", "Egress"]
    converge(provider, wanted, stack)
    remove(provider, wanted.key)


def test_a_security_group_of_that_name_in_another_vpc_is_nobodys_business(
    aws: RecordedAws, blueprint: Blueprint
) -> None:
    """EC2's names are unique in a VPC; ours is found in its own, or by its tag."""
    assert blueprint.network is not None
    wanted = worker_security_group(blueprint, blueprint.network)
    other = aws.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    aws.ec2.create_security_group(GroupName=wanted.key.name, Description="theirs", VpcId=other)
    provider = SecurityGroupProvider(aws.ec2, blueprint)
    assert isinstance(plan_for(provider, wanted, blueprint.stack.name), Create)
