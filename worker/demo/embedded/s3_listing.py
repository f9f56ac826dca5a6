"""The listing of versions: keys as XML can carry them."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Encode keys where the client asks for it, as boto3 always does."""
    layer.patches.wrap(S3Response, "list_object_versions", keys_are_encoded_on_request)


def keys_are_encoded_on_request(list_versions: Handler) -> Handler:
    """Emulators' table, "ListObjectVersions": moto ignores EncodingType, and fails on odd keys.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
    """

    def listed(self: Moto) -> Moto:
        if self.querystring.get("encoding-type") != ["url"]:
            return list_versions(self)
        serialized = self.serialized
        self.serialized = lambda told: serialized(_encoded(told))
        return list_versions(self)

    return listed


def _encoded(told: Moto) -> Moto:
    result: Moto = told.result
    if not isinstance(result, dict):  # a refusal
        return told
    for kind in ("Versions", "DeleteMarkers"):
        for each in result[kind]:
            each["Key"] = quote_plus(each["Key"], safe="/")
    for name in ("KeyMarker", "NextKeyMarker", "Prefix"):
        if result.get(name):
            result[name] = quote_plus(result[name], safe="/")
    return ActionResult({**result, "EncodingType": "url"})
