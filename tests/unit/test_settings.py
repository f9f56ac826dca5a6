"""Settings: from text to values, every fault told at once and by name."""

import pytest

from worker.core.move import MoveRules, OnConflict
from worker.core.multipart import MEBIBYTE
from worker.core.pipeline import Rules
from worker.core.plan import Route
from worker.core.port import Location
from worker.core.verdict import OnMalformed, OnMissing, VerdictRules
from worker.errors import ExitCode, SettingsError
from worker.settings import RELOADABLE, Settings, read_settings

QUEUE_URL = "https://sqs.us-east-2.amazonaws.com/123456789012/uploads"
LEAST = {"QUEUE_URL": QUEUE_URL, "BUCKET": "acme-inbox"}
EVERYTHING = {
    "QUEUE_URL": QUEUE_URL,
    "REGION": "eu-west-1",
    "BUCKET": "acme-inbox",
    "SRC_PREFIX": "in/",
    "DST_BUCKET": "acme-archive",
    "DST_PREFIX": "",
    "ON_CONFLICT": "keep-both",
    "ON_MISSING": "reject",
    "ON_MALFORMED": "drop",
    "PRESERVE": "storage-class,encryption",
    "MULTIPART_THRESHOLD": "8388608",
    "PART_SIZE": "5242880",
    "CONCURRENCY": "7",
    "EXECUTOR": "boto3",
    "VISIBILITY_TIMEOUT": "43200",
    "WAIT_TIME_SECONDS": "0",
    "DRAIN_SECONDS": "1",
    "GUARDS": "best-effort",
    "LOG_LEVEL": "debug",
    "LOG_FORMAT": "console",
    "SUMMARY_SECONDS": "5",
    "LIFECYCLE_HOOK": "drain",
}
NAMES = sorted(EVERYTHING)


def faults_of(environment: dict[str, str], file: dict[str, object] | None = None) -> list[str]:
    """Return what is wrong with settings that cannot work."""
    with pytest.raises(SettingsError) as caught:
        read_settings(environment, file)
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    return list(caught.value.faults)


def named_faults(environment: dict[str, str], file: dict[str, object] | None = None) -> list[str]:
    """Return the names of the settings at fault, sorted."""
    return sorted(fault.split(":")[0] for fault in faults_of(environment, file))


# --- what is read ---------------------------------------------------------------------------------


def test_a_queue_and_a_bucket_are_enough() -> None:
    """All else has a default; the region stands in the queue's URL."""
    route = Route(Location("acme-inbox", "uploads/"), Location("acme-inbox", "processed/"))
    assert read_settings(LEAST) == Settings(QUEUE_URL, "us-east-2", Rules(route))


def test_every_setting_has_its_effect() -> None:
    """Each name, set to something other than its default."""
    assert read_settings(EVERYTHING) == Settings(
        queue_url=QUEUE_URL,
        region="eu-west-1",
        rules=Rules(
            Route(Location("acme-inbox", "in/"), Location("acme-archive", "")),
            MoveRules(
                OnConflict.KEEP_BOTH,
                preserve_storage_class=True,
                preserve_encryption=True,
                multipart_threshold=8 * MEBIBYTE,
                part_size=5 * MEBIBYTE,
            ),
            VerdictRules(OnMissing.REJECT, OnMalformed.DROP),
        ),
        concurrency=7,
        executor="boto3",
        visibility_timeout=43_200,
        wait_time_seconds=0,
        drain_seconds=1,
        guards_required=False,
        log_level="debug",
        log_format="console",
        summary_seconds=5,
        lifecycle_hook="drain",
    )


@pytest.mark.parametrize("environment", [LEAST, EVERYTHING], ids=["least", "everything"])
def test_named_gives_back_what_was_read(environment: dict[str, str]) -> None:
    """Every setting by its name, as a text that reads as the same settings again."""
    settings = read_settings(environment)
    named = settings.named()
    assert sorted(named) == NAMES
    assert read_settings(named) == settings
    assert {name: named[name] for name in environment} == environment


def test_a_reload_takes_what_is_safe_and_nothing_else() -> None:
    """What changes is what RELOADABLE names."""
    old, new = read_settings(LEAST), read_settings(EVERYTHING)
    mixed = old.with_reloadable(new).named()
    for name in NAMES:
        assert mixed[name] == (new if name in RELOADABLE else old).named()[name], name
    assert set(NAMES) >= RELOADABLE


