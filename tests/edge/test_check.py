"""`worker check` against the embedded AWS: what it finds, what it would grant, what it touches.

What moto cannot refuse, a hook of botocore's refuses in the server's place.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.check_world import (
    BUCKET,
    Refusal,
    RefusingClients,
    World,
    check,
    make_queue,
    make_world,
    no_wait,
    worst,
)

from worker.aws.checks import check_guards, queue_facts, run_checks
from worker.errors import PreflightError
from worker.operator.preflight import GuardResult, Level, is_unsupported


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an honest AWS with a bucket and a queue."""
    with make_world(monkeypatch) as made:
        yield made


# --- what it touches ------------------------------------------------------------------------------


def test_all_is_well_in_a_world_that_has_all(world: World) -> None:
    """Exit status 0, and every line says ok."""
    result = world.worker("check")

    assert result.exit_code == 0
    assert {line.split()[0] for line in result.stdout.splitlines()} == {"ok"}


def test_check_leaves_nothing_behind_and_deletes_nothing(world: World) -> None:
    """The bucket holds what it held before, and the probe was really there."""
    world.put("uploads/mine")

    assert world.worker("check").exit_code == 0

    assert world.keys() == ["uploads/mine"]
    assert world.aws.requests["PutObject"] > 2


def test_check_leaves_no_version_and_no_marker_in_a_versioned_bucket(world: World) -> None:
    """Each version that the probe wrote is deleted by its id."""
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    assert world.worker("check").exit_code == 0

    assert world.keys() == []


