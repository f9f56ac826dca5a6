"""Where requests go and how they are signed: learned from what botocore itself would send.

Endpoint rules, dual-stack, FIPS, virtual hosts, endpoints of one's own, the trusted certificates:
all of that is botocore's knowledge. One request is prepared by it and caught before it is sent.
"""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from worker.aws.http.pool import Origin

SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request,")

PROBE_KEY = "k"

DIRECTORY_BUCKET = "--x-s3"
"""How the names of S3 Express's buckets end; they are signed with a session's keys."""


class OutOfReachError(Exception):
    """Raised when a place asks for more than plain HTTP and SigV4: it is boto3's, then."""


@dataclass(frozen=True, slots=True)
class Place:
    """One bucket or queue. `path` goes before a key, or is the whole path; `agent` is botocore's.

    `region` and `service` as a signature's scope has them; `host` as the Host header has it.
    """

    origin: Origin
    host: str
    path: str
    region: str
    service: str
    agent: str


class _CaughtError(Exception):
    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__("caught before it was sent")
        self.request = request


def learn_bucket(client: Any, bucket: str, ca_bundle: str | None) -> Place:  # noqa: ANN401 - boto3's
    """Learn where a bucket is; raises OutOfReachError, and what botocore raises."""
    if bucket.endswith(DIRECTORY_BUCKET) or bucket.startswith("arn:"):
        raise OutOfReachError("directory buckets and access points have ways of their own to sign")
    place = _learn(
        client, "HeadObject", client.head_object, ca_bundle, Bucket=bucket, Key=PROBE_KEY
    )
    if not place.path.endswith(f"/{PROBE_KEY}"):
        raise OutOfReachError(f"keys stand in an unknown place of the path {place.path}")
    return Place(
        place.origin,
        place.host,
        place.path.removesuffix(PROBE_KEY),
        place.region,
        place.service,
        place.agent,
    )


def learn_queue(client: Any, url: str, ca_bundle: str | None) -> Place:  # noqa: ANN401 - boto3's
    """Learn where a queue's requests go; raises as `learn_bucket`."""
    return _learn(client, "ReceiveMessage", client.receive_message, ca_bundle, QueueUrl=url)


def _learn(
    client: Any,  # noqa: ANN401 - boto3's
    operation: str,
    call: Callable[..., Any],
    ca_bundle: str | None,
    **parameters: str,
) -> Place:
    request = _catch(client, operation, call, parameters)
    parts = urlsplit(request.url)
    scope = SCOPE.match(_header(request, "Authorization"))
    if not scope or parts.query:
        raise OutOfReachError("it is signed otherwise than with Signature Version 4")
    if get_environ_proxies(request.url):
        raise OutOfReachError("a proxy is configured")
    secure = parts.scheme == "https"
    origin = Origin(
        parts.hostname or "",
        parts.port or (443 if secure else 80),
        _tls(ca_bundle) if secure else None,
    )
    agent = _header(request, "User-Agent")
    return Place(origin, parts.netloc, parts.path, scope[1], scope[2], agent)


def _catch(
    client: Any,  # noqa: ANN401 - boto3's
    operation: str,
    call: Callable[..., Any],
    parameters: dict[str, str],
) -> AWSPreparedRequest:
    event = f"before-send.{client.meta.service_model.service_name}.{operation}"

    def catch(request: AWSPreparedRequest, **_: object) -> None:
        raise _CaughtError(request)

    client.meta.events.register_first(event, catch)
    try:
        call(**parameters)
    except _CaughtError as caught:
        return caught.request
    finally:
        client.meta.events.unregister(event, catch)
    raise OutOfReachError("botocore sends it in a way of its own")


def _header(request: AWSPreparedRequest, name: str) -> str:
    value: object = request.headers.get(name, "")  # its stubs know no bytes
    return value.decode() if isinstance(value, bytes) else str(value)


@cache
def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    """Trust whom botocore trusts."""
    trusted = ca_bundle or get_cert_path(verify=True)
    try:
        return ssl.create_default_context(cafile=trusted)
    except OSError as error:  # boto3 meets it at its first request, and says so
        raise OutOfReachError(f"the certificates of {trusted} cannot be used: {error}") from error
