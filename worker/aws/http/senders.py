"""Makes one sender for each bucket and queue, with credentials that all of them share."""

import time
from typing import Any

from worker.aws.clients import CONNECT_TIMEOUT_SECONDS, POLL_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from worker.aws.http.credentials import Credentials
from worker.aws.http.places import Place, learn_bucket, learn_queue
from worker.aws.http.pool import Pool
from worker.aws.http.sender import Sender
from worker.aws.http.sigv4 import Signer

QUEUE_CONNECTIONS = 64
"""More than polls and settling ever need at a time; they must not wait for each other."""


class Senders:
    """Finds the way to a bucket once. For one event loop; `connections` to each bucket at most."""

    def __init__(
        self,
        s3: Any,  # noqa: ANN401 - boto3's client
        credentials: Credentials,
        ca_bundle: str | None,
        connections: int,
    ) -> None:
        self._s3 = s3
        self._credentials = credentials
        self._ca_bundle = ca_bundle
        self._connections = connections
        self._buckets: dict[str, Sender] = {}

    def of_queue(self, sqs: Any, url: str) -> Sender:  # noqa: ANN401 - boto3's client
        """Make the queue's."""
        place = learn_queue(sqs, url, self._ca_bundle)
        return self._sender(place, QUEUE_CONNECTIONS, POLL_TIMEOUT_SECONDS)

    def of_bucket(self, bucket: str) -> Sender:
        """Find or make a bucket's; raises OutOfReachError, and what botocore raises."""
        known = self._buckets.get(bucket)
        if known is None:
            place = learn_bucket(self._s3, bucket, self._ca_bundle)
            known = self._sender(place, self._connections, READ_TIMEOUT_SECONDS)
            self._buckets[bucket] = known
        return known

    def close(self) -> None:
        """Close all connections to buckets."""
        for sender in self._buckets.values():
            sender.pool.close()

    def _sender(self, place: Place, connections: int, silence_seconds: float) -> Sender:
        return Sender(
            place,
            Pool(place.origin, connections, CONNECT_TIMEOUT_SECONDS, silence_seconds),
            Signer(place.region, place.service),
            self._credentials,
            time.time,
        )