def test_check_costs_a_waiting_message_no_receive(world: World) -> None:
    """A message is received for the first time after the check, not for the second."""
    url = world.environment["QUEUE_URL"]
    world.sqs.send_message(QueueUrl=url, MessageBody="wait")

    assert world.worker("check").exit_code == 0

    received = world.sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])
    assert received["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "1"


def test_offline_makes_no_request(world: World) -> None:
    """Settings and versions are told without any call."""
    world.aws.requests.clear()

    result = world.worker("check", "--offline")

    assert result.exit_code == 0
    assert "boto3 " in result.stdout
    assert not world.aws.requests.snapshot()


def test_the_probe_cleans_up_when_it_is_cut_off(world: World) -> None:
    """A fault of ours in the middle leaves no object either."""
    refusals = {"s3.CopyObject": Refusal(raises=RuntimeError("cut off"))}
    clients = RefusingClients(world.settings().region, refusals)

    with pytest.raises(RuntimeError, match="cut off"):
        check_guards(world.settings(), clients, no_wait)

    assert world.aws.requests["PutObject"] == 2
    assert world.keys() == []


# --- a store that does not keep its word ----------------------------------------------------------


def test_plain_moto_is_refused_and_every_ignored_guard_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Moto without corrections ignores four conditions; it does know DeleteObject's."""
    with make_world(monkeypatch, honest=False) as plain:
        result = plain.worker("check", "--json")

        found = {each["subject"]: each["guard"] for each in json.loads(result.stdout)["findings"]}
        assert result.exit_code == 3
        assert {name for name, guard in found.items() if guard == "ignored"} == {
            "guard: CopyObject If-None-Match",
            "guard: CopyObject If-Match",
            "guard: CopyObject x-amz-copy-source-if-match",
            "guard: DeleteObjects ETag",
        }
        assert found["guard: DeleteObject If-Match"] == "holds"
        assert plain.keys() == []


def test_a_versioned_store_that_lies_is_left_as_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions and markers that only came to be because a guard was ignored go as well."""
    with make_world(monkeypatch, honest=False) as plain:
        plain.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

        assert plain.worker("check").exit_code == 3

        assert plain.keys() == []


def test_best_effort_turns_ignored_guards_into_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """GUARDS=best-effort lets the worker run, and says what is lost."""
    with make_world(monkeypatch, honest=False) as plain:
        result = plain.worker("check", GUARDS="best-effort")

        assert result.exit_code == 0
        assert "warning  guard: CopyObject If-None-Match: ignored" in result.stdout


def test_a_501_is_unsupported_and_the_guard_is_named(world: World) -> None:
    """A store that does not implement one header is not said to ignore it, nor the others."""
    header = "x-amz-copy-source-if-match"
    refusal = Refusal("NotImplemented", "not implemented", 501, header=header)

    found = check(world, {"s3.CopyObject": refusal})

    assert found[f"guard: CopyObject {header}"].guard is GuardResult.UNSUPPORTED
    assert found[f"guard: CopyObject {header}"].level is Level.FAILURE
    assert found["guard: CopyObject If-None-Match"].guard is GuardResult.HOLDS
    assert is_unsupported(found.values())


# --- identity, queue, buckets ---------------------------------------------------------------------


def test_without_credentials_that_is_the_only_finding(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else would fail for the same reason."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")

    found = run_checks(world.settings(), world.clients(), no_wait)

    assert [(each.level, each.subject) for each in found] == [(Level.FAILURE, "identity")]
    assert "NoCredentialsError" in found[0].detail


def test_invalid_credentials_are_a_failure(world: World) -> None:
    """STS does not know the key."""
    refusal = Refusal("InvalidClientTokenId", "The security token is invalid")

    assert worst(check(world, {"sts.GetCallerIdentity": refusal})) == ["identity"]


@pytest.mark.parametrize("words", ["Signature expired: 20260101T", "Signature not yet current: 2"])
def test_a_wrong_clock_is_told_from_wrong_credentials(world: World, words: str) -> None:
    """Whoever signs at another time than AWS's has to look at the clock, not at the keys."""
    found = check(world, {"sts.GetCallerIdentity": Refusal("SignatureDoesNotMatch", words)})

    assert worst(found) == ["identity"]
    assert "clock" in found["identity"].hint


def test_an_identity_that_may_not_be_asked_is_only_a_warning(world: World) -> None:
    """The worker itself never calls STS."""
    found = check(world, {"sts.GetCallerIdentity": Refusal()})

    assert found["identity"].level is Level.WARNING
    assert worst(found) == []


def test_a_missing_bucket_is_said_to_be_missing(world: World) -> None:
    """HeadObject's 404 could not tell; the listing does."""
    result = world.worker("check", BUCKET="another")

    assert result.exit_code == 3
    assert "NoSuchBucket" in result.stdout
    assert "create the bucket, or correct BUCKET" in result.stdout


def test_a_missing_queue_is_said_to_be_missing(world: World) -> None:
    """One finding for the queue, with what to do."""
    url = f"{world.aws.endpoint_url}/123456789012/nowhere"

    result = world.worker("check", QUEUE_URL=url)

    assert result.exit_code == 3
    assert "NonExistentQueue" in result.stdout
    assert "correct QUEUE_URL" in result.stdout


def test_the_queues_facts_are_read(world: World) -> None:
    """Attributes become numbers."""
    url = make_queue(world.sqs, "short", receives=2, visibility=33)

    facts = queue_facts(world.settings(QUEUE_URL=url), world.clients(), no_wait)

    assert (facts.has_dlq, facts.max_receive_count, facts.visibility_timeout) == (True, 2, 33)
    assert facts.arn == "arn:aws:sqs:us-east-2:123456789012:short"


def test_a_queue_without_redrive_policy_has_no_dlq(world: World) -> None:
    """Then rejects back off, and the check warns of it."""
    url = make_queue(world.sqs, "alone", receives=None)

    found = check(world, {}, QUEUE_URL=url)

    assert not queue_facts(world.settings(QUEUE_URL=url), world.clients(), no_wait).has_dlq
    assert found["dead-letter queue"].level is Level.WARNING
    assert "backs off" in found["dead-letter queue"].detail


def test_facts_of_a_missing_queue_are_a_preflight_error(world: World) -> None:
    """The error says what to do next."""
    url = f"{world.aws.endpoint_url}/123456789012/nowhere"

    with pytest.raises(PreflightError, match="worker check"):
        queue_facts(world.settings(QUEUE_URL=url), world.clients(), no_wait)


def test_without_settings_the_exit_status_is_2_and_every_fault_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is asked of AWS before the settings can work."""
    with make_world(monkeypatch) as world:
        world.aws.requests.clear()
        result = world.worker("check", QUEUE_URL="", BUCKET="")

        assert result.exit_code == 2
        assert "QUEUE_URL: missing" in result.stderr
        assert "BUCKET: missing" in result.stderr
        assert not world.aws.requests.snapshot()


def test_a_settings_file_is_read_and_its_slips_are_warned_of(world: World, tmp_path: Path) -> None:
    """SETTINGS_FILE names a TOML file; the environment wins over it."""
    file = tmp_path / "worker.toml"
    file.write_text('DST_PREFIX = "done/"\nCONCURENCY = 4\n')

    result = world.worker("check", "--offline", SETTINGS_FILE=str(file))

    assert "s3://files/uploads/ -> s3://files/done/" in result.stdout
    assert "CONCURENCY (did you mean CONCURRENCY?)" in result.stdout


def test_a_settings_file_that_is_no_toml_is_a_fault_of_the_settings(
    world: World, tmp_path: Path
) -> None:
    """Exit status 2, and the file is named."""
    file = tmp_path / "worker.toml"
    file.write_text("BUCKET: files")

    result = world.worker("check", "--offline", SETTINGS_FILE=str(file))

    assert result.exit_code == 2
    assert f"{file} is not TOML" in result.stderr
