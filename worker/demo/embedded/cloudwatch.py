"""CloudWatch: which alarms and dashboards are none, and an alarm's state before any data."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from moto.cloudwatch.exceptions import (
    DashboardInvalidInputError,
    InvalidParameterCombination,
    ValidationError,
)
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

LONGEST_EXPRESSION: Final = 2047
LONGEST_WINDOW_SECONDS: Final = 7 * 24 * 3600
_A_DAY_SECONDS: Final = 24 * 3600
_SHORT_PERIODS: Final = {10, 20, 30}
_QUERY_ID: Final = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
_WORD: Final = re.compile(r"\b[a-z][A-Za-z0-9_]*\b")
_TEXT: Final = re.compile(r"""'[^']*'|"[^"]*\"""")
_DASHBOARD_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_OPERATORS: Final = {
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
}
_TREATMENTS: Final = {"breaching", "notBreaching", "ignore", "missing"}
_ACTIONS: Final = ("AlarmActions", "OKActions", "InsufficientDataActions")
_WIDGETS: Final = {"metric", "text", "log", "alarm", "explorer", "custom"}

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Refuse what CloudWatch refuses."""
    patches = layer.patches
    patches.wrap(CloudWatchResponse, "put_metric_alarm", alarm_is_valid)
    patches.wrap(CloudWatchBackend, "put_metric_alarm", state_is_kept)
    patches.wrap(CloudWatchResponse, "put_dashboard", dashboard_is_valid)


def alarm_is_valid(put: Handler) -> Handler:
    """Rule 31: one metric or one query that returns data, an expression that fits and is known.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """

    def checked(self: Moto) -> Moto:
        given = {name: value for name, value in self.params.items() if value is not None}
        if "AlarmRule" not in given:  # moto makes composite alarms here as well
            _check_choices(given)
            check = _check_queries if "Metrics" in given else _check_metric
            check(given)
        return put(self)

    return checked


def state_is_kept(put: Handler) -> Handler:
    """Begin with INSUFFICIENT_DATA, and keep the state when an alarm is put again.

    Moto says OK each time.
    """

    def kept(self: Moto, name: str, *args: object, **kwargs: object) -> Moto:
        before = self.alarms.get(name)
        alarm = put(self, name, *args, **kwargs)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            alarm.state_value, alarm.state_reason = before.state_value, before.state_reason
        return alarm

    return kept


def dashboard_is_valid(put: Handler) -> Handler:
    """Refuse a name of other characters, a body without widgets, a widget of no kind.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """

    def checked(self: Moto) -> Moto:
        if not _DASHBOARD_NAME.fullmatch(self._get_param("DashboardName")):
            raise _bad_dashboard("The field DashboardName has invalid characters")
        try:
            body = json.loads(self._get_param("DashboardBody"))
        except ValueError as error:
            raise _bad_dashboard("The dashboard body is invalid JSON") from error
        widgets = body.get("widgets") if isinstance(body, dict) else None
        if not isinstance(widgets, list):
            raise _bad_dashboard("The dashboard body has no widgets")
        for each in widgets:
            if each.get("type") not in _WIDGETS or "properties" not in each:
                raise _bad_dashboard("A widget needs one of the known types, and properties")
        return put(self)

    return checked


def _check_choices(given: Mapping[str, Moto]) -> None:
    if given.get("ComparisonOperator") not in _OPERATORS:
        raise ValidationError("ComparisonOperator is not one of the enum values")
    if given.get("TreatMissingData", "missing") not in _TREATMENTS:
        raise ValidationError(f"Option {given['TreatMissingData']} is not supported.")
    if given.get("DatapointsToAlarm", 1) > given["EvaluationPeriods"]:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    for arn in [arn for kind in _ACTIONS for arn in given.get(kind) or []]:
        if not re.fullmatch(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d*:.+", arn):
            raise ValidationError(f"Invalid arn syntax: {arn}")


def _check_metric(given: Mapping[str, Moto]) -> None:
    for name in ("MetricName", "Namespace", "Period"):
        if name not in given:
            raise ValidationError(f"The parameter {name} is required")
    if "Statistic" not in given and "ExtendedStatistic" not in given:
        raise ValidationError("Exactly one of Statistic and ExtendedStatistic must be given")
    _check_period(given["Period"])
    _check_window(given["Period"], given["EvaluationPeriods"])


def _check_queries(given: Mapping[str, Moto]) -> None:
    queries: Sequence[Mapping[str, Moto]] = given["Metrics"]
    for name in ("MetricName", "Namespace", "Period", "Statistic", "Dimensions"):
        if given.get(name):
            raise InvalidParameterCombination(f"{name} may not be given with Metrics")
    ids = [each.get("Id", "") for each in queries]
    if len(set(ids)) < len(ids) or not all(map(_QUERY_ID.fullmatch, ids)):
        raise ValidationError("The ids of metric queries must be distinct, and begin in lower case")
    if sum(each.get("ReturnData") is not False for each in queries) != 1:
        raise ValidationError("Exactly one element of the metrics list should return data.")
    for each in queries:
        if ("Expression" in each) == ("MetricStat" in each):
            raise ValidationError("A metric query has either an Expression or a MetricStat")
        _check_expression(each.get("Expression"), set(ids) - {each.get("Id")})
    periods = [each["MetricStat"]["Period"] for each in queries if "MetricStat" in each]
    for period in periods:
        _check_period(period)
    _check_window(max(periods, default=60), given["EvaluationPeriods"])


def _check_expression(expression: str | None, known: set[str]) -> None:
    if expression is None:
        return
    if not 0 < len(expression) <= LONGEST_EXPRESSION:
        raise ValidationError(f"Expression must have length 1 to {LONGEST_EXPRESSION}")
    unknown = set(_WORD.findall(_TEXT.sub("", expression))) - known
    if unknown and not expression.lstrip().upper().startswith("SELECT"):
        raise ValidationError(f"Unknown identifier in the expression: {min(unknown)}")


def _check_period(seconds: int) -> None:
    if seconds not in _SHORT_PERIODS and (seconds < 1 or seconds % 60):
        raise ValidationError("Period must be 10, 20, 30 or a multiple of 60")


def _check_window(period: int, evaluations: int) -> None:
    limit = LONGEST_WINDOW_SECONDS if period >= 3600 else _A_DAY_SECONDS  # noqa: PLR2004 # an hour
    if period * evaluations > limit:
        raise ValidationError(
            f"Metrics cannot be checked across more than {limit} seconds"
            " (EvaluationPeriods * Period)"
        )


def _bad_dashboard(message: str) -> DashboardInvalidInputError:
    return DashboardInvalidInputError(message)
