"""Signature Version 4, for requests whose whole body is at hand. Pure.

Source: "Create a signed AWS API request" in the IAM user guide. The day's key is kept: what is
left is one hash and one HMAC a request.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Keys:
    """What to sign with; `token` of temporary credentials."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(slots=True)
class Signer:
    """Signs for one service in one region; `region` and `service` as the scope has them."""

    region: str
    service: str
    _stamps: tuple[int, str] = (-1, "")
    _day_keys: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def sign(
        self,
        keys: Keys,
        now: float,
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        body: bytes = b"",
    ) -> None:
        """Add date, token, body hash and signature to `headers`; `now` in Unix seconds.

        `path` and `query` as they go on the wire, the query sorted; `headers` in lower case, with
        `host`: all of them are signed.
        """
        stamp = self._stamp(int(now))
        headers["x-amz-date"] = stamp
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        body_hash = hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256
        if self.service == "s3":
            headers["x-amz-content-sha256"] = body_hash
        names, lines = _canonical(headers)
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}"
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"
        signature = hmac.digest(self._day_key(keys, stamp[:8]), to_sign.encode(), "sha256").hex()
        headers["authorization"] = (
            f"{ALGORITHM} Credential={keys.access_key}/{scope},"
            f" SignedHeaders={names}, Signature={signature}"
        )

    def _stamp(self, second: int) -> str:
        if self._stamps[0] != second:
            moment = datetime.fromtimestamp(second, UTC)
            self._stamps = (second, moment.strftime("%Y%m%dT%H%M%SZ"))
        return self._stamps[1]

    def _day_key(self, keys: Keys, day: str) -> bytes:
        known = self._day_keys.get((keys.secret_key, day))
        if known is None:
            known = f"AWS4{keys.secret_key}".encode()
            for part in (day, self.region, self.service, "aws4_request"):
                known = hmac.digest(known, part.encode(), "sha256")
            self._day_keys = {(keys.secret_key, day): known}  # yesterday's is of no more use
        return known


def _canonical(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the names, and the lines, of the headers in order."""
    names = sorted(headers)
    lines = "".join([f"{name}:{headers[name]}\n" for name in names])
    return ";".join(names), lines
