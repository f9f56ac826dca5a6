"""DeleteObjects as S3 does it: per-object ETags, refusals per key, and XML taken at its word."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from xml.parsers.expat import ExpatError

from moto.s3.responses import S3Response

from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_request import RefusedError, etags_match, parse_xml, unparse_xml

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_MOST_KEYS: Final = 1000
_RETURN: Final = "&#13;"

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Put the corrected handling before moto's."""
    layer.patches.wrap(S3Response, "_bucket_response_delete_keys", keys_are_checked_one_by_one)
    layer.patches.wrap(S3Response, "_bucket_response_delete_keys", document_is_well_formed)


def document_is_well_formed(handle: Handler) -> Handler:
    """Rule 23a: a control character, no key or over 1,000 keys: MalformedXML, as a whole."""

    def handled(self: Moto, *args: object, **kwargs: object) -> Moto:
        try:
            document = parse_xml(self.body, keep_spaces=True)
        except ExpatError as error:
            raise _malformed() from error
        if not 0 < len(_objects(document)) <= _MOST_KEYS:
            raise _malformed()
        return handle(self, *args, **kwargs)

    return handled


def keys_are_checked_one_by_one(handle: Handler) -> Handler:
    """Emulators' table, row 4: a wrong `ETag` spares its key alone, with PreconditionFailed.

    A missing key that was named with an ETag is NoSuchKey (rule 22); with ETag and VersionId it is
    NotImplemented. Those are taken out of the document that moto sees, and put in its answer.
    With `Quiet`, only errors are told.
    """

    def handled(self: Moto, bucket_name: str, *args: object, **kwargs: object) -> Moto:
        document = parse_xml(self.body, keep_spaces=True)
        wanted, refused = [], []
        for each in _objects(document):
            error = _objection(self.backend, bucket_name, each)
            if error:
                refused.append({"Key": each["Key"], **error})
            else:
                wanted.append({name: text for name, text in each.items() if name != "ETag"})
        answer: dict[str, Moto] = {}
        if wanted:
            document["Delete"]["Object"] = wanted
            self.body = unparse_xml(document)
            _, _, body = handle(self, bucket_name, *args, **kwargs)
            answer = parse_xml(body.replace("\r", _RETURN), keep_spaces=True)["DeleteResult"] or {}
        quiet = (document["Delete"].get("Quiet") or "").lower() == "true"
        return 200, {"content-type": "application/xml"}, _answer(answer, refused, quiet=quiet)

    return handled


def _objection(backend: Moto, bucket: str, each: Mapping[str, str]) -> dict[str, str] | None:
    """Say why S3 would spare this key, or None."""
    etag = each.get("ETag")
    if etag is None:
        return None
    if each.get("VersionId"):
        return {"Code": "NotImplemented", "Message": "ETag and VersionId do not go together"}
    there = backend.get_object(bucket, each["Key"])
    if there is None:
        return {"Code": "NoSuchKey", "Message": "The specified key does not exist."}
    if etag != "*" and not etags_match(etag, there.etag):
        message = "At least one of the pre-conditions you specified did not hold"
        return {"Code": "PreconditionFailed", "Message": message}
    return None


def _answer(moto: dict[str, Moto], refused: list[dict[str, str]], *, quiet: bool) -> str:
    errors = _listed(moto.get("Error")) + refused
    result: dict[str, Moto] = {"@xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}
    if not quiet and moto.get("Deleted"):
        result["Deleted"] = moto["Deleted"]
    if errors:
        result["Error"] = errors
    return unparse_xml({"DeleteResult": result})


def _objects(document: Mapping[str, Moto]) -> list[dict[str, str]]:
    return _listed((document.get("Delete") or {}).get("Object"))


def _listed(value: Moto) -> list[Moto]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _malformed() -> RefusedError:
    message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
    return RefusedError(400, "MalformedXML", message)
