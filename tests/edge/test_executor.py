"""Who carries requests out: chosen without a call to AWS, and shown with its reason."""

from pathlib import Path

import pytest

from worker.aws.clients import Clients
from worker.aws.executor import BOTO3_CONCURRENCY, LOOP_CONCURRENCY, choose
from worker.settings import Settings, read_settings

REGION = "us-east-2"
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have credentials, and no proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def settings(**changes: str) -> Settings:
    """Read settings that work."""
    url = "https://sqs.us-east-2.amazonaws.com/123456789012/uploads"
    return read_settings({"QUEUE_URL": url, "BUCKET": "files", **changes})


def test_the_event_loop_is_chosen_where_it_can() -> None:
    """Nobody listens there, and nobody is asked."""
    choice = choose(settings(), Clients(REGION, endpoint=NOWHERE))
    assert choice.name == "asyncio"
    assert choice.concurrency(settings()) == LOOP_CONCURRENCY
    assert choice.concurrency(settings(CONCURRENCY="7")) == 7


@pytest.mark.parametrize("place", ["BUCKET", "DST_BUCKET"])
def test_a_place_out_of_reach_is_boto3s(place: str) -> None:
    """Either bucket; `worker check` says why."""
    choice = choose(settings(**{place: "files--use2-az1--x-s3"}), Clients(REGION))
    assert choice.name == "boto3"
    assert "directory bucket" in choice.finding.detail
    assert choice.concurrency(settings()) == BOTO3_CONCURRENCY


def test_a_proxy_is_boto3s(monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows how to go through one."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    choice = choose(settings(), Clients(REGION))
    assert (choice.name, choice.why) == ("boto3", "a proxy is configured")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_used_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    """AWS_CA_BUNDLE names no file, or another one; boto3 will meet it, too, and say so."""
    bundle = tmp_path / "trusted.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    choice = choose(settings(), Clients(REGION))
    assert choice.name == "boto3"
    assert f"{bundle} cannot be used" in choice.why


def test_an_operator_may_have_boto3() -> None:
    """EXECUTOR=boto3."""
    asked = settings(EXECUTOR="boto3")
    assert choose(asked, Clients(REGION)).name == "boto3"


def test_without_credentials_it_is_boto3_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is botocore's own."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "credentials" in choose(settings(), Clients(REGION)).why
