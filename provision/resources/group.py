"""The Auto Scaling group: what is wanted of it, in normal form. Pure; group_provider.py talks.

The template's version is a number that AWS gives, so the group is compared by what its version
holds: AMI, type, and a fingerprint of all of it.
"""

from collections.abc import Mapping
from typing import Final

from provision.core.plan import Intention
from provision.core.resource import Json, Key, Property, Wanted, tag_properties
from provision.resources.launch_template import NO_IMAGE
from provision.resources.security_group import NO_NETWORK
from provision.resources.template_data import readable, template_properties, values_of
from provision.spec.blueprint import Blueprint, Image, Network
from provision.spec.worker_environment import LIFECYCLE_HOOK

KIND: Final = "group"

TEMPLATE: Final = "LaunchTemplate"
MIXED: Final = "MixedInstancesPolicy"
HOOK: Final = f"hook:{LIFECYCLE_HOOK}"
"""The termination hook: ours by its name, for hooks have no tags."""

SUSPENDED: Final = "SuspendedProcesses"
SUBNETS: Final = "VPCZoneIdentifier"

GRACE_SECONDS: Final = 60
WARMUP_SECONDS: Final = 60
"""From InService to work: boot, preflight and first receive take about half of it (rule 32)."""

HOOK_MARGIN_SECONDS: Final = 60
"""Beyond the drain: 30 s for completing the hook, and some air. Heartbeats add more."""

HOOK_SECONDS: Final = (30, 7200)
"""What a hook's heartbeat timeout may be (rule 33)."""

METRICS: Final = (
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupMaxSize",
    "GroupMinSize",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)
"""The scaler, the alarms and the dashboard read them; AWS counts nothing unless asked (rule 31)."""

METRIC_GRANULARITY: Final = "1Minute"

REPLACED: Final = "every instance is replaced, the new one first; each drains before it goes"


def intention(blueprint: Blueprint) -> Intention:
    """Return what is wanted of the group; it waits for an image and a network."""
    key = Key(KIND, blueprint.names.group)
    if blueprint.image is None:
        return Intention(key, None, waits_for=NO_IMAGE)
    if blueprint.network is None:
        return Intention(key, None, waits_for=NO_NETWORK)
    return Intention(key, worker_group(blueprint, blueprint.image, blueprint.network))


def worker_group(blueprint: Blueprint, image: Image, network: Network) -> Wanted:
    """Return the group. Its desired capacity is the scaler's, where there is one (rule 39)."""
    values = values_of(template_properties(blueprint, image))
    return Wanted(
        Key(KIND, blueprint.names.group),
        (
            Property(TEMPLATE, readable(values), "what new instances are", REPLACED),
            Property(MIXED, mixed_policy(blueprint), "spot capacity, if wished", REPLACED),
            *_sizes(blueprint),
            Property(SUBNETS, sorted(network.subnets), "zones that offer the type (rule 35)"),
            *_replacing(),
            Property(
                HOOK,
                _hook(blueprint.stack.worker.drain_seconds),
                "an instance finishes its work before it goes (rule 33)",
            ),
            Property(SUSPENDED, [], "nothing is held up"),
            *(
                Property(f"metric:{name}", METRIC_GRANULARITY, "counted only if asked (rule 31)")
                for name in METRICS
            ),
            *tag_properties(blueprint.tags),
        ),
    )


def _sizes(blueprint: Blueprint) -> tuple[Property, ...]:
    sizes = blueprint.sizes
    fewer = "instances beyond it drain and go (rule 39)"
    fixed = blueprint.stack.scaling.policy == "none"
    return (
        *((_desired(sizes.desired, fewer),) if fixed else ()),
        Property("MinSize", sizes.minimum, "instances at least"),
        Property("MaxSize", sizes.maximum, "instances at most", fewer),
    )


def _desired(count: int, disrupts: str) -> Property:
    return Property("DesiredCapacity", count, "there is no scaler to decide it", disrupts)


def _replacing() -> tuple[Property, ...]:
    """How AWS looks after instances: one that works is never taken before its successor works."""
    return (
        Property("HealthCheckType", "EC2", "there is no load balancer"),
        Property("HealthCheckGracePeriod", GRACE_SECONDS, "time to boot"),
        Property("DefaultInstanceWarmup", WARMUP_SECONDS, "when a new one counts (rule 32)"),
        Property(
            "InstanceMaintenancePolicy",
            {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200},
            "the new one first, then the old one goes (rule 27)",
        ),
        Property(
            "NewInstancesProtectedFromScaleIn",
            value=False,
            why="a refresh would stall (rule 28)",
        ),
    )


def _hook(drain_seconds: int) -> Json:
    least, most = HOOK_SECONDS
    return {
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "HeartbeatTimeout": min(max(drain_seconds + HOOK_MARGIN_SECONDS, least), most),
        "DefaultResult": "CONTINUE",
    }


def mixed_policy(blueprint: Blueprint) -> Mapping[str, Json] | None:
    """Return the spot policy in normal form, None for on-demand instances."""
    instances = blueprint.stack.instances
    if not instances.spot:
        return None
    return {
        "InstanceTypes": list(dict.fromkeys((instances.type, *instances.spot_types))),
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 0,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
