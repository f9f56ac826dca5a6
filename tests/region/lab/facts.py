"""What an instance may read about itself at the metadata service, as a table of paths. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from worker.demo.embedded.ec2.machines import Launch


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around an instance at one time: all that may change while it runs."""

    account: str
    region: str
    pending_time: datetime
    public_key: str | None = None
    target_lifecycle_state: str | None = None
    spot_action: tuple[str, datetime] | None = None
    role: str | None = None
    credentials: Mapping[str, str] | None = None


def facts_of(launch: Launch, around: Surroundings) -> dict[str, bytes]:
    """Return an instance's metadata by path below /latest/ ("Instance metadata categories")."""
    texts = {
        **_placement(launch, around),
        **_group_and_spot(around),
        **_role(launch, around),
        **{f"meta-data/tags/instance/{name}": value for name, value in launch.tags.items()},
    }
    if around.public_key:
        texts["meta-data/public-keys/0/openssh-key"] = around.public_key
    data = {path: text.encode() for path, text in texts.items()}
    return data | ({"user-data": launch.user_data} if launch.user_data else {})


def _placement(launch: Launch, around: Surroundings) -> dict[str, str]:
    name = f"ip-{launch.private_ip.replace('.', '-')}.{around.region}.compute.internal"
    return {
        "meta-data/ami-id": launch.image_id,
        "meta-data/hostname": name,
        "meta-data/instance-id": launch.instance_id,
        "meta-data/instance-life-cycle": "spot" if around.spot_action else "on-demand",
        "meta-data/instance-type": launch.instance_type,
        "meta-data/local-hostname": name,
        "meta-data/local-ipv4": launch.private_ip,
        "meta-data/placement/availability-zone": launch.zone,
        "meta-data/placement/region": around.region,
        "meta-data/services/domain": "amazonaws.com",
        "meta-data/services/partition": "aws",
        "dynamic/instance-identity/document": _identity(launch, around),
    }


def _identity(launch: Launch, around: Surroundings) -> str:
    """Write the identity document; cloud-init tries long for one that is missing."""
    return json.dumps(
        {
            "accountId": around.account,
            "architecture": "x86_64",
            "availabilityZone": launch.zone,
            "imageId": launch.image_id,
            "instanceId": launch.instance_id,
            "instanceType": launch.instance_type,
            "pendingTime": _iso(around.pending_time),
            "privateIp": launch.private_ip,
            "region": around.region,
            "version": "2017-09-30",
        }
    )


def _group_and_spot(around: Surroundings) -> dict[str, str]:
    found = {}
    if around.target_lifecycle_state:
        found["meta-data/autoscaling/target-lifecycle-state"] = around.target_lifecycle_state
    if around.spot_action:
        action, time = around.spot_action
        found["meta-data/spot/instance-action"] = json.dumps({"action": action, "time": _iso(time)})
    return found


def _role(launch: Launch, around: Surroundings) -> dict[str, str]:
    if not around.role or not around.credentials:
        return {}
    now = _iso(datetime.now(UTC))
    profile = {"Code": "Success", "LastUpdated": now, "InstanceProfileArn": launch.profile_arn}
    role = {"Code": "Success", "LastUpdated": now, "Type": "AWS-HMAC", **around.credentials}
    return {
        "meta-data/iam/info": json.dumps(profile),
        f"meta-data/iam/security-credentials/{around.role}": json.dumps(role),
    }


def _iso(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
