"""`worker run`: composes the daemon, and runs it until it has drained."""

import asyncio
import gc
import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

import click
import structlog

from worker import log as logs
from worker.aws.autoscaling import InstanceAutoScaling
from worker.aws.checks import describe_failures, queue_facts, run_checks
from worker.aws.clients import Clients
from worker.aws.executor import choose, open_executor
from worker.aws.imds import ImdsClient
from worker.cli_settings import load
from worker.errors import ExitCode, PreflightError, WorkerError
from worker.host.lifecycle import LifecycleWatcher
from worker.host.stop import StopRequest, install_signals
from worker.host.systemd import Notifier
from worker.loop.daemon import Daemon
from worker.operator.preflight import Level, failures, is_unsupported
from worker.service import Service
from worker.settings import Settings

log = structlog.get_logger()

GARBAGE_THRESHOLD = 50_000
"""Messages come and go by the thousand, and leave no cycles: looking for some at Python's 700 takes
a seventh of all CPU time."""

SIGNAL_EXIT = 128
"""A process that a signal ended exits with this plus the signal's number, as shells have it."""


@click.command()
def run() -> None:
    """Run the daemon until SIGTERM, SIGINT, an Auto Scaling termination or a spot notice.

    \b
    Exit status:
      0      drained: everything in hand was finished and acknowledged
      1      an unexpected fault
      2      settings that cannot work
      3      a permission or the queue is missing (`worker check` says which)
      4      SQS refused us for five minutes: credentials or permissions were lost
      5      DRAIN_SECONDS ran out; what was unfinished was released
      128+N  ended at once by a second signal N

    SIGHUP reads SETTINGS_FILE again and logs what changed.

    \b
    Example:
      QUEUE_URL=https://sqs.us-east-2.amazonaws.com/123456789012/uploads BUCKET=files worker run
    """
    try:
        settings = _settings()
        clients = Clients(settings.region)
        conditions = _preflight(settings, clients)
        code = asyncio.run(_serve(settings, clients, conditions=conditions))
    except WorkerError as error:
        click.echo(f"worker run: {error}", err=True)
        code = int(error.exit_code)
    except Exception:
        log.exception("unexpected", hint="this is a fault of ours; nothing is lost by it")
        code = int(ExitCode.UNEXPECTED)
    _leave(code)


def _settings() -> Settings:
    settings = load(needs_queue=True)
    logs.configure(settings.log_level, settings.log_format, sys.stdout)
    for name in settings.unknown:
        log.warning("setting-unknown", setting=name)
    return settings


def _preflight(settings: Settings, clients: Clients) -> bool:
    """Check all that the worker needs; return whether the store knows conditions at all."""
    findings = run_checks(settings, clients)
    for finding in findings:
        if finding.level is Level.WARNING:
            log.warning("preflight", subject=finding.subject, detail=finding.detail)
    if failures(findings):
        raise PreflightError(describe_failures(findings))
    return not is_unsupported(findings)


async def _serve(settings: Settings, clients: Clients, *, conditions: bool) -> int:
    """Compose everything that runs; returns the exit code, raises AccessLostError."""
    stop = StopRequest(time.monotonic)
    install_signals(asyncio.get_running_loop(), stop, settings.drain_seconds)
    choice = choose(settings, clients)

    def suited(settings: Settings) -> Settings:
        return replace(settings, concurrency=choice.concurrency(settings))

    settings = suited(settings)
    log.info("executor", name=choice.name, why=choice.why, concurrency=settings.concurrency)
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    executor = open_executor(settings, clients, choice, conditions=conditions)
    daemon = Daemon(
        settings,
        executor.queue,
        executor.s3,
        stop,
        has_dlq=queue_facts(settings, clients).has_dlq,
        clock=time.monotonic,
        jitter=random.random,
    )
    executor.observe(daemon.note_reply)
    watcher = _watcher(settings, clients, stop)
    watching = asyncio.create_task(watcher.run())

    def adopt(settings: Settings) -> None:
        install_signals(asyncio.get_running_loop(), stop, settings.drain_seconds)
        watcher.drain_seconds = settings.drain_seconds

    try:
        code = await Service(daemon, _notifier(), lambda: suited(_settings()), adopt).run()
    finally:
        await watcher.finish()
        watching.cancel()
    if stop.aborted_by:
        return SIGNAL_EXIT + stop.aborted_by
    return int(code)


def _watcher(settings: Settings, clients: Clients, stop: StopRequest) -> LifecycleWatcher:
    return LifecycleWatcher(
        ImdsClient.from_environment(os.environ),
        InstanceAutoScaling(clients.autoscaling()),
        stop,
        settings.drain_seconds,
        clock=time.monotonic,
        wall_clock=time.time,
        hook_name=settings.lifecycle_hook,
    )


def _notifier() -> Notifier:
    return Notifier(
        os.environ.get("NOTIFY_SOCKET"),
        os.environ.get("WATCHDOG_USEC"),
        os.environ.get("WATCHDOG_PID"),
        pid=os.getpid(),
        clock=time.monotonic,
    )


def _leave(code: int) -> NoReturn:
    """End now: a thread may be inside a copy still, whose end is nobody's business any more."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code)
