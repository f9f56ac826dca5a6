"""Instance profiles as EC2 sees them: by name or ARN, not before IAM's news has come."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.utils import filter_iam_instance_profiles
from moto.iam.exceptions import NotFoundException

from worker.demo.embedded.iam.propagation import visible
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer


def profile_of(layer: "Layer", backend: Moto, specification: Mapping[str, str]) -> Moto:
    """Find the profile that `{"Name": …}` or `{"Arn": …}` names, or None if it names none.

    Rule 1: one that does not exist, or that EC2 does not see yet, is an EC2ClientError. Counts as
    one use of the profile.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshoot-launch-internal.html
    """
    name, arn = specification.get("Name"), specification.get("Arn")
    if not (name or arn):
        return None
    try:
        found = filter_iam_instance_profiles(backend.account_id, backend.partition, arn, name)
    except NotFoundException:
        found = None
    if found is None or not visible(layer, found.arn):
        which = "name" if name else "arn"
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ({name or arn}) for parameter iamInstanceProfile.{which} is invalid."
            f" Invalid IAM Instance Profile {'name' if name else 'ARN'}",
        )
    return found
