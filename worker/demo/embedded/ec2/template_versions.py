"""Launch templates: versions can be deleted, are told 200 at a time; what is gone is not found."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    InvalidLaunchTemplateNameNotFoundWithNameError,
    InvalidLaunchTemplateVersionNotFound,
)
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.responses.launch_templates import LaunchTemplates

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

PAGE: Final = 200
"""DescribeLaunchTemplateVersions' most results; moto tells 15, and no more."""

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Add the operation that moto does not know, and let what is deleted be gone."""
    patches = layer.patches
    patches.replace(LaunchTemplate, "deleted_numbers", frozenset())
    patches.wrap(LaunchTemplate, "get_version", deleted_is_not_found)
    patches.wrap(LaunchTemplateBackend, "describe_launch_template_versions", deleted_is_not_told)
    patches.wrap(LaunchTemplates, "describe_launch_template_versions", page_is_long)
    patches.replace(LaunchTemplates, "delete_launch_template_versions", delete_versions)
    patches.wrap(LaunchTemplateBackend, "delete_launch_template", gone_is_not_found)


def delete_versions(self: Moto) -> Moto:
    """Delete versions by number; the default version stays, and its number is never used again.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    """
    named = {k: v for k, v in self.params.items() if k.startswith("LaunchTemplate")}
    template = self.ec2_backend._get_template_from_args({**named, "Version": "$Default"}).template  # noqa: SLF001 # moto's only way
    done: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for number in map(int, self._get_param("Versions", [])):
        told = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": number,
        }
        if number == template.default_version_number:
            error = {
                "Code": "unexpectedError",
                "Message": "The default version of a launch template cannot be deleted.",
            }
            refused.append({**told, "ResponseError": error})
            continue
        template.deleted_numbers |= {number}
        done.append(told)
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": done,
            "UnsuccessfullyDeletedLaunchTemplateVersions": refused,
        }
    )


def deleted_is_not_found(find: Handler) -> Handler:
    """Refuse a number that is deleted as one that never was."""

    def found(self: Moto, num: Moto) -> Moto:
        version = find(self, num)
        if version.number in self.deleted_numbers:
            raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=num)
        return version

    return found


def deleted_is_not_told(describe: Handler) -> Handler:
    """Leave deleted versions away."""

    def described(self: Moto, **asked: Moto) -> Moto:
        return [
            (template, version)
            for template, version in describe(self, **asked)
            if version.number not in template.deleted_numbers
        ]

    return described


def page_is_long(describe: Handler) -> Handler:
    """Tell as many as EC2 does."""

    def described(self: Moto) -> Moto:
        self.params.setdefault("MaxResults", str(PAGE))
        return describe(self)

    return described


def gone_is_not_found(delete: Handler) -> Handler:
    """Say of a name that is not there what EC2 says; moto asks for a name."""

    def deleted(self: Moto, name: str, tid: str | None) -> Moto:
        if name and name not in self.launch_template_name_to_ids:
            raise InvalidLaunchTemplateNameNotFoundWithNameError(name)
        return delete(self, name, tid)

    return deleted
