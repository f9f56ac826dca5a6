"""Scaling activities: what a group did, and why it could not."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

IN_PROGRESS: Final = "InProgress"
WAITING: Final = "MidLifecycleAction"
DONE: Final = "Successful"
FAILED: Final = "Failed"
CANCELLED: Final = "Cancelled"


def moment(seconds: float) -> datetime:
    """Give Unix seconds as boto3 gives a time."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(slots=True)
class Activity:
    """One launch or termination, in the fields of the API's Activity.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
    """

    auto_scaling_group_name: str
    auto_scaling_group_arn: str
    description: str
    cause: str
    start_time: datetime
    details: str
    status_code: str = IN_PROGRESS
    status_message: str | None = None
    end_time: datetime | None = None
    progress: int = 0
    activity_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def end(self, now: float, status: str = DONE, message: str | None = None) -> None:
        """Close it."""
        self.status_code, self.status_message = status, message
        self.end_time, self.progress = moment(now), 100


def details(subnet_id: str | None, zone: str | None) -> str:
    """Write where it happened, as the API does."""
    return json.dumps({"Subnet ID": subnet_id, "Availability Zone": zone})
