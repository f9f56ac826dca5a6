"""IAM roles: who may take them, and one inline policy that says what they may do."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from provision.aws.calls import unless_gone
from provision.core.resource import (
    REGION_TAG,
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    found_with_tags,
    in_region,
    plain_tags,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.policies.lambda_ import lambda_policy
from provision.policies.worker import worker_policy
from provision.resources.policy import document, normal, text_of
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

KIND: Final = "role"

TRUST: Final = "AssumeRolePolicyDocument"
POLICY: Final = "policy:least-privilege"
"""The inline policy's name follows the colon; others' policies on the role are their business."""


def worker_role(blueprint: Blueprint) -> Wanted:
    """Return the instances' role (rule 4: its name is short enough)."""
    return _role(blueprint, blueprint.names.worker_role, "ec2", worker_policy(blueprint))


def lambda_role(blueprint: Blueprint) -> Wanted:
    """Return the function's role."""
    return _role(blueprint, blueprint.names.lambda_role, "lambda", lambda_policy(blueprint))


def _role(blueprint: Blueprint, name: str, service: str, policy: Json) -> Wanted:
    trust: Json = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return Wanted(
        Key(KIND, name),
        (
            Property(TRUST, document(trust), "nobody else may take the role"),
            Property(POLICY, policy, "what its code calls, and nothing else"),
            *tag_properties({**blueprint.tags, REGION_TAG: blueprint.names.region}),
        ),
    )


class RoleProvider:
    """Roles by name, which are one for all regions."""

    def __init__(self, iam: "IAMClient", region: str) -> None:
        self._iam = iam
        self._region = region

    def observe(self, key: Key) -> Found | None:
        """Return who may take the role, all of its inline policies, and its tags."""
        answer = unless_gone(lambda: self._iam.get_role(RoleName=key.name))
        if answer is None:
            return None
        properties: dict[str, Json] = {TRUST: normal(cast("Json", answer["Role"][TRUST]))}
        for name in self._policies(key.name):
            policy = self._iam.get_role_policy(RoleName=key.name, PolicyName=name)
            properties[f"policy:{name}"] = normal(cast("Json", policy["PolicyDocument"]))
        tags = self._iam.list_role_tags(RoleName=key.name)["Tags"]
        found = found_with_tags(properties, plain_tags(tags))
        return in_region(found, self._region)

    def create(self, wanted: Wanted) -> None:
        """Create the role with trust and tags in one call, then its policy."""
        values = wanted.values()
        self._iam.create_role(
            RoleName=wanted.key.name,
            AssumeRolePolicyDocument=text_of(values[TRUST]),
            Tags=tag_list(tags_of(values)),
        )
        self._put_policy(wanted.key.name, values[POLICY])

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Set trust, policy and tags that changed."""
        name, changed = wanted.key.name, {each.name: each.after for each in changes}
        if TRUST in changed:
            self._iam.update_assume_role_policy(
                RoleName=name, PolicyDocument=text_of(changed[TRUST])
            )
        if POLICY in changed:
            self._put_policy(name, changed[POLICY])
        if tags := tags_of(changed):
            self._iam.tag_role(RoleName=name, Tags=tag_list(tags))

    def delete(self, key: Key) -> None:
        """Take away whatever hangs on the role, then the role (rule 5)."""
        iam, name = self._iam, key.name
        policies = unless_gone(lambda: (self._policies(name), self._attached(name)))
        if policies is None:
            return
        # One by one: what is gone already says nothing about the rest.
        for policy in policies[0]:
            unless_gone(partial(iam.delete_role_policy, RoleName=name, PolicyName=policy))
        for arn in policies[1]:
            unless_gone(partial(iam.detach_role_policy, RoleName=name, PolicyArn=arn))
        for profile in self._holders(name):
            remove = partial(iam.remove_role_from_instance_profile, RoleName=name)
            unless_gone(partial(remove, InstanceProfileName=profile))
        unless_gone(lambda: iam.delete_role(RoleName=name))

    def _attached(self, name: str) -> list[str]:
        pages = self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        return [each["PolicyArn"] for page in pages for each in page["AttachedPolicies"]]

    def _holders(self, name: str) -> list[str]:
        told = unless_gone(lambda: self._iam.list_instance_profiles_for_role(RoleName=name))
        return [each["InstanceProfileName"] for each in told["InstanceProfiles"]] if told else []

    def _policies(self, name: str) -> list[str]:
        pages = self._iam.get_paginator("list_role_policies").paginate(RoleName=name)
        return [policy for page in pages for policy in page["PolicyNames"]]

    def _put_policy(self, name: str, policy: Json) -> None:
        self._iam.put_role_policy(
            RoleName=name,
            PolicyName=POLICY.removeprefix("policy:"),
            PolicyDocument=text_of(policy),
        )
