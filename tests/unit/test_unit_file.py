"""What systemd is given: the units and the journal's drop-in."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from provision.spec.user_data import LOG_FILE
from worker.aws.asking import LONGEST_WAIT_SECONDS, MAX_TRIES
from worker.aws.clients import CONNECT_TIMEOUT_SECONDS
from worker.errors import ExitCode
from worker.host import log_copy
from worker.host.lifecycle import COMPLETION_SECONDS, SPOT_MARGIN_SECONDS
from worker.settings import read_settings

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "s3-event-worker.service"
FAILED_UNIT = SYSTEMD / "s3-event-worker-failed.service"
LOG_UNIT = SYSTEMD / "s3-event-worker-log.service"
JOURNAL = SYSTEMD / "journald-s3-event-worker.conf"
BIN = "/opt/s3-event-worker/bin"
QUEUE_URL = "https://sqs.us-east-2.amazonaws.com/123456789012/uploads"
PROGRAM = f"{BIN}/worker"
SPOT_WARNING_SECONDS = 120
"""What EC2 gives ("Spot Instance interruption notices")."""

needs_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine"
)


def directives(path: Path) -> dict[str, list[str]]:
    """Read a file of systemd's; each directive with its values in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def analyze(
    tmp_path: Path, text: str, *arguments: str, name: str = UNIT.name
) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze on a copy of a unit whose program is on this machine."""
    copy = tmp_path / name
    copy.write_text(re.sub(rf"{BIN}/\w+", "/bin/true", text), encoding="utf-8")
    return subprocess.run(
        ["systemd-analyze", *arguments, str(copy)],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@needs_systemd_analyze
@pytest.mark.parametrize("unit", [UNIT, FAILED_UNIT, LOG_UNIT], ids=lambda unit: unit.stem)
def test_systemd_understands_every_line(tmp_path: Path, unit: Path) -> None:
    """An unknown key is only a warning, so not even that may be said."""
    done = analyze(tmp_path, unit.read_text(encoding="utf-8"), "verify", name=unit.name)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@needs_systemd_analyze
def test_a_misspelt_directive_would_be_noticed(tmp_path: Path) -> None:
    """The test above can fail, though systemd answers 0."""
    text = UNIT.read_text(encoding="utf-8").replace("ProtectClock=", "ProtectClocks=")
    done = analyze(tmp_path, text, "verify")
    assert "ProtectClocks" in done.stderr


@needs_systemd_analyze
@pytest.mark.parametrize(
    ("unit", "tenths"),
    [(UNIT, 11), (FAILED_UNIT, 11), (LOG_UNIT, 2)],
    ids=[UNIT.stem, FAILED_UNIT.stem, LOG_UNIT.stem],
)
def test_the_exposure_is_no_higher_than_the_network_asks_for(
    tmp_path: Path, unit: Path, tenths: int
) -> None:
    """1.1 of 10 with the network, 0.2 without; and one directive less is too much."""
    text = unit.read_text(encoding="utf-8")
    security = ("security", "--offline=true", f"--threshold={tenths}", "--no-pager")
    done = analyze(tmp_path, text, *security)
    assert done.returncode == 0, done.stdout
    weaker = text.replace("RestrictNamespaces=yes\n", "")
    assert analyze(tmp_path, weaker, *security).returncode != 0


@pytest.mark.parametrize("unit", [UNIT, LOG_UNIT], ids=lambda unit: unit.stem)
def test_every_hardening_line_has_its_reason(unit: Path) -> None:
    """A comment stands above each, or above the at most three that belong together."""
    _, _, hardening = unit.read_text(encoding="utf-8").partition("# --- hardening")
    block, _, _ = hardening.partition("[Install]")
    groups = re.findall(r"((?:^#.*\n)*)((?:^\w+=.*\n)+)", block, re.MULTILINE)
    assert len(groups) > 25
    for reason, lines in groups:
        assert reason, lines
        assert lines.count("\n") <= 3, lines


def test_the_service_tells_when_it_is_ready_and_is_watched() -> None:
    """Type=notify, SIGHUP reloads, and the programs and files are where the image has them."""
    unit = directives(UNIT)
    assert unit["Type"] == ["notify"]
    assert unit["ExecStart"] == [f"{PROGRAM} run"]
    assert unit["EnvironmentFile"] == ["/etc/s3-event-worker/worker.env"]
    assert "kill -HUP $MAINPID" in unit["ExecReload"][0]
    assert int(unit["WatchdogSec"][0]) > 20 + 60
    assert 0 < int(unit["TimeoutStartSec"][0]) < 600


def test_a_start_that_reaches_nobody_is_told_of_before_its_time_is_over() -> None:
    """STS, the queue and both prefixes, each tried to the end: packets that nobody answers."""
    each = MAX_TRIES * CONNECT_TIMEOUT_SECONDS + (MAX_TRIES - 1) * LONGEST_WAIT_SECONDS
    assert 4 * each < int(directives(UNIT)["TimeoutStartSec"][0])


def test_the_reload_command_sends_sighup_to_the_main_process() -> None:
    """What systemd would run, run on a process of our own."""
    (command,) = directives(UNIT)["ExecReload"]
    shell, flag, script = command.split(" ", 2)
    with subprocess.Popen(["/bin/sleep", "60"]) as sleeper:
        environment = {"MAINPID": str(sleeper.pid)}
        subprocess.run([shell, flag, script.strip('"')], env=environment, check=True, timeout=30)
        assert sleeper.wait(timeout=30) == -1


def test_a_stop_has_time_for_the_drain_and_the_hook() -> None:
    """By default; a spot notice leaves less than that in any case."""
    seconds = int(directives(UNIT)["TimeoutStopSec"][0])
    drain = read_settings({"QUEUE_URL": QUEUE_URL, "BUCKET": "bucket"}).drain_seconds
    assert seconds > drain + COMPLETION_SECONDS
    assert seconds > SPOT_WARNING_SECONDS - SPOT_MARGIN_SECONDS + COMPLETION_SECONDS


def hardening(path: Path) -> list[str]:
    """Read the directives below the line that announces them."""
    _, _, below = path.read_text(encoding="utf-8").partition("# --- hardening")
    _, *lines = below.partition("[Install]")[0].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def statuses(value: str) -> set[int]:
    """Read a list of exit statuses."""
    return {int(status) for status in value.split()}


def test_a_stop_that_was_asked_for_is_no_failure_and_wrong_settings_are_not_tried_at_once() -> None:
    """A drain that was cut short neither restarts the worker nor condemns the instance."""
    unit = directives(UNIT)
    assert unit["Restart"] == ["on-failure"]
    assert statuses(unit["SuccessExitStatus"][0]) == {ExitCode.DRAIN_CUT_SHORT, 128 + 2, 128 + 15}
    assert statuses(unit["RestartPreventExitStatus"][0]) == {ExitCode.SETTINGS}


def test_five_stalls_in_a_row_are_hopeless_to_systemd() -> None:
    """The window holds so many rounds of watchdog, abort and pause; then OnFailure= begins."""
    unit = directives(UNIT)
    window = int(unit["StartLimitIntervalSec"][0].removesuffix("min")) * 60
    stall = int(unit["WatchdogSec"][0]) + int(unit["RestartSec"][0])
    assert window > int(unit["StartLimitBurst"][0]) * 1.5 * stall
    assert unit["OnFailure"] == [FAILED_UNIT.name]


def test_after_a_pause_the_worker_is_tried_again_whatever_was_decided() -> None:
    """The decision may fail; the start limit is forgotten before the start; a stop ends it all."""
    unit = directives(FAILED_UNIT)
    runtime = f"/run/{unit['RuntimeDirectory'][0]}"
    assert unit["ExecStart"] == [
        f'-/bin/sh -c "{PROGRAM} give-up; echo $$? >$$RUNTIME_DIRECTORY/status"',
        f"-+/usr/share/s3-event-worker/last-resort.sh {runtime}/status",
        "/bin/sleep 300",
        f"+/bin/systemctl reset-failed {UNIT.name}",
        f"+/bin/systemctl --no-block start {UNIT.name}",
    ]
    assert int(unit["TimeoutStartSec"][0]) > 300 + 60
    assert unit["PartOf"] == [UNIT.name]


def test_the_decision_is_walled_in_like_the_worker() -> None:
    """Line by line the same hardening."""
    assert hardening(UNIT) == hardening(FAILED_UNIT)


def test_the_journal_is_kept_and_bounded() -> None:
    """On disk, with a size and an age at which the oldest lines go."""
    journal = directives(JOURNAL)
    assert journal["Storage"] == ["persistent"]
    assert journal["SystemMaxUse"] == ["1G"]
    assert journal["MaxRetentionSec"] == ["14day"]


def test_journald_drops_none_of_the_workers_lines() -> None:
    """A limit of the unit's own, far above what it can log; 0 would stand for journald's."""
    unit = directives(UNIT)
    assert unit["LogRateLimitIntervalSec"] == ["1s"]
    assert int(unit["LogRateLimitBurst"][0]) > 100 * 3500


def test_the_log_is_copied_to_where_the_agent_looks_for_it() -> None:
    """The unit's folder and file are those that user data names; what is followed are our units."""
    unit = directives(LOG_UNIT)
    command = f"{BIN}/python -m {log_copy.__name__} {LOG_FILE} {UNIT.name} {FAILED_UNIT.name}"
    assert unit["ExecStart"] == [command]
    assert f"/var/log/{unit['LogsDirectory'][0]}" == str(Path(LOG_FILE).parent)
    assert unit["SupplementaryGroups"] == ["systemd-journal"]


