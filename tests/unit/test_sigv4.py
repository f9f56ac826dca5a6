"""Our signatures are botocore's, for whatever is signed."""

from datetime import UTC, datetime
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from worker.aws.http.sigv4 import Keys, Signer

NOW = 1_790_000_000.5
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
SIGNED = ("if-match", "if-none-match", "x-amz-copy-source", "x-amz-copy-source-if-match")


def authorization_of_botocore(
    service: str,
    keys: Keys,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
) -> str:
    """Let botocore sign the same request at the same time."""
    url = f"https://{headers['host']}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, headers=dict(headers), data=body)
    request.context["timestamp"] = datetime.fromtimestamp(NOW, UTC).strftime("%Y%m%dT%H%M%SZ")
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = kind(Credentials(keys.access_key, keys.secret_key, keys.token), service, "us-east-2")
    if service == "s3":
        body_hash = signer.payload(request)
        request.headers["X-Amz-Content-SHA256"] = body_hash
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if keys.token:
        request.headers["X-Amz-Security-Token"] = keys.token
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    scope = signer.scope(request)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


@given(
    key=TEXT,
    service=st.sampled_from(["s3", "sqs"]),
    token=st.none() | ASCII,
    secret=ASCII,
    headers=st.dictionaries(st.sampled_from(SIGNED), ASCII),
    body=st.binary(max_size=50),
    upload=st.none() | TEXT,
)
def test_a_signature_is_botocores(
    key: str,
    service: str,
    token: str | None,
    secret: str,
    headers: dict[str, str],
    body: bytes,
    upload: str | None,
) -> None:
    """Any key, any conditions, temporary credentials or not, any body."""
    keys = Keys("AKIAEXAMPLE", secret, token)
    path = f"/bucket/{quote(key, safe='/~')}" if service == "s3" else "/"
    query = "" if upload is None else f"partNumber=7&uploadId={quote(upload, safe='~')}"
    headers["host"] = "bucket.s3.us-east-2.amazonaws.com"
    expected = authorization_of_botocore(service, keys, "PUT", path, query, headers, body)
    Signer("us-east-2", service).sign(keys, NOW, "PUT", path, query, headers, body)
    assert headers["authorization"] == expected


def test_another_day_and_other_keys_have_another_signing_key() -> None:
    """What is kept from one request is never used for a wrong one."""
    signer, seen = Signer("us-east-2", "s3"), set()
    for secret, now in [("a", NOW), ("b", NOW), ("a", NOW + 86_400), ("a", NOW)]:
        headers = {"host": "h"}
        signer.sign(Keys("AKIA", secret), now, "GET", "/", "", headers)
        fresh = {"host": "h"}
        Signer("us-east-2", "s3").sign(Keys("AKIA", secret), now, "GET", "/", "", fresh)
        assert headers == fresh
        seen.add(headers["authorization"])
    assert len(seen) == 3
