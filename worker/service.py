"""What surrounds the daemon while it runs: summaries, the watchdog, reloading. No AWS calls."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import structlog

from worker.errors import ExitCode, SettingsError
from worker.host.lifecycle import COMPLETION_SECONDS
from worker.host.systemd import Notifier
from worker.loop.daemon import Daemon
from worker.settings import RELOADABLE, Settings

log = structlog.get_logger()

STATUS_SECONDS = 5.0
"""How often `systemctl status` gets new numbers."""


EXIT_SECONDS = COMPLETION_SECONDS + 10.0
"""What a stop may take after its drain: the lifecycle hook's completion, and some air."""


class Service:
    """Runs a daemon as a service.

    `reread` reads the settings again, for SIGHUP; `adopt` hands them to whatever else uses them.
    """

    def __init__(
        self,
        daemon: Daemon,
        notifier: Notifier,
        reread: Callable[[], Settings],
        adopt: Callable[[Settings], None],
    ) -> None:
        self._daemon, self._notifier = daemon, notifier
        self._reread, self._adopt = reread, adopt

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
            was = old.named()
            for name, value in new.named().items():
                if value != was[name]:
                    reloadable = name in RELOADABLE
                    event = "setting-changed" if reloadable else "setting-needs-restart"
                    log.info(event, setting=name, before=was[name], after=value)
            taken = old.with_reloadable(new)
            self._daemon.reload(taken)
            self._adopt(taken)
        self._notifier.ready()

    async def _summaries(self) -> None:
        while True:
            await asyncio.sleep(self._daemon.settings.summary_seconds)
            self._summarise()

    def _summarise(self) -> None:
        warnings = {} if self._daemon.settings.guards_required else {"guards": "best-effort"}
        log.info("summary", **self._daemon.metrics.summary(), **self._daemon.facts(), **warnings)

    async def _statuses(self) -> None:
        while self._notifier.has_listener:
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
        stop = self._daemon.stop
        await stop.wait()
        self._notifier.stopping()
        self._notifier.extend_timeout(int((stop.seconds_left() + EXIT_SECONDS) * 1_000_000))