def test_the_log_copy_begins_before_the_worker_ends_after_it_and_never_gives_up() -> None:
    """So it has the first and the last line, and the agent is still there to send them."""
    unit = directives(LOG_UNIT)
    assert unit["Before"] == [f"{UNIT.name} {FAILED_UNIT.name}"]
    assert unit["After"] == ["amazon-cloudwatch-agent.service"]
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_the_agent_begins_after_the_first_boot_wrote_its_configuration() -> None:
    """It reads it at its start, and waits for cloud-init as the worker does."""
    (after,) = directives(UNIT)["After"]
    waits = directives(SYSTEMD / "cloudwatch-agent-s3-event-worker.conf")["After"]
    assert waits == [after.removeprefix("network-online.target ")]


@needs_systemd_analyze
def test_the_journals_directives_are_systemds(tmp_path: Path) -> None:
    """Every name stands, commented, in the configuration that systemd ships; times parse."""
    shipped = Path("/etc/systemd/journald.conf")
    if not shipped.exists():
        shipped = Path("/usr/lib/systemd/journald.conf")
    if not shipped.exists():
        pytest.skip("systemd's own journald.conf is not installed here to compare with")
    known = set(re.findall(r"^#?(\w+)=", shipped.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(directives(JOURNAL)) <= known
    span = directives(JOURNAL)["MaxRetentionSec"][0]
    done = subprocess.run(
        ["systemd-analyze", "timespan", span],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
    )
    assert "1209600000000" in done.stdout