def test_the_environment_wins_over_the_file() -> None:
    """Name by name; the file's names may be in small letters, as TOML likes them."""
    file = {"concurrency": 3, "bucket": "from-file", "LOG_LEVEL": "error"}
    settings = read_settings({**LEAST, "LOG_LEVEL": "debug"}, file)
    assert (settings.concurrency, settings.log_level) == (3, "debug")
    assert settings.source.bucket == "acme-inbox"


def test_an_empty_variable_leaves_the_file_its_say() -> None:
    """A unit file that sets a name to nothing has not set it."""
    assert read_settings({**LEAST, "CONCURRENCY": ""}, {"concurrency": 3}).concurrency == 3


def test_an_empty_prefix_is_a_prefix() -> None:
    """Empty says: no prefix. It wins over the file's."""
    settings = read_settings({**LEAST, "DST_PREFIX": ""}, {"dst_prefix": "elsewhere/"})
    assert settings.destination == Location("acme-inbox", "")


def test_a_list_in_the_file_is_several_choices() -> None:
    """TOML has lists; the environment has commas."""
    in_file = read_settings(LEAST, {"preserve": ["encryption", "storage-class"]})
    in_environment = read_settings({**LEAST, "PRESERVE": " storage-class , encryption,"})
    assert in_file == in_environment
    assert in_file.rules.moves.preserve_encryption
    assert in_file.rules.moves.preserve_storage_class


def test_unknown_names_of_the_file_are_told_with_what_was_meant() -> None:
    """A slip of the pen must not pass in silence; in the environment anything may stand."""
    file = {"concurency": 3, "zzz": 1, "region": "eu-west-1", "aws_region": "eu-west-1"}
    settings = read_settings({**LEAST, "CONCURENCY": "x"}, file)
    assert settings.unknown == ("CONCURENCY (did you mean CONCURRENCY?)", "ZZZ")


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        ({"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({}, "us-east-2"),
        ({"QUEUE_URL": "https://us-gov-west-1.queue.amazonaws.com/1/q"}, "us-gov-west-1"),
    ],
)
def test_the_region_is_taken_from_the_nearest_place(
    environment: dict[str, str], region: str
) -> None:
    """REGION, then AWS's own names, then the queue's URL."""
    assert read_settings({**LEAST, **environment}).region == region


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5242880", 5 * MEBIBYTE),
        ("64MiB", 64 * MEBIBYTE),
        ("6144 kib", 6 * MEBIBYTE),
        ("1GIB", 1024 * MEBIBYTE),
    ],
)
def test_sizes_may_have_units(text: str, size: int) -> None:
    """Bytes, KiB, MiB or GiB, in letters of any size."""
    assert read_settings({**LEAST, "PART_SIZE": text}).rules.moves.part_size == size


