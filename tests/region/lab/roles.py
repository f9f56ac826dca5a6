"""The role of an instance's profile, and credentials of it, as EC2 hands them to the instance."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

RENEWED_BEFORE: Final = timedelta(minutes=15)
"""Credentials that end sooner are replaced."""

Client = Any
"""A boto3 client."""


@dataclass(frozen=True, slots=True)
class Session:
    """An instance in its role; the credentials are by the metadata service's names."""

    role: str
    credentials: Mapping[str, str]
    ends: datetime


class Roles:
    """Looks up profiles, and assumes their roles in the name of the instance."""

    def __init__(self, iam: Client, sts: Client) -> None:
        self._iam, self._sts = iam, sts
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def session(self, profile_arn: str | None, instance_id: str) -> Session | None:
        """Return the instance's credentials; None without a profile, or while it has no role."""
        if profile_arn is None:
            return None
        with self._lock:
            known = self._sessions.get(instance_id)
            if known and known.ends - datetime.now(UTC) > RENEWED_BEFORE:
                return known
            profile = self._iam.get_instance_profile(
                InstanceProfileName=profile_arn.rpartition("/")[2]
            )
            for role in profile["InstanceProfile"]["Roles"]:
                self._sessions[instance_id] = self._assume(role, instance_id)
                return self._sessions[instance_id]
            return None

    def _assume(self, role: Mapping[str, str], instance_id: str) -> Session:
        answer = self._sts.assume_role(RoleArn=role["Arn"], RoleSessionName=instance_id)
        given = answer["Credentials"]
        ends = given["Expiration"]
        told = {
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "Token": given["SessionToken"],
            "Expiration": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        }
        return Session(role["RoleName"], told, ends)
