"""The metadata client against a real HTTP server that enforces version 2."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.imds_server import PATHS, FakeImds, imds_server

from worker.aws.imds import (
    TOKEN_TTL_SECONDS,
    ImdsClient,
    ImdsUnavailable,
    SpotAction,
    parse_spot_action,
    parse_time,
)


@pytest.fixture
def imds() -> Iterator[FakeImds]:
    """Serve the metadata of an ordinary instance in a group."""
    with imds_server(region="us-east-2", target_state="InService") as serving:
        yield serving


def test_a_token_comes_first_and_serves_many_questions(imds: FakeImds) -> None:
    """One PUT, and never a question without a token."""
    client = ImdsClient(imds.endpoint)
    assert client.instance_id() == "i-0123456789abcdef0"
    assert client.region() == "us-east-2"
    assert client.target_lifecycle_state() == "InService"
    assert imds.asked["PUT api/token"] == 1
    assert imds.asked["meta-data/instance-id"] == 1
    assert imds.ttls == [TOKEN_TTL_SECONDS]


def test_an_expired_token_is_renewed_within_the_question(imds: FakeImds) -> None:
    """A 401 costs one more token and one more GET, and no error."""
    client = ImdsClient(imds.endpoint)
    client.region()
    imds.expire_tokens()
    assert client.region() == "us-east-2"
    assert client.region() == "us-east-2"
    assert imds.asked["PUT api/token"] == 2
    assert imds.asked[PATHS["region"]] == 4


def test_a_service_that_refuses_its_own_tokens_is_not_asked_for_ever(imds: FakeImds) -> None:
    """One renewal a question, then it is unavailable."""
    imds.broken["meta-data/instance-id"] = 401
    client = ImdsClient(imds.endpoint)
    for _ in range(2):
        with pytest.raises(ImdsUnavailable, match="meta-data/instance-id: HTTP status 401"):
            client.instance_id()
    assert imds.asked["meta-data/instance-id"] == 3
    assert imds.asked["PUT api/token"] == 2


def test_what_is_not_there_is_none_but_an_identity_is_needed(imds: FakeImds) -> None:
    """404 means: no group, no notice. A service without an instance id is none."""
    imds.items.clear()
    client = ImdsClient(imds.endpoint)
    assert client.target_lifecycle_state() is None
    assert client.spot_instance_action() is None
    assert client.rebalance_recommendation() is None
    with pytest.raises(ImdsUnavailable, match="instance-id: not there"):
        client.instance_id()


def test_a_spot_notice_is_read_with_its_time(imds: FakeImds) -> None:
    """The form that the EC2 user guide shows."""
    imds.items[PATHS["spot"]] = '{"action": "terminate", "time": "2017-09-18T08:22:00Z"}'
    imds.items[PATHS["rebalance"]] = '{"noticeTime": "2020-10-27T08:22:00Z"}'
    client = ImdsClient(imds.endpoint)
    assert client.spot_instance_action() == SpotAction(
        "terminate", datetime(2017, 9, 18, 8, 22, tzinfo=UTC)
    )
    assert client.rebalance_recommendation() == datetime(2020, 10, 27, 8, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "terminate",
        "[]",
        '{"action": "terminate"}',
        '{"action": 1, "time": "2017-09-18T08:22:00Z"}',
        '{"action": "stop", "time": "soon"}',
        '{"action": "stop", "time": "0001-01-01T00:00:00+14:00"}',
        "[" * 50_000,
    ],
)
def test_an_unreadable_notice_is_said_so(imds: FakeImds, text: str) -> None:
    """A notice in a form that nobody knows is told with its path, and crashes nothing."""
    imds.items[PATHS["spot"]] = imds.items[PATHS["rebalance"]] = text
    client = ImdsClient(imds.endpoint)
    with pytest.raises(ImdsUnavailable, match="spot/instance-action"):
        client.spot_instance_action()
    with pytest.raises(ImdsUnavailable, match="recommendations/rebalance"):
        client.rebalance_recommendation()


@pytest.mark.parametrize("status", [403, 404, 500])
def test_without_a_token_there_is_no_service(imds: FakeImds, status: int) -> None:
    """403: turned off for this instance. 404: something else stands at the address."""
    imds.token_status = status
    with pytest.raises(ImdsUnavailable, match=f"no token: HTTP status {status}"):
        ImdsClient(imds.endpoint).instance_id()
    assert imds.asked == {"PUT api/token": 1}


def test_a_failing_service_is_unavailable_not_empty(imds: FakeImds) -> None:
    """A 503 must never read as "no notice"."""
    imds.broken[PATHS["spot"]] = 503
    with pytest.raises(ImdsUnavailable, match="HTTP status 503"):
        ImdsClient(imds.endpoint).spot_instance_action()


def test_disabled_asks_nobody(imds: FakeImds) -> None:
    """AWS_EC2_METADATA_DISABLED is obeyed before any connection."""
    with pytest.raises(ImdsUnavailable, match="AWS_EC2_METADATA_DISABLED"):
        ImdsClient(imds.endpoint, disabled=True).region()
    assert not imds.asked


def test_an_endpoint_may_end_with_a_slash(imds: FakeImds) -> None:
    """As botocore allows it."""
    assert ImdsClient(imds.endpoint + "/").region() == "us-east-2"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:{port}", "http://[oops", "nonsense", ""])
def test_nobody_at_the_address_is_unavailable(endpoint: str) -> None:
    """A closed port or an address that is none: one clear error, which names it."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ImdsUnavailable, match="does not answer"):
        ImdsClient(endpoint.format(port=port)).instance_id()


def test_a_host_that_accepts_and_says_nothing_does_not_hold_us() -> None:
    """The time-out ends it; without one this test would never end."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        endpoint = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(ImdsUnavailable, match="TimeoutError"):
            ImdsClient(endpoint).instance_id()


@given(st.text())
def test_no_text_crashes_the_notice_parser(text: str) -> None:
    """Whatever stands there is a notice or a ValueError."""
    try:
        notice = parse_spot_action(text)
    except ValueError:
        return
    assert notice.time.tzinfo is UTC


# hypothesis takes its bounds without a zone
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - see above


@given(
    moments,
    st.integers(min_value=-14, max_value=14),
)
def test_a_time_keeps_its_moment_whatever_its_zone(moment: datetime, hours: int) -> None:
    """Zones are folded into UTC; none means UTC."""
    zoned = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert parse_time(zoned.isoformat()) == zoned
    assert parse_time(moment.isoformat()) == moment.replace(tzinfo=UTC)