def test_without_a_queue_only_where_none_is_needed() -> None:
    """The Lambda function, `explain` and `sweep` receive nothing themselves."""
    environment = {"BUCKET": "acme-inbox", "REGION": "eu-west-1"}
    assert read_settings(environment, needs_queue=False).queue_url == ""
    assert named_faults(environment) == ["QUEUE_URL"]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QUEUE_URL", "uploads", "'uploads' is not the queue's URL"),
        ("QUEUE_URL", QUEUE_URL + "/more", "is not the queue's URL"),
        ("BUCKET", "Acme_Inbox", "'Acme_Inbox' is not a bucket name"),
        ("BUCKET", "", "missing; it must be a bucket name"),
        ("DST_BUCKET", "a", "'a' is not a bucket name"),
        ("SRC_PREFIX", "", "empty: every object of the bucket would be moved"),
        ("SRC_PREFIX", "up", "did you mean 'up/'?"),
        ("DST_PREFIX", "done", "did you mean 'done/'?"),
        ("DST_PREFIX", "uploads/", "the same place as the source (s3://acme-inbox/uploads/)"),
        ("DST_PREFIX", "uploads/done/", "is inside the source"),
        ("ON_CONFLICT", "overwrite", "'overwrite' is not one of replace, keep-both, reject"),
        ("ON_MISSING", "drop", "'drop' is not one of ack, reject"),
        ("ON_MALFORMED", "ack", "'ack' is not one of reject, drop"),
        ("GUARDS", "off", "'off' is not one of required, best-effort"),
        ("LOG_LEVEL", "INFO", "'INFO' is not one of debug, info, warning, error"),
        ("LOG_FORMAT", "text", "'text' is not one of auto, json, console"),
        ("PRESERVE", "acl,encryption", "'acl' is not one of storage-class, encryption"),
        ("CONCURRENCY", "0", "0 is out of range; 1 to 1024 would do"),
        ("CONCURRENCY", "1025", "1025 is out of range; 1 to 1024 would do"),
        ("CONCURRENCY", "many", "'many' is not a whole number"),
        ("CONCURRENCY", "1_0", "'1_0' is not a whole number"),
        ("VISIBILITY_TIMEOUT", "0", "0 is out of range"),
        ("VISIBILITY_TIMEOUT", "43201", "1 to 43200 would do"),
        ("WAIT_TIME_SECONDS", "21", "0 to 20 would do"),
        ("WAIT_TIME_SECONDS", "-1", "-1 is out of range"),
        ("DRAIN_SECONDS", "7201", "1 to 7200 would do"),
        ("DRAIN_SECONDS", "20", "20 is not above WAIT_TIME_SECONDS (20)"),
        ("SUMMARY_SECONDS", "0", "1 to 86400 would do"),
        ("MULTIPART_THRESHOLD", "0", "1 to 5368709120 bytes would do"),
        ("MULTIPART_THRESHOLD", "6GiB", "6GiB is out of range"),
        ("PART_SIZE", "4MiB", "5242880 to 5368709120 bytes would do"),
        ("PART_SIZE", "5MB", "'5MB' is not a size"),
    ],
)
def test_what_cannot_work_is_refused_by_name(name: str, value: str, said: str) -> None:
    """The message names the setting, and says what would do."""
    (fault,) = faults_of({**LEAST, "REGION": "eu-west-1", name: value})
    assert fault.startswith(f"{name}: ")
    assert said in fault


@pytest.mark.parametrize(
    "name",
    ["CONCURRENCY", "VISIBILITY_TIMEOUT", "WAIT_TIME_SECONDS", "DRAIN_SECONDS", "SUMMARY_SECONDS"],
)
def test_the_ends_of_each_range_are_inside_it(name: str) -> None:
    """The numbers that a refusal names are good ones."""
    (fault,) = faults_of({**LEAST, name: "999999"})
    least, most = fault.split("; ")[1].removesuffix(" would do").split(" to ")
    others = {"DRAIN_SECONDS": "7200", "WAIT_TIME_SECONDS": "0"}
    for end in (least, most):
        assert read_settings({**LEAST, **others, name: end}).named()[name] == end


def test_a_missing_region_is_told_how_to_set() -> None:
    """A queue's URL of an emulator tells none."""
    environment = {**LEAST, "QUEUE_URL": "http://127.0.0.1:4566/000000000000/q"}
    (fault,) = faults_of(environment)
    assert fault == "REGION: missing; set REGION or AWS_REGION, such as us-east-2"


def test_every_fault_is_told_at_once() -> None:
    """Nobody should have to start the worker five times to learn of five slips."""
    wrong = {
        **dict.fromkeys(NAMES, "?"),
        "REGION": "",
        "QUEUE_URL": "",
        "DST_PREFIX": "!",
        "DRAIN_SECONDS": "3",
        "LIFECYCLE_HOOK": "any",
    }
    assert named_faults(wrong) == sorted({*NAMES} - {"LIFECYCLE_HOOK"})


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}])
def test_a_file_may_hold_texts_lists_and_whole_numbers(value: object) -> None:
    """TOML knows more kinds of values than a setting can be."""
    (fault,) = faults_of(LEAST, {"concurrency": value})
    assert fault == f"CONCURRENCY: {value!r} is not a text or a whole number"


def test_another_bucket_may_have_any_prefix() -> None:
    """No event of ours comes from there: no loop."""
    environment = {**LEAST, "DST_BUCKET": "acme-archive", "DST_PREFIX": "uploads/"}
    assert read_settings(environment).destination == Location("acme-archive", "uploads/")
