"""A bucket's notification configuration: what S3 refuses, and how it gives it back."""

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from moto.s3.models import Notification, S3Backend
from moto.s3.responses import S3Response

from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_events import destination_accepts
from worker.demo.embedded.s3_request import RefusedError, parse_xml, unparse_xml

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_KINDS: Final = ("Topic", "Queue", "CloudFunction")
_SKIP: Final = "x-amz-skip-destination-validation"

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Check what is put, before moto keeps it; correct what is got."""
    patches = layer.patches
    patches.wrap(S3Response, "_notification_config_from_body", filter_names_in_any_case)
    patches.wrap(S3Response, "_notification_config_from_body", destinations_are_asked)
    patches.wrap(S3Response, "get_bucket_notification", filter_names_are_given_back_capitalised)
    patches.wrap(S3Backend, "put_bucket_notification_configuration", rules_do_not_overlap)
    patches.replace(Notification, "_key_matches", filter_values_are_url_encoded)


def filter_names_in_any_case(parse: Handler) -> Handler:
    """Rule 8: S3 takes `Prefix` and `prefix`; moto fails on the first with an AssertionError."""

    def parsed(self: Moto) -> Moto:
        document = parse_xml(self.body)
        for kind in _KINDS:
            for each in _listed(document["NotificationConfiguration"].get(f"{kind}Configuration")):
                for rule in _filter_rules(each):
                    rule["Name"] = rule["Name"].lower()
        self.body = unparse_xml(document)
        return parse(self)

    return parsed


def destinations_are_asked(parse: Handler) -> Handler:
    """Rules 7 and 10: one destination that is missing, or will not have S3, fails the whole.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
    """

    def parsed(self: Moto) -> Moto:
        configuration = parse(self)
        bucket = self.backend.get_bucket(self.bucket_name)
        if str(self.headers.get(_SKIP, "")).lower() == "true":
            return configuration
        for kind in _KINDS:
            for each in configuration.get(f"{kind}Configuration", []):
                if not destination_accepts(bucket, each[kind]):
                    message = "Unable to validate the following destination configurations"
                    raise RefusedError(
                        400, "InvalidArgument", message, ArgumentName=each[kind], ArgumentValue=""
                    )
        return configuration

    return parsed


def rules_do_not_overlap(put: Handler) -> Handler:
    """Rule 9: no two rules may share an event type where one key can match both."""

    def checked(self: Moto, bucket_name: str, notification_config: Moto) -> Moto:
        rules = [
            each
            for kind in _KINDS
            for each in (notification_config or {}).get(f"{kind}Configuration", [])
        ]
        for one, other in combinations(rules, 2):
            if _share_an_event(one["Event"], other["Event"]) and _share_keys(one, other):
                message = (
                    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two"
                    " rules if the prefixes are overlapping for the same event type."
                )
                raise RefusedError(400, "InvalidArgument", message)
        return put(self, bucket_name, notification_config)

    return checked


def filter_names_are_given_back_capitalised(get: Handler) -> Handler:
    """Rules 8 and 7: `prefix` comes back as `Prefix`, and EventBridgeConfiguration comes back."""

    def got(self: Moto) -> Moto:
        status, headers, body = get(self)
        document = parse_xml(body) if body else {}
        if not document:
            return status, headers, body
        root = next(iter(document))
        configuration = document[root] = document[root] or {}
        for kind in _KINDS:
            for each in _listed(configuration.get(f"{kind}Configuration")):
                for rule in _filter_rules(each):
                    rule["Name"] = rule["Name"].capitalize()
        kept = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if kept is not None and kept.event_bridge is not None:
            configuration["EventBridgeConfiguration"] = ""
        text = unparse_xml(document)
        return status, {**headers, "content-length": str(len(text.encode()))}, text

    return got


def filter_values_are_url_encoded(self: Moto, key_name: str) -> bool:
    """Rule 9: the filter `my+folder/` means the prefix "my folder/"."""
    tests = {"prefix": key_name.startswith, "suffix": key_name.endswith}
    return all(
        tests[rule["Name"]](unquote_plus(rule["Value"])) for rule in _filter_rules(self.filters)
    )


def _share_an_event(one: Iterable[str], other: Iterable[str]) -> bool:
    return any(
        a == b
        or (a.endswith("*") and b.startswith(a[:-1]))
        or (b.endswith("*") and a.startswith(b[:-1]))
        for a in one
        for b in other
    )


def _share_keys(one: Moto, other: Moto) -> bool:
    mine = {rule["Name"]: unquote_plus(rule["Value"] or "") for rule in _filter_rules(one)}
    theirs = {rule["Name"]: unquote_plus(rule["Value"] or "") for rule in _filter_rules(other)}
    heads = mine.get("prefix", ""), theirs.get("prefix", "")
    tails = mine.get("suffix", ""), theirs.get("suffix", "")
    prefixes_overlap = heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])
    suffixes_overlap = tails[0].endswith(tails[1]) or tails[1].endswith(tails[0])
    return prefixes_overlap and suffixes_overlap


def _filter_rules(holder: Moto) -> list[Moto]:
    """Find the filter rules in a configuration, or in its filter."""
    chosen = holder.get("Filter", holder) or {}
    return _listed((chosen.get("S3Key") or {}).get("FilterRule"))


def _listed(value: Moto) -> list[Moto]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
