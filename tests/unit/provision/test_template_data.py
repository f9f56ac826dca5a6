"""What a version of the launch template holds, to EC2 and back."""

import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.stacks import IMAGE, a_blueprint

from provision.resources.template_data import (
    fingerprint,
    normal_data,
    readable,
    request_data,
    template_properties,
    values_of,
)
from provision.spec.blueprint import Image

OURS = {"files-worker": "sg-0123456789abcdef0"}


def request(**sections: Any) -> Any:  # noqa: ANN401 - a request's nested dicts
    """Return the data that EC2 is sent for a stack."""
    blueprint = a_blueprint(**sections)
    return request_data(values_of(template_properties(blueprint, IMAGE)), OURS)


@given(
    user_data=st.sampled_from(["environment", "none"]),
    key_pair=st.sampled_from(["", "lab"]),
    groups=st.sampled_from([(), ("sg-0bbbbbbbbbbbbbbbb", "sg-0aaaaaaaaaaaaaaaa")]),
    tags=st.dictionaries(st.sampled_from(["team", "cost"]), st.text("ab é", max_size=3)),
)
def test_what_is_sent_comes_back_as_what_was_wanted(
    user_data: str, key_pair: str, groups: tuple[str, ...], tags: dict[str, str]
) -> None:
    """The normal form loses nothing, so equal data have equal fingerprints."""
    instances = {"user_data": user_data, "key_pair": key_pair, "security_groups": groups}
    blueprint = a_blueprint(instances=instances, tags=tags)
    values = values_of(template_properties(blueprint, IMAGE))
    back = normal_data(request_data(values, OURS), OURS)
    assert back == values
    assert fingerprint(back) == fingerprint(values)


def test_metadata_options_that_ec2_fills_in_are_no_difference() -> None:
    """Or every apply would make a version, and replace every instance; one that was set is."""
    sent = request()
    wanted = values_of(template_properties(a_blueprint(), IMAGE))
    told = {"State": "pending", "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "disabled"}
    options = sent["MetadataOptions"]
    assert normal_data({**sent, "MetadataOptions": {**options, **told}}, OURS) == wanted
    changed = {**options, **told, "InstanceMetadataTags": "enabled"}
    assert normal_data({**sent, "MetadataOptions": changed}, OURS) != wanted


def test_rule_24_user_data_goes_to_ec2_in_base64() -> None:
    """boto3 does not encode it in a template."""
    text = base64.b64decode(request()["UserData"], validate=True).decode()
    assert text.startswith("#cloud-config\n")


def test_rule_36_volumes_have_tags_of_their_own() -> None:
    """Instance tags never reach them."""
    tagged = {each["ResourceType"]: each["Tags"] for each in request()["TagSpecifications"]}
    assert tagged["volume"] == tagged["instance"]
    assert {"Key": "s3-event-worker:stack", "Value": "files"} in tagged["volume"]


def test_rule_37_security_groups_stand_beside_no_network_interface() -> None:
    """There is no network interface, so they stand at the top."""
    sent = request()
    assert sent["SecurityGroupIds"] == [OURS["files-worker"]]
    assert "NetworkInterfaces" not in sent


def test_rule_42_the_root_volume_has_the_images_device_name_and_is_large_enough() -> None:
    """Amazon Linux says /dev/xvda; a volume smaller than the image's would not launch."""
    image = Image("ami-1", "x86_64", "/dev/xvda", root_gib=30)
    blueprint = a_blueprint(instances={"root_gib": 8})
    sent: Any = request_data(values_of(template_properties(blueprint, image)), OURS)
    assert sent["BlockDeviceMappings"] == [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {
                "VolumeSize": 30,
                "VolumeType": "gp3",
                "Encrypted": True,
                "DeleteOnTermination": True,
            },
        }
    ]


def test_rule_44_the_template_allows_imdsv2_alone_and_one_hop() -> None:
    """An image with imds_support v2.0 would mean a hop limit of 2."""
    assert request()["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }


def test_a_setting_that_we_never_make_is_a_difference() -> None:
    """Whatever somebody adds to a version by hand is seen."""
    sent = request()
    changed = normal_data({**sent, "EbsOptimized": True}, OURS)
    assert changed["Others"] == {"EbsOptimized": True}
    assert fingerprint(changed) != fingerprint(normal_data(sent, OURS))


def test_people_are_told_image_and_type_beside_the_fingerprint() -> None:
    """A plan that says only "a1b2c3 → d4e5f6" would say nothing."""
    values = values_of(template_properties(a_blueprint(), IMAGE))
    told = readable(values)
    assert isinstance(told, dict)
    assert (told["ImageId"], told["InstanceType"]) == (IMAGE.id, "t3.small")
