"""The region lab's metadata service answers the worker's own client as EC2's would."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from region.lab.facts import Surroundings, facts_of
from region.lab.imds import MetadataService, Visitor

from worker.aws.imds import ImdsClient, SpotAction
from worker.demo.embedded.ec2.machines import Launch

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LAUNCH = Launch(
    instance_id="i-0123456789abcdef0",
    private_ip="127.0.0.1",
    image_id="ami-1",
    instance_type="t3.small",
    zone="us-east-2a",
    profile_arn="arn:aws:iam::123456789012:instance-profile/files-worker",
    user_data=b"\x1f\x8b not text",
    metadata_http_tokens="required",
    tags={"Name": "files"},
    group_name="files-workers",
)
AROUND = Surroundings(
    "123456789012",
    "us-east-2",
    MOMENT,
    public_key="ssh-ed25519 AAAA",
    target_lifecycle_state="InService",
    spot_action=("terminate", MOMENT),
    role="files-worker",
    credentials={"AccessKeyId": "ASIA"},
)


@pytest.fixture(scope="module")
def service() -> Iterator[MetadataService]:
    """Serve one instance, at 127.0.0.1."""
    visitors = {"127.0.0.1": Visitor(facts_of(LAUNCH, AROUND), tokens_required=True)}
    with MetadataService(visitors.get, ("127.0.0.1", 0)) as serving:
        yield serving


def ask(service: MetadataService, path: str, token: str = "") -> tuple[int, bytes]:
    """GET a path below /latest/."""
    url = f"http://127.0.0.1:{service.port}/latest/{path}"
    request = urllib.request.Request(url, headers={"X-aws-ec2-metadata-token": token})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - ours
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_workers_client_learns_all_that_it_asks_for(service: MetadataService) -> None:
    """Id, region, launch time, lifecycle, and the spot notice with its moment."""
    client = ImdsClient(f"http://127.0.0.1:{service.port}")
    assert client.instance_id() == LAUNCH.instance_id
    assert client.region() == "us-east-2"
    assert client.launch_time() == MOMENT
    assert client.target_lifecycle_state() == "InService"
    assert client.spot_instance_action() == SpotAction("terminate", MOMENT)
    assert client.rebalance_recommendation() is None


def test_nothing_is_told_without_the_visitors_own_token(service: MetadataService) -> None:
    """401 without one and with one made up; 404 only with a good one."""
    _, token = service.put("api/token", "60", "127.0.0.1")
    _, anothers = service.put("api/token", "60", "172.31.0.9")
    assert ask(service, "meta-data/instance-id")[0] == 401
    assert ask(service, "meta-data/instance-id", "made-up")[0] == 401
    assert ask(service, "meta-data/instance-id", anothers.decode())[0] == 401
    assert ask(service, "meta-data/nothing", token.decode())[0] == 404
    assert ask(service, "user-data", token.decode()) == (200, LAUNCH.user_data)


@pytest.mark.parametrize("ttl", [None, "", "0", "21601", "soon"])
def test_a_token_has_a_time_to_live(service: MetadataService, ttl: str | None) -> None:
    """1 to 21,600 seconds; anything else is a bad request."""
    assert service.put("api/token", ttl, "127.0.0.1") == (400, b"")


def test_a_folder_is_listed_as_cloud_init_reads_it(service: MetadataService) -> None:
    """A line a child, folders with a slash; public keys in their own form."""
    _, token = service.put("api/token", "60", "127.0.0.1")
    given = token.decode()
    assert b"placement/" in ask(service, "meta-data/", given)[1].split(b"\n")
    assert ask(service, "meta-data/iam/security-credentials/", given)[1] == b"files-worker"
    assert ask(service, "meta-data/public-keys/", given)[1] == b"0=key"
    assert ask(service, "meta-data/public-keys/0/openssh-key", given)[1] == b"ssh-ed25519 AAAA"


def test_version_one_answers_only_where_tokens_are_optional(service: MetadataService) -> None:
    """An instance whose template forgot to ask for tokens is seen to be open."""
    facts = {"meta-data/instance-id": b"i-1"}
    open_door = MetadataService(lambda _: Visitor(facts, tokens_required=False), ("127.0.0.1", 0))
    assert open_door.get("meta-data/instance-id", None, "127.0.0.1") == (200, b"i-1")
    assert service.get("meta-data/instance-id", None, "127.0.0.1") == (401, b"")
    open_door.close()
