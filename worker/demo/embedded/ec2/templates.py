"""Launch templates: what a new template or version may say, and what is kept of it."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.responses.launch_templates import LaunchTemplates

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

USER_DATA_LIMIT_BYTES: Final = 16 * 1024
"""Rule 24: of the decoded user data."""
_NAME: Final = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Refuse what EC2 refuses, and keep a version as it was given."""
    patches = layer.patches
    patches.wrap(LaunchTemplateBackend, "create_launch_template", name_is_fit)
    patches.wrap(LaunchTemplate, "create_version", user_data_is_fit)
    patches.wrap(LaunchTemplates, "create_launch_template_version", source_version_is_kept)
    for operation in ("create_launch_template", "create_launch_template_version"):
        patches.wrap(LaunchTemplates, operation, once_a_token)
    patches.replace(LaunchTemplate, "tags", tags_as_they_are())


def name_is_fit(create: Handler) -> Handler:
    """Rule 36: 3 to 128 letters, digits and ( ) . - / _; the template's own tags are its own.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
    """

    def created(self: Moto, name: str, description: str, data: dict[str, Any], tags: Moto) -> Moto:
        if not _NAME.fullmatch(name):
            raise EC2ClientError(
                "InvalidLaunchTemplateName.MalformedException",
                "A launch template name must be between 3 and 128 characters, and may contain"
                " letters, numbers, and the following characters: - ( ) . / _.",
            )
        specifications = data.pop("TagSpecifications", [])
        own = [each for each in specifications if each["ResourceType"] != "launch-template"]
        if own:
            data["TagSpecifications"] = own
        return create(self, name, description, data, tags)

    return created


def user_data_is_fit(create: Handler) -> Handler:
    """Rule 24: user data in a template is base64 already, and at most 16 KB decoded."""

    def created(self: Moto, data: dict[str, Any], description: str) -> Moto:
        if (given := data.get("UserData")) is not None:
            data = {**data, "UserData": _user_data(str(given))}
        return create(self, data, description)

    return created


def tags_as_they_are() -> property:
    """CreateTags on a template is seen by DescribeLaunchTemplates; moto tells the first tags."""

    def tags(self: Moto) -> Moto:
        return self.get_tags()

    def set_at_creation(self: Moto, tags: Moto) -> None:
        """Moto's own copy is not kept."""

    return property(tags, set_at_creation)


def _user_data(text: str) -> Base64EncodedString:
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise EC2ClientError(
            "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data."
        ) from error
    if size > USER_DATA_LIMIT_BYTES:
        raise EC2ClientError("InvalidParameterValue", "User data is limited to 16384 bytes")
    return Base64EncodedString(text)


def source_version_is_kept(create: Handler) -> Handler:
    """Build a new version on its SourceVersion; moto forgets what the source said.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """

    def created(self: Moto) -> Moto:
        if source := self._get_param("SourceVersion"):
            names = ("LaunchTemplateId", "LaunchTemplateName")
            template = {name: self.params[name] for name in names if name in self.params}
            version = self.ec2_backend._get_template_from_args({**template, "Version": source})  # noqa: SLF001 # moto's only way
            said = self._get_param("LaunchTemplateData", {})
            self.params["LaunchTemplateData"] = {**version.data, **said}
        return create(self)

    return created


def once_a_token(create: Handler) -> Handler:
    """Answer a request that was sent again (the same ClientToken) as the first time.

    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    """
    answers: dict[str, Moto] = {}

    def created(self: Moto) -> Moto:
        token = self._get_param("ClientToken")
        if token in answers:
            return answers[token]
        answer = create(self)
        if token:
            answers[token] = answer
        return answer

    return created
