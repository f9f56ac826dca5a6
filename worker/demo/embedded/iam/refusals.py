"""How each service says that the caller may not."""

import json
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from worker.demo.embedded.iam.asking import Asked

if TYPE_CHECKING:
    from worker.demo.embedded.iam.enforcement import Access

_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_REQUEST: Final = "00000000-0000-0000-0000-000000000000"
_JSON: Final = {"cloudwatch", "events", "kms", "logs", "sqs", "ssm"}
_QUERY_CODES: Final = {"cloudwatch", "sqs"}
"""JSON services that keep the error codes of their query days, in a header."""

Answer = tuple[str, list[tuple[str, str]], bytes]


def answer(asked: Asked, access: "Access") -> Answer:
    """Build the refusal: an HTTP status line, headers and a body, as the service writes them."""
    message = _message(access)
    if asked.service == "ec2":
        return _ec2(f"You are not authorized to perform this operation. {message}")
    if asked.service == "s3":
        inner = f"<Code>AccessDenied</Code><Message>{escape(message)}</Message>"
        return _xml(f"<Error>{inner}<RequestId>{_REQUEST}</RequestId></Error>")
    if asked.service == "lambda":
        body = json.dumps({"Message": message}).encode()
        headers = [_type("application/json"), ("x-amzn-errortype", "AccessDeniedException")]
        return "403 Forbidden", headers, body
    if asked.service in _JSON:
        return _json(asked.service, message)
    code = "AuthorizationError" if asked.service == "sns" else "AccessDenied"
    inner = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    request = f"<RequestId>{_REQUEST}</RequestId>"
    return _xml(f"<ErrorResponse><Error>{inner}</Error>{request}</ErrorResponse>")


def _message(access: "Access") -> str:
    why = (
        "with an explicit deny in a policy"
        if access.denied
        else f"because no identity-based policy allows the {access.action} action"
    )
    where = f"{access.action} on resource: {access.resource}"
    return f"User: {access.caller} is not authorized to perform: {where} {why}"


def _ec2(message: str) -> Answer:
    inner = f"<Code>UnauthorizedOperation</Code><Message>{escape(message)}</Message>"
    errors = f"<Errors><Error>{inner}</Error></Errors>"
    return _xml(f"<Response>{errors}<RequestID>{_REQUEST}</RequestID></Response>")


def _json(service: str, message: str) -> Answer:
    told = {"__type": "AccessDeniedException", "message": message, "Message": message}
    headers = [_type("application/x-amz-json-1.1")]
    if service in _QUERY_CODES:
        headers.append(("x-amzn-query-error", "AccessDenied;Sender"))
    status = "403 Forbidden" if service in _QUERY_CODES else "400 Bad Request"
    return status, headers, json.dumps(told).encode()


def _xml(body: str) -> Answer:
    return "403 Forbidden", [_type("text/xml")], (_XML + body).encode()


def _type(name: str) -> tuple[str, str]:
    return ("Content-Type", name)
