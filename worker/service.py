"""What surrounds the daemon while it runs: summaries, the watchdog, reloading. No AWS calls."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields

import structlog

from worker.daemon import Daemon
from worker.errors import ExitCode, SettingsError
from worker.settings import RELOADABLE, Settings
from worker.systemd import Notifier

log = structlog.get_logger()

STATUS_SECONDS = 5.0
"""How often `systemctl status` gets new numbers."""


class Service:
    """Runs a daemon as a service. `reread` reads the settings again, for SIGHUP."""

    def __init__(self, daemon: Daemon, notifier: Notifier, reread: Callable[[], Settings]) -> None:
        self._daemon, self._notifier, self._reread = daemon, notifier, reread

    async def run(self) -> ExitCode:
        """Run until drained; raises what the daemon raises."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # no SIGHUP on this platform
            loop.add_signal_handler(signal.SIGHUP, self.reload)
        around = [
            asyncio.create_task(self._summaries()),
            asyncio.create_task(self._statuses()),
            asyncio.create_task(self._watchdog()),
            asyncio.create_task(self._announce_stop()),
        ]
        self._notifier.ready()
        log.info("ready", source=str(self._daemon.settings.source))
        try:
            return await self._daemon.run()
        finally:
            for task in around:
                task.cancel()
            self._summarise()

    def reload(self) -> None:
        """Read the settings again and take over what may change; each change is logged."""
        self._notifier.reloading()
        old = self._daemon.settings
        try:
            new = self._reread()
        except SettingsError as error:
            log.error("settings-not-reloaded", faults=error.faults)
        else:
            for field in fields(Settings):
                before, after = getattr(old, field.name), getattr(new, field.name)
                if before != after:
                    log.info(
                        "setting-changed" if field.name in RELOADABLE else "setting-needs-restart",
                        setting=field.name,
                        before=str(before),
                        after=str(after),
                    )
            self._daemon.reload(old.with_reloadable(new))
        self._notifier.ready()

    async def _summaries(self) -> None:
        while True:
            await asyncio.sleep(self._daemon.settings.summary_seconds)
            self._summarise()

    def _summarise(self) -> None:
        warnings = {} if self._daemon.settings.guards_required else {"guards": "best-effort"}
        log.info("summary", **self._daemon.metrics.summary(), **self._daemon.facts(), **warnings)

    async def _statuses(self) -> None:
        while True:
            self._notifier.status(self._status())
            await asyncio.sleep(STATUS_SECONDS)

    def _status(self) -> str:
        facts, totals = self._daemon.facts(), self._daemon.metrics.totals
        outage = f"; OUTAGE: {facts['outage']}" if facts["outage"] else ""
        return (
            f"{totals['moved']} moved, {totals['verdict-reject']} rejected,"
            f" {totals['verdict-retry']} to be retried; {facts['in_hand']} in hand,"
            f" up to {facts['limit']} at a time{outage}"
        )

    async def _watchdog(self) -> None:
        """Tell systemd that we live, as long as the poll and the work go on."""
        interval = self._notifier.watchdog_interval_seconds
        while interval:
            stalled = self._daemon.is_stalled()
            if stalled:
                log.error("stalled", what=stalled, hint="systemd restarts us; nothing is lost")
            else:
                self._notifier.watchdog()
            await asyncio.sleep(interval)

    async def _announce_stop(self) -> None:
        await self._daemon.stop.wait()
        self._notifier.stopping()
