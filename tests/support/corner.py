"""A corner of a real bucket, for the tests of tests/live."""

from dataclasses import dataclass
from typing import Any

from worker.aws.clients import Clients
from worker.aws.s3 import BotoS3
from worker.core.port import HeadObject, Location, ObjectInfo, Reply, Request


@dataclass(frozen=True, slots=True)
class Corner:
    """A prefix of the bucket that nobody else uses, and the worker's own port to S3."""

    clients: Clients
    s3: Any
    port: BotoS3
    bucket: str
    prefix: str

    def at(self, name: str) -> Location:
        """Return a place in the corner."""
        return Location(self.bucket, self.prefix + name)

    def put(self, name: str, body: bytes, **parameters: object) -> str:
        """Put an object; return its ETag without quotes."""
        place = self.at(name)
        answer = self.s3.put_object(Bucket=place.bucket, Key=place.key, Body=body, **parameters)
        return str(answer["ETag"]).strip('"')

    def ask(self, request: Request) -> Reply:
        """Carry a request out."""
        return self.port.perform(request)

    def head(self, name: str) -> ObjectInfo:
        """Look at an object that must be there."""
        found = self.ask(HeadObject(self.at(name)))
        assert isinstance(found, ObjectInfo), found
        return found
