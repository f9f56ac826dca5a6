"""What the operator calls for the instances: EC2, Auto Scaling, Systems Manager. Pure."""

from collections.abc import Iterator
from typing import Final

from provision.core.resource import OWNER_TAG, Json
from provision.policies.grants import Grant, same, used_by
from provision.policies.worker import group_arn
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

AUTO_SCALING: Final = ("Auto Scaling, as whoever makes the group",)
NEW_ACCOUNT: Final = ("Auto Scaling, in an account that never had a group",)


def instances_grants(blueprint: Blueprint) -> Iterator[Grant]:
    """Yield what makes, shows, rolls, images and takes away the instances."""
    names = blueprint.names
    yield _look()
    yield from _template(names)
    yield from _security_group(names)
    yield from _group(names)
    yield from _launch(names)
    yield from _images(names)
    yield from _tagging(names)
    yield from _commands(names)


def _look() -> Grant:
    """Return what AWS knows no resource for."""
    return Grant(
        "Look",
        {
            **same("ec2", "DescribeImages DescribeInstanceStatus DescribeInstanceTypeOfferings"),
            **same("ec2", "DescribeInstances DescribeLaunchTemplates"),
            **same("ec2", "DescribeLaunchTemplateVersions DescribeSecurityGroups"),
            **same("ec2", "DescribeSnapshots DescribeSubnets DescribeVpcs"),
            **same("autoscaling", "DescribeAutoScalingGroups DescribeAutoScalingInstances"),
            **same("autoscaling", "DescribeInstanceRefreshes DescribeLaunchConfigurations"),
            **same("autoscaling", "DescribeLifecycleHooks DescribePolicies"),
            **same("autoscaling", "DescribeScalingActivities"),
            **same("ssm", "DescribeInstanceInformation GetCommandInvocation"),
        },
        ("*",),
    )


def _template(names: Names) -> Iterator[Grant]:
    template = (names.arn("ec2", "launch-template/*"),)
    yield Grant("NewTemplate", same("ec2", "CreateLaunchTemplate"), template, _tagged_anew(names))
    yield Grant(
        "Template",
        same(
            "ec2",
            "CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplateVersions"
            " DeleteLaunchTemplate",
        ),
        template,
        _ours(names),
    )


def _security_group(names: Names) -> Iterator[Grant]:
    group = (names.arn("ec2", "security-group/*"),)
    make = same("ec2", "CreateSecurityGroup")
    yield Grant("NewSecurityGroup", make, group, _tagged_anew(names))
    yield Grant("InVpc", make, (names.arn("ec2", "vpc/*"),))
    yield Grant(
        "SecurityGroup",
        same(
            "ec2",
            "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress RevokeSecurityGroupIngress"
            " DeleteSecurityGroup",
        ),
        group,
        _ours(names),
    )


def _group(names: Names) -> Iterator[Grant]:
    yield Grant(
        "Group",
        {
            **same("autoscaling", "CreateAutoScalingGroup UpdateAutoScalingGroup"),
            **same("autoscaling", "DeleteAutoScalingGroup EnableMetricsCollection"),
            **same("autoscaling", "PutLifecycleHook PutScalingPolicy DeletePolicy"),
            **same("autoscaling", "SuspendProcesses ResumeProcesses SetInstanceProtection"),
            **same("autoscaling", "StartInstanceRefresh RollbackInstanceRefresh"),
            **same("autoscaling", "CreateOrUpdateTags"),
        },
        (group_arn(names),),
    )
    role = f"arn:{names.partition}:iam::{names.account}:role/aws-service-role"
    yield Grant(
        "ServiceLinkedRole",
        {"iam:CreateServiceLinkedRole": NEW_ACCOUNT},
        (f"{role}/autoscaling.amazonaws.com/*",),
        {"StringEquals": {"iam:AWSServiceName": "autoscaling.amazonaws.com"}},
    )


def _launch(names: Names) -> Iterator[Grant]:
    """Yield rule 6's leave: Auto Scaling asks whether its caller could launch the template.

    Only from a template of ours, which nobody but the operator can write.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    """
    run = {"ec2:RunInstances": AUTO_SCALING}
    template = names.arn("ec2", "launch-template/*")
    yield Grant("LaunchTemplate", run, (template,), _ours(names))
    yield Grant(
        "LaunchFromTemplate",
        run,
        tuple(
            names.arn("ec2", f"{kind}/*")
            for kind in (
                "instance",
                "volume",
                "network-interface",
                "subnet",
                "security-group",
                "key-pair",
            )
        )
        + _without_account(names, "image", "snapshot"),
        {"ArnLike": {"ec2:LaunchTemplate": template}},
    )


def _images(names: Names) -> Iterator[Grant]:
    make = same("ec2", "CreateImage")
    # The instance is rebooted: one of the group, or one that was tagged to be imaged.
    yield Grant("ImageOf", make, (names.arn("ec2", "instance/*"),), _ours(names))
    made = _without_account(names, "image", "snapshot")
    yield Grant("NewImage", make, made, _tagged_anew(names))
    yield Grant(
        "RemoveImage",
        {
            **same("ec2", "DeregisterImage"),
            **used_by("ec2:DeleteSnapshot", "ec2.DeregisterImage"),
        },
        made,
        _ours(names),
    )


def _tagging(names: Names) -> Iterator[Grant]:
    """Yield tags in the very call that makes a thing, and on things of ours later."""
    made = ("launch-template", "security-group", "instance", "volume")
    yield Grant(
        "TagWhatIsMade",
        {
            "ec2:CreateTags": (
                "ec2.CreateLaunchTemplate",
                "ec2.CreateSecurityGroup",
                "ec2.CreateImage",
                *AUTO_SCALING,
            )
        },
        tuple(names.arn("ec2", f"{each}/*") for each in made)
        + _without_account(names, "image", "snapshot"),
        {
            "StringEquals": {
                f"aws:RequestTag/{OWNER_TAG}": names.stack,
                "ec2:CreateAction": [
                    "CreateImage",
                    "CreateLaunchTemplate",
                    "CreateSecurityGroup",
                    "RunInstances",
                ],
            }
        },
    )
    yield Grant(
        "TagOurs",
        same("ec2", "CreateTags DeleteTags"),
        (
            names.arn("ec2", "launch-template/*"),
            names.arn("ec2", "security-group/*"),
            *_without_account(names, "image"),
        ),
        _ours(names),
    )


def _commands(names: Names) -> Iterator[Grant]:
    """Yield what asks systemd on our instances for the worker's state."""
    send = same("ssm", "SendCommand")
    document = f"arn:{names.partition}:ssm:{names.region}::document/AWS-RunShellScript"
    yield Grant("Command", send, (document,))
    ours = {"StringEquals": {f"ssm:resourceTag/{OWNER_TAG}": names.stack}}
    yield Grant("CommandOurs", send, (names.arn("ec2", "instance/*"),), ours)


def _without_account(names: Names, *kinds: str) -> tuple[str, ...]:
    return tuple(f"arn:{names.partition}:ec2:{names.region}::{kind}/*" for kind in kinds)


def _ours(names: Names) -> dict[str, Json]:
    return {"StringEquals": {f"aws:ResourceTag/{OWNER_TAG}": names.stack}}


def _tagged_anew(names: Names) -> dict[str, Json]:
    return {"StringEquals": {f"aws:RequestTag/{OWNER_TAG}": names.stack}}
