"""Keys rotate without a request that fails, and without a thread that waits in the event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from worker.aws.http.credentials import LOOK_SECONDS, Credentials

P = ParamSpec("P")
T = TypeVar("T")


class Instance:
    """Credentials of an instance profile: the n-th refresh brings the keys of number n."""

    def __init__(self, lifetime_seconds: float = 6 * 3600.0) -> None:
        self.lifetime_seconds = lifetime_seconds
        self.refreshes = 0
        self.broken = False
        self.now = 0.0
        source = RefreshableCredentials.create_from_metadata(
            self.metadata(), refresh_using=self.refresh, method="iam-role"
        )
        self.credentials = Credentials(source, lambda: self.now)

    def metadata(self) -> dict[str, str]:
        """Return what the metadata service would tell now."""
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime_seconds)
        number = str(self.refreshes)
        return {
            "access_key": f"AKIA{number}",
            "secret_key": "s",
            "token": f"t{number}",
            "expiry_time": expires.isoformat(),
        }

    def refresh(self) -> dict[str, str]:
        """Bring the next keys, in botocore's name; raises its error while broken."""
        if self.broken:
            raise CredentialRetrievalError(provider="iam-role", error_msg="unreachable")
        time.sleep(0.01)
        self.refreshes += 1
        return self.metadata()


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Play a scenario in a loop."""

    async def main() -> None:
        await scenario()

    asyncio.run(main())


async def looked(instance: Instance) -> str:
    """Let the time come to look again; return the key of the moment after that."""
    instance.now += LOOK_SECONDS + 1
    await instance.credentials.keys()
    await asyncio.sleep(0.1)
    return (await instance.credentials.keys()).access_key


def test_keys_that_last_are_asked_for_once() -> None:
    """However many requests there are."""

    async def scenario() -> None:
        instance = Instance()
        keys = await asyncio.gather(*(instance.credentials.keys() for _ in range(100)))
        assert {each.access_key for each in keys} == {"AKIA0"}
        assert await looked(instance) == "AKIA0"
        assert instance.refreshes == 0

    play(scenario)


def test_keys_near_their_end_are_replaced_while_the_old_ones_still_serve() -> None:
    """Botocore refreshes a quarter of an hour early; nobody waits for it."""

    async def scenario() -> None:
        instance = Instance()
        first = await instance.credentials.keys()
        instance.lifetime_seconds = 12 * 60  # it is advisory below 15 minutes
        instance.credentials = Credentials(
            RefreshableCredentials.create_from_metadata(
                instance.metadata(),
                refresh_using=instance.refresh,
                method="iam-role",
            ),
            lambda: instance.now,
        )
        instance.lifetime_seconds = 6 * 3600
        assert (await instance.credentials.keys()).access_key == "AKIA1" != first.access_key
        assert await looked(instance) == "AKIA1"
        assert instance.refreshes == 1

    play(scenario)


def test_keys_that_aws_refuses_are_not_used_again_before_a_look() -> None:
    """After ExpiredToken the next request waits for what botocore has to say."""

    async def scenario() -> None:
        instance = Instance()
        keys = await instance.credentials.keys()
        instance.credentials.refused(keys)
        again = await instance.credentials.keys()
        assert again == keys  # botocore has no others
        assert await instance.credentials.keys() == keys

    play(scenario)


def test_a_metadata_service_that_is_away_leaves_the_keys_at_hand() -> None:
    """They may be good still; and it is asked again."""

    async def scenario() -> None:
        instance = Instance(lifetime_seconds=11 * 60)
        instance.broken = True
        assert (await instance.credentials.keys()).access_key == "AKIA0"
        instance.broken = False
        assert await looked(instance) == "AKIA1"

    play(scenario)


def test_only_a_refresh_needs_a_thread() -> None:
    """Keys that are good for hours are read where they are wanted; an idle worker stays asleep."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        threads: list[object] = []
        loop.set_default_executor(Counting(threads))
        lasting, ending = Instance(), Instance(lifetime_seconds=12 * 60)
        for _ in range(3):
            await lasting.credentials.keys()
            lasting.now += LOOK_SECONDS + 1
        assert not threads
        await ending.credentials.keys()
        assert len(threads) == 1

    play(scenario)


class Counting(ThreadPoolExecutor):
    """Notes each function that a thread is asked to run."""

    def __init__(self, asked: list[object]) -> None:
        super().__init__(1)
        self._asked = asked

    def submit(self, fn: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> Future[T]:
        """Note it, and run it."""
        self._asked.append(fn)
        return super().submit(fn, *args, **more)


def test_no_credentials_at_all_are_botocores_error() -> None:
    """Every request says so."""

    async def scenario() -> None:
        credentials = Credentials(None, lambda: 0.0)
        for _ in range(2):
            with pytest.raises(NoCredentialsError):
                await credentials.keys()

    play(scenario)
