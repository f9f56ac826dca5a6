"""IAM's own rules: names, sizes, trust policies, and AWS's managed policies."""

import functools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import (
    EntityAlreadyExists,
    IAMException,
    LimitExceededException,
    MalformedPolicyDocument,
    NotFoundException,
    ValidationError,
)
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from worker.demo.embedded.iam.principals import unknown_principal
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

LONGEST_ROLE: Final = 64
LONGEST_OTHER: Final = 128
INLINE_CHARACTERS: Final = 10_240
"""All inline policies of a role together, without white space."""
MANAGED_CHARACTERS: Final = 6_144
TRUST_CHARACTERS: Final = 2_048
_AWS_POLICY: Final = "arn:aws:iam::aws:policy/"

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Refuse what IAM refuses. The order of deletion (rule 5) moto has right."""
    patches = layer.patches
    patches.wrap(IAMBackend, "create_role", lambda f: trust_policy_is_valid(layer, f))
    patches.wrap(IAMBackend, "create_role", role_name_is_short)
    patches.wrap(IAMBackend, "create_instance_profile", profile_name_is_short)
    patches.wrap(IAMBackend, "put_role_policy", inline_policies_are_small)
    patches.wrap(IAMBackend, "create_policy", managed_policy_is_small)
    patches.wrap(IAMBackend, "update_assume_role_policy", lambda f: new_trust_is_valid(layer, f))
    patches.wrap(IAMBackend, "remove_role_from_instance_profile", role_is_in_profile)
    patches.wrap(IAMBackend, "create_service_linked_role", service_linked_role_is_made_once)
    for name in ("attach_role_policy", "get_policy", "get_policy_version"):
        patches.wrap(IAMBackend, name, aws_policies_are_there)


def role_name_is_short(create: Handler) -> Handler:
    """Rule 4: a role's name has 64 characters at most."""

    def created(self: Moto, name: str, *args: object, **kwargs: object) -> Moto:
        _check_name("roleName", name, LONGEST_ROLE)
        return create(self, name, *args, **kwargs)

    return created


def profile_name_is_short(create: Handler) -> Handler:
    """Rule 4: an instance profile's name has 128 characters at most."""

    def created(self: Moto, name: str, *args: object, **kwargs: object) -> Moto:
        _check_name("instanceProfileName", name, LONGEST_OTHER)
        return create(self, name, *args, **kwargs)

    return created


def inline_policies_are_small(put: Handler) -> Handler:
    """Refuse more than 10,240 characters of inline policies, and a name over 128.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    def checked(self: Moto, role_name: str, policy_name: str, policy_json: str) -> None:
        _check_name("policyName", policy_name, LONGEST_OTHER)
        kept = dict(self.get_role(role_name).policies) | {policy_name: policy_json}
        if sum(map(_size, kept.values())) > INLINE_CHARACTERS:
            raise LimitExceededException(
                f"Maximum policy size of {INLINE_CHARACTERS} bytes exceeded for role {role_name}"
            )
        put(self, role_name, policy_name, policy_json)

    return checked


def managed_policy_is_small(create: Handler) -> Handler:
    """Refuse a managed policy of more than 6,144 characters without white space."""

    def created(self: Moto, *args: object, **kwargs: Moto) -> Moto:
        document = kwargs["policy_document"] if "policy_document" in kwargs else args[2]
        if _size(str(document)) > MANAGED_CHARACTERS:
            raise LimitExceededException(
                f"Cannot exceed quota for PolicySize: {MANAGED_CHARACTERS}"
            )
        return create(self, *args, **kwargs)

    return created


def trust_policy_is_valid(layer: "Layer", create: Handler) -> Handler:
    """Rule 3: a role's trust policy is one: JSON, of sts actions, naming principals that exist."""

    def created(
        self: Moto,
        role_name: str,
        assume_role_policy_document: str,
        *args: object,
        **kwargs: object,
    ) -> Moto:
        _check_trust(layer, assume_role_policy_document)
        return create(self, role_name, assume_role_policy_document, *args, **kwargs)

    return created


def new_trust_is_valid(layer: "Layer", update: Handler) -> Handler:
    """Rule 3, when the trust policy is replaced."""

    def updated(self: Moto, role_name: str, policy_document: str) -> None:
        self.get_role(role_name)
        _check_trust(layer, policy_document)
        update(self, role_name, policy_document)

    return updated


def role_is_in_profile(remove: Handler) -> Handler:
    """Rule 5: removing a role that is not in the profile is NoSuchEntity; moto fails with a 500."""

    def removed(self: Moto, profile_name: str, role_name: str) -> None:
        if self.get_role(role_name) not in self.get_instance_profile(profile_name).roles:
            raise NotFoundException(
                f"The role {role_name} is not in the instance profile {profile_name}."
            )
        remove(self, profile_name, role_name)

    return removed


def service_linked_role_is_made_once(create: Handler) -> Handler:
    """Rule 6: a service-linked role that is there is InvalidInput, not EntityAlreadyExists.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
    """

    def created(self: Moto, *args: object, **kwargs: object) -> Moto:
        try:
            return create(self, *args, **kwargs)
        except EntityAlreadyExists as error:
            message = "The service role name has been taken in this account."
            raise IAMException("InvalidInput", message) from error

    return created


def aws_policies_are_there(act: Handler) -> Handler:
    """Let AWS's own managed policies exist, each when it is first named."""

    def acted(self: Moto, policy_arn: str, *args: object, **kwargs: object) -> Moto:
        name = policy_arn.rsplit("/", 1)[-1]
        wanted = policy_arn.startswith(_AWS_POLICY) and policy_arn not in self.managed_policies
        if wanted and name in _aws_policies():
            made = AWSManagedPolicy.from_data(
                name, self.account_id, self.region_name, _aws_policies()[name]
            )
            self.managed_policies.setdefault(made.arn, made)
        return act(self, policy_arn, *args, **kwargs)

    return acted


@functools.cache
def _aws_policies() -> dict[str, Moto]:
    found: dict[str, Moto] = json.loads(aws_managed_policies_data)
    return found


def _check_name(parameter: str, name: str, longest: int) -> None:
    failed = f"1 validation error detected: Value '{name}' at '{parameter}' failed to satisfy"
    if len(name) > longest:
        raise ValidationError(
            f"{failed} constraint: Member must have length less than or equal to {longest}"
        )
    if not re.fullmatch(r"[\w+=,.@-]+", name, re.ASCII):
        raise ValidationError(
            f"{failed} constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+"
        )


def _check_trust(layer: "Layer", document: str) -> None:
    IAMTrustPolicyDocumentValidator(document).validate()
    if _size(document) > TRUST_CHARACTERS:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS}")
    unknown = unknown_principal(layer, json.loads(document))
    if unknown:
        raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{unknown}"')


def _size(document: str) -> int:
    return len(re.sub(r"\s", "", document))
