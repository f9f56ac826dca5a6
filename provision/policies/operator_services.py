"""What the operator calls for roles, the function, and what watches. Pure."""

from collections.abc import Iterator
from typing import Final

from provision.policies.grants import Grant, same, used_by
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

LAMBDA: Final = ("Lambda, as the function's role",)
INSTANCES: Final = ("EC2, as the instances' role",)


def services_grants(blueprint: Blueprint) -> Iterator[Grant]:
    """Yield what makes, shows and takes away roles, function, alarms, dashboard and logs."""
    names = blueprint.names
    yield from _roles(names)
    yield from _function(names)
    yield from _watching(names)
    yield from _preflight(names)


def _roles(names: Names) -> Iterator[Grant]:
    """Yield two roles by name, and no other: whoever may write a role's policy may do as much."""
    worker, function = names.role_arn(names.worker_role), names.role_arn(names.lambda_role)
    yield Grant(
        "Roles",
        {
            **same("iam", "CreateRole GetRole DeleteRole UpdateAssumeRolePolicy"),
            **same("iam", "PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies"),
            **same("iam", "ListAttachedRolePolicies DetachRolePolicy ListRoleTags"),
            **same("iam", "ListInstanceProfilesForRole"),
            **used_by("iam:TagRole", "iam.CreateRole iam.TagRole"),
        },
        (worker, function),
    )
    yield Grant(
        "InstanceProfile",
        {
            **same("iam", "CreateInstanceProfile GetInstanceProfile DeleteInstanceProfile"),
            **same("iam", "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile"),
            **used_by("iam:TagInstanceProfile", "iam.CreateInstanceProfile iam.TagInstanceProfile"),
        },
        (worker.replace(":role/", ":instance-profile/"),),
    )
    yield _passing("PassToInstances", worker, "ec2", INSTANCES)
    yield _passing("PassToFunction", function, "lambda", LAMBDA)


def _passing(sid: str, role: str, service: str, users: tuple[str, ...]) -> Grant:
    """Return rule 6's leave to give a role to one service."""
    condition = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    return Grant(sid, {"iam:PassRole": users}, (role,), condition)


def _function(names: Names) -> Iterator[Grant]:
    yield Grant(
        "Function",
        {
            **same("lambda", "CreateFunction GetFunction GetFunctionConfiguration"),
            **same("lambda", "UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction"),
            **used_by("lambda:TagResource", "lambda.CreateFunction lambda.TagResource"),
        },
        (names.function_arn,),
    )
    of_ours = {"ArnEquals": {"lambda:FunctionArn": names.function_arn}}
    yield Grant("NewMapping", same("lambda", "CreateEventSourceMapping"), ("*",), of_ours)
    yield Grant(
        "Mapping",
        same("lambda", "UpdateEventSourceMapping DeleteEventSourceMapping"),
        (names.arn("lambda", "event-source-mapping:*"),),
        of_ours,
    )


def _watching(names: Names) -> Iterator[Grant]:
    yield Grant(
        "Alarms",
        {
            **same("cloudwatch", "PutMetricAlarm DescribeAlarms DeleteAlarms ListTagsForResource"),
            **used_by("cloudwatch:TagResource", "cloudwatch.PutMetricAlarm cloudwatch.TagResource"),
        },
        (names.alarm_arns,),
    )
    dashboard = f"arn:{names.partition}:cloudwatch::{names.account}:dashboard/{names.dashboard}"
    yield Grant(
        "Dashboard", same("cloudwatch", "PutDashboard GetDashboard DeleteDashboards"), (dashboard,)
    )
    # AWS knows no resource for them.
    yield Grant(
        "Look",
        {
            **same("cloudwatch", "GetMetricData"),
            **same("lambda", "ListEventSourceMappings"),
            **same("logs", "DescribeLogGroups"),
        },
        ("*",),
    )
    groups = [names.arn("logs", f"log-group:{each}") for each in _log_groups(names)]
    yield Grant(
        "Logs",
        {
            **same("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy FilterLogEvents"),
            **same("logs", "ListTagsForResource"),
            **used_by("logs:TagResource", "logs.CreateLogGroup logs.TagResource"),
        },
        # AWS writes a group's ARN with and without the end, as the action has it.
        (*groups, *(f"{each}:*" for each in groups)),
    )


def _preflight(names: Names) -> Iterator[Grant]:
    """Yield what looks ahead: types, quotas, the caller's own permissions, customers' keys."""
    yield Grant(
        "Preflight",
        {
            **same("ec2", "DescribeInstanceTypes DescribeKeyPairs"),
            **same("autoscaling", "DescribeAccountLimits"),
            **same("iam", "GetAccountSummary SimulatePrincipalPolicy"),
            **same("lambda", "GetAccountSettings"),
            **used_by("servicequotas:GetServiceQuota", "service_quotas.GetServiceQuota"),
        },
        ("*",),
    )
    # Of an AMI's key, which nobody knows before.
    keys = (names.arn("kms", "key/*"),)
    yield Grant("Keys", same("kms", "DescribeKey GetKeyPolicy ListGrants"), keys)


def _log_groups(names: Names) -> tuple[str, str]:
    return names.worker_log_group, names.function_log_group
