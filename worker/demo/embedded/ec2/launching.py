"""RunInstances: what the template says holds, and disks are those of the image."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import convert_tag_spec

from worker.demo.embedded.ec2.profiles import profile_of
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]
Device = dict[str, Any]

_PLAIN_SIZE_GIB: Final = 8
"""A disk of which neither image nor request tells the size."""


def correct(layer: "Layer") -> None:
    """Apply the whole template, wherever an instance is launched."""
    patches = layer.patches
    patches.wrap(InstanceBackend, "run_instances", lambda f: template_holds(layer, f))
    patches.wrap(InstanceResponse, "run_instances", lambda f: profile_is_there(layer, f))


def profile_is_there(layer: "Layer", run: Handler) -> Handler:
    """Rules 1 and 2: RunInstances refuses an instance profile that EC2 does not see."""

    def ran(self: Moto) -> Moto:
        profile_of(layer, self.ec2_backend, self._get_param("IamInstanceProfile", {}))
        return run(self)

    return ran


def template_holds(layer: "Layer", run: Handler) -> Handler:
    """Give instances what their template says and moto forgets; the request's own word wins.

    Instance profile, metadata options, network interface, market, shutdown behaviour, monitoring,
    volume tags (rule 36: instance tags never reach volumes), and the image's disks.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html
    """

    def ran(
        self: Moto, image_id: str, count: int, user_data: Moto, groups: list[str], **request: Moto
    ) -> Moto:
        named = request.get("launch_template")
        template = self._get_template_from_args(named).data if named else {}
        wanted = {k: template.get("IamInstanceProfile", {}).get(k) for k in ("Name", "Arn")}
        asked = request.get("iam_instance_profile_name") or request.get("iam_instance_profile_arn")
        profile: Moto = None if asked else profile_of(layer, self, wanted)
        _fill(request, template)
        image = self.amis.get(image_id or template.get("ImageId"))
        disks = _disks(image, template, request.get("block_device_mappings"))
        if disks:
            request["block_device_mappings"] = disks
        reservation = run(self, image_id, count, user_data, groups, **request)
        for instance in reservation.instances if profile is not None else ():
            self.associate_iam_instance_profile(instance.id, iam_instance_profile_arn=profile.arn)
        return reservation

    return ran


def _fill(request: dict[str, Any], template: Mapping[str, Any]) -> None:
    """Put the template's word where the request has none."""
    tags = convert_tag_spec(template.get("TagSpecifications", []))
    given = request.get("tags", {})
    request["tags"] = {**given, "volume": {**tags.get("volume", {}), **given.get("volume", {})}}
    _default(request, "metadata_options", template.get("MetadataOptions"))
    _default(request, "ebs_optimized", template.get("EbsOptimized"))
    _default(
        request,
        "instance_market_options",
        template.get("InstanceMarketOptions", {}).get("MarketType"),
    )
    _default(
        request,
        "instance_initiated_shutdown_behavior",
        template.get("InstanceInitiatedShutdownBehavior"),
    )
    if template.get("Monitoring", {}).get("Enabled"):
        request["monitoring_state"] = "enabled"
    _fill_network(request, template)


def _default(request: dict[str, Any], name: str, value: object) -> None:
    if value and not request.get(name):
        request[name] = value


def _fill_network(request: dict[str, Any], template: Mapping[str, Any]) -> None:
    """Rule 37: a template's network interface brings the security groups and the public address."""
    if request.get("nics") or not template.get("NetworkInterfaces"):
        return
    first = template["NetworkInterfaces"][0]
    if request.get("associate_public_ip") is None and "AssociatePublicIpAddress" in first:
        request["associate_public_ip"] = first["AssociatePublicIpAddress"]
    _default(request, "security_group_ids", list(first.get("Groups", [])))
    _default(request, "subnet_id", first.get("SubnetId"))


def _disks(image: Moto, template: Mapping[str, Any], asked: list[Device] | None) -> list[Device]:
    """Merge the image's disks, the template's and the request's, by device name.

    The root disk goes with its instance unless the request says otherwise.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
    """
    if image is None:
        return []
    merged: dict[str, Device] = {}
    for each in image.block_device_mappings:
        ebs = each["Ebs"]
        if each["DeviceName"] == image.root_device_name:
            ebs = {**ebs, "DeleteOnTermination": True}
        merged[each["DeviceName"]] = dict(ebs)
    for each in [*template.get("BlockDeviceMappings", []), *(asked or [])]:
        if each.get("NoDevice") == "":
            merged.pop(each["DeviceName"], None)
            continue
        said = {k: v for k, v in each.get("Ebs", {}).items() if v is not None}
        before = merged.get(each["DeviceName"], {"VolumeSize": _PLAIN_SIZE_GIB})
        merged[each["DeviceName"]] = {**before, **said}
    return [{"DeviceName": name, "Ebs": ebs} for name, ebs in merged.items()]
