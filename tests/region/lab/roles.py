"""The role of an instance's profile, and credentials of it, as EC2 hands them to the instance."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from worker.demo.embedded.server import EmbeddedAws

LIFETIME: Final = timedelta(hours=6)
"""Longer than any lab: what an instance was given once holds ("Retrieve security credentials")."""

Client = Any
"""A boto3 client."""


@dataclass(frozen=True, slots=True)
class Session:
    """An instance in its role; the credentials are by the metadata service's names."""

    role: str
    credentials: Mapping[str, str]


class Roles:
    """Looks up profiles, and acts as their roles in the name of the instance."""

    def __init__(self, aws: EmbeddedAws, iam: Client) -> None:
        self._aws, self._iam = aws, iam
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def session(self, profile_arn: str | None, instance_id: str) -> Session | None:
        """Return the instance's credentials; None without a profile, or while it has no role."""
        if profile_arn is None:
            return None
        with self._lock:
            if instance_id not in self._sessions:
                name = profile_arn.rpartition("/")[2]
                profile = self._iam.get_instance_profile(InstanceProfileName=name)
                for role in profile["InstanceProfile"]["Roles"]:
                    self._sessions[instance_id] = self._begin(role, instance_id)
            return self._sessions.get(instance_id)

    def _begin(self, role: Mapping[str, str], instance_id: str) -> Session:
        given = self._aws.credentials(role["Arn"], instance_id)
        told = {
            "AccessKeyId": given["aws_access_key_id"],
            "SecretAccessKey": given["aws_secret_access_key"],
            "Token": given["aws_session_token"],
            "Expiration": f"{datetime.now(UTC) + LIFETIME:%Y-%m-%dT%H:%M:%SZ}",
        }
        return Session(role["RoleName"], told)
