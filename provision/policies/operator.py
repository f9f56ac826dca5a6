"""What whoever runs `provision` may do: all that its commands call, for one stack. Pure.

Three documents, for a managed policy holds 6,144 characters. Resources are named exactly where
names are ours to choose, and by the stack's tag where AWS chooses ids.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from collections.abc import Mapping
from typing import Final

from provision.core.resource import Json
from provision.policies.grants import Grant, policy_document
from provision.policies.operator_instances import instances_grants
from provision.policies.operator_pipeline import pipeline_grants
from provision.policies.operator_services import services_grants
from provision.spec.blueprint import Blueprint

MANAGED_LIMIT_CHARACTERS: Final = 6144
"""Of a managed policy; white space does not count."""


def operator_policies(blueprint: Blueprint) -> dict[str, Json]:
    """Return the documents by a name for each; all are needed."""
    return {name: policy_document(grants) for name, grants in operator_grants(blueprint).items()}


def operator_grants(blueprint: Blueprint) -> Mapping[str, tuple[Grant, ...]]:
    """Return what `provision` calls, document by document."""
    stack = blueprint.names.stack
    return {
        f"{stack}-operator-pipeline": tuple(pipeline_grants(blueprint)),
        f"{stack}-operator-services": tuple(services_grants(blueprint)),
        f"{stack}-operator-instances": tuple(instances_grants(blueprint)),
    }
