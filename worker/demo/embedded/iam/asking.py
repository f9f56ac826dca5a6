"""A signed HTTP request, as IAM sees it: who asks which service for which operation, with what."""

import gzip
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from worker.demo.embedded.operations import operation_name
from worker.demo.embedded.patches import Moto

_CREDENTIAL: Final = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_READ_BODIES: Final = {"CreateBucket", "DeleteObjects"}
_MODELS: Final = {"monitoring": "cloudwatch", "servicequotas": "service-quotas"}
"""A service's signing name, where botocore calls its model otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `service` is the model's name, `parameters` are boto3's.

    For S3 the parameters are Bucket and Key, the query and the headers are in fields of their own,
    and `body` is that of CreateBucket and DeleteObjects.
    """

    access_key: str
    region: str
    service: str
    operation: str
    parameters: Mapping[str, Moto]
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: bytes


def read(environ: dict[str, Any]) -> Asked | None:
    """Read a WSGI environment, and leave its body to be read again; None if it is not signed."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    access_key, region, signed_for = found.groups()
    service = _MODELS.get(signed_for, signed_for)
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if service == "s3":
        operation, parameters = _of_s3(environ, query, headers)
        body = _body(environ) if operation in _READ_BODIES else b""
    else:
        body = _body(environ)
        operation, parameters = _of_model(service, environ, headers, body)
    return Asked(access_key, region, service, operation, parameters, headers, query, body)


def _of_s3(
    environ: Mapping[str, Any], query: Mapping[str, list[str]], headers: Mapping[str, str]
) -> tuple[str, Mapping[str, Moto]]:
    path = str(environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
    bucket, _, key = path.lstrip("/").partition("/")
    name = operation_name(environ["REQUEST_METHOD"], path, query, headers)
    return name, {"Bucket": unquote(bucket), "Key": key}


def _of_model(
    service: str, environ: dict[str, Any], headers: Mapping[str, str], body: bytes
) -> tuple[str, Mapping[str, Moto]]:
    plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    size = str(len(plain))
    request = Request({**environ, "wsgi.input": io.BytesIO(plain), "CONTENT_LENGTH": size})
    model = get_service_model(service)
    labels: Mapping[str, str] = {}
    if target := headers.get("x-amz-target"):
        operation = model.operation_model(target.rpartition(".")[2])
    elif action := request.values.get("Action"):
        operation = model.operation_model(action)
    else:
        operation, labels = get_service_router(service).match(request)
    protocol = determine_request_protocol(model, request.content_type)
    parsed = PROTOCOL_PARSERS[protocol](operation, map_type=dict).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": plain,
            "url_path": request.path,
            "url_params": labels,
        }
    )
    return str(operation.name), parsed


def _body(environ: dict[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    body: bytes = environ["wsgi.input"].read(int(length)) if length.isdigit() else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body
