"""Who carries the daemon's requests out: the event loop itself, or boto3 in threads."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from worker.aws.clients import Clients
from worker.aws.http.credentials import Credentials
from worker.aws.http.places import OutOfReachError, learn_bucket, learn_queue
from worker.aws.http.s3 import LoopS3
from worker.aws.http.senders import Senders
from worker.aws.http.sqs import LoopQueue
from worker.aws.s3 import BotoS3, Observer
from worker.aws.s3_replies import AWS_ERRORS
from worker.aws.sqs import BotoQueue
from worker.loop.queue_port import Queue
from worker.loop.receiver import POLLS_MOST
from worker.loop.s3_calls import S3
from worker.loop.threads import SETTLE_THREADS, QueueInThreads, S3InThreads
from worker.operator.preflight import Finding, Level
from worker.settings import Settings

LOOP_CONCURRENCY = 512
"""3,500 copies a second, S3's ceiling for a prefix, at a tenth of a second each; and some room."""

BOTO3_CONCURRENCY = 32
"""More threads only wait for each other: boto3's work is all in Python."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which executor, and why; `name` is asyncio or boto3."""

    name: str
    why: str

    @property
    def finding(self) -> Finding:
        """The choice as `worker check` shows it."""
        return Finding(Level.OK, "executor", f"{self.name}: {self.why}")

    def concurrency(self, settings: Settings) -> int:
        """Return how many moves at a time: as set, or as suits the executor."""
        suits = LOOP_CONCURRENCY if self.name == "asyncio" else BOTO3_CONCURRENCY
        return settings.concurrency or suits


def choose(settings: Settings, clients: Clients) -> Choice:
    """Choose, without a call to AWS: both places must be within the event loop's reach."""
    if settings.executor == "boto3":
        return Choice("boto3", "EXECUTOR=boto3")
    client, queues = clients.s3(1), clients.sqs()
    try:
        for bucket in {settings.source.bucket, settings.destination.bucket}:
            learn_bucket(client, bucket, clients.ca_bundle)
        learn_queue(queues, settings.queue_url, clients.ca_bundle)
    except OutOfReachError as error:
        return Choice("boto3", str(error))
    except AWS_ERRORS as error:
        return Choice("boto3", f"botocore could not prepare a request: {error}")
    finally:
        client.close()
        queues.close()
    return Choice("asyncio", "plain HTTP and Signature Version 4 to S3 and SQS")


@dataclass(frozen=True, slots=True)
class Executor:
    """The ports of the daemon; `observe` takes who is told the reply to every try at S3."""

    queue: Queue
    s3: S3
    observe: Callable[[Observer], None]


def open_boto3(settings: Settings, clients: Clients, *, conditions: bool) -> Executor:
    """Compose boto3 in threads."""
    s3 = _boto3(clients, settings.concurrency, conditions=conditions)
    queue = BotoQueue(clients.sqs(POLLS_MOST + SETTLE_THREADS), settings.queue_url)
    return Executor(QueueInThreads(queue, POLLS_MOST), S3InThreads(s3), s3.observe)


def open_loop(settings: Settings, clients: Clients, *, conditions: bool) -> Executor:
    """Compose the event loop's own way. Call it within the loop."""
    credentials = Credentials(clients.credentials(), time.monotonic)
    senders = Senders(clients.s3(1), credentials, clients.ca_bundle, settings.concurrency)
    boto3 = _boto3(clients, BOTO3_CONCURRENCY, conditions=conditions)
    s3 = LoopS3(senders.of_bucket, boto3, asyncio.sleep, conditions=conditions)
    sender = senders.of_queue(clients.sqs(), settings.queue_url)
    return Executor(LoopQueue(sender, settings.queue_url, asyncio.sleep), s3, s3.observe)


def _boto3(clients: Clients, threads: int, *, conditions: bool) -> BotoS3:
    pool = ThreadPoolExecutor(threads, "s3")
    return BotoS3(clients.s3(threads), pool, time.sleep, conditions=conditions)


def open_executor(
    settings: Settings, clients: Clients, choice: Choice, *, conditions: bool
) -> Executor:
    """Compose the chosen executor. Call it within the event loop."""
    open_it = open_loop if choice.name == "asyncio" else open_boto3
    return open_it(settings, clients, conditions=conditions)
