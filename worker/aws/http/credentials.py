"""The keys to sign with: botocore finds them and, in a thread, refreshes them in time."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import NoCredentialsError

from worker.aws.http.sigv4 import Keys

log = structlog.get_logger()

LOOK_SECONDS = 10.0
"""How often botocore is asked; it refreshes a quarter of an hour before the end, by itself."""


class Credentials:
    """Hands out keys without blocking. `source` is botocore's Credentials; `clock` in seconds."""

    def __init__(self, source: Any, clock: Callable[[], float]) -> None:  # noqa: ANN401 - botocore's
        self._source = source
        self._clock = clock
        self._keys: Keys | None = None
        self._look_at = 0.0
        self._looking: asyncio.Task[Keys] | None = None

    async def keys(self) -> Keys:
        """Return the keys of the moment; raises botocore's errors if there are none."""
        if self._keys and self._clock() < self._look_at:
            return self._keys
        if self._looking is None and not self._asks_somebody():
            self._keys = self._look()
            self._look_at = self._clock() + LOOK_SECONDS
            return self._keys
        if self._looking is None:
            self._looking = asyncio.create_task(asyncio.to_thread(self._look))
            self._looking.add_done_callback(self._looked)
        if self._keys is None:
            return await asyncio.shield(self._looking)
        return self._keys

    def refused(self, keys: Keys) -> None:
        """Note that AWS takes these keys no more: the next request waits for others."""
        if self._keys == keys:
            self._keys = None

    def _asks_somebody(self) -> bool:
        """Tell whether botocore would refresh: only then it may block, and needs a thread."""
        refreshes = isinstance(self._source, RefreshableCredentials)
        return refreshes and bool(self._source.refresh_needed())

    def _look(self) -> Keys:
        if self._source is None:
            raise NoCredentialsError
        frozen = self._source.get_frozen_credentials()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    def _looked(self, looking: asyncio.Task[Keys]) -> None:
        self._looking = None
        self._look_at = self._clock() + LOOK_SECONDS
        if looking.cancelled():
            return
        if error := looking.exception():
            # The keys at hand may be good still; if not, AWS refuses them, and says so.
            log.warning("credentials-not-refreshed", error=str(error))
            return
        self._keys = looking.result()
