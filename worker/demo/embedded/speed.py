"""What moto works out anew on every request: worked out once. Nothing here changes an answer."""

import functools
import secrets
from typing import TYPE_CHECKING, Final

from moto import settings
from moto.core import serialize
from moto.sqs import models as sqs_models

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_TIMESTAMPS: Final = 1024
"""S3's timestamps are whole seconds: a busy second has one, and old ones need not be kept."""


def correct(layer: "Layer") -> None:
    """Replace the four things that a profile of a moved object showed at the top."""
    patches = layer.patches
    # Our endpoint is an IP address: a bucket is never part of its name.
    patches.replace(settings, "S3_IGNORE_SUBDOMAIN_BUCKETNAME", True)  # noqa: FBT003 # moto's flag
    patches.wrap(serialize, "parse_to_aware_datetime", functools.lru_cache(_TIMESTAMPS))
    patches.wrap(sqs_models, "camelcase_to_underscores", functools.cache)
    patches.replace(sqs_models, "generate_receipt_handle", receipt_handle)


def receipt_handle() -> str:
    """Make a handle as long as AWS's; moto draws its letters one by one."""
    return secrets.token_urlsafe(128)
