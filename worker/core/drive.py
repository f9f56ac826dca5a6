"""Drives a sans-I/O generator from beginning to end in one thread, through the S3 port."""

from typing import TypeVar

from worker.core.port import S3Port, Steps

T = TypeVar("T")


def drive(steps: Steps[T], s3: S3Port) -> T:
    """Carry out each request and wait for its reply; returns what the generator returns."""
    try:
        request = next(steps)
        while True:
            request = steps.send(s3.submit(request).result())
    except StopIteration as end:
        returned: T = end.value
        return returned
