"""Keys that AWS makes and manages itself are told apart from customers'."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from moto.kms.models import KmsBackend

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Correct what moto tells of AWS's own keys."""
    layer.patches.wrap(KmsBackend, "_generate_default_keys", aws_manages_its_own)


def aws_manages_its_own(make: Handler) -> Handler:
    """Rule 12a: KeyManager is AWS for a key behind `alias/aws/…`; moto says CUSTOMER.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """

    def made(self: Moto, alias_name: str) -> Moto:
        key_id = make(self, alias_name)
        if key_id is not None:
            self.keys[key_id].key_manager = "AWS"
        return key_id

    return made
