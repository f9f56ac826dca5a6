"""Our rule comes and goes among others': whatever they are, they stay as they were."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.stacks import a_blueprint

from provision.core.judge_pipeline import overlapping
from provision.resources.notification import TOPIC_RULES, merged, notification, plain_filter

OURS = "s3-event-worker-files"
RULE = {"Id": OURS, "TopicArn": "arn:ours"}
IDS = st.sampled_from(["a", "b", OURS, "s3-event-worker-file"])
RULES = st.lists(st.fixed_dictionaries({"Id": IDS, "TopicArn": st.just("arn:theirs")}), max_size=4)
CONFIGURATIONS = st.fixed_dictionaries(
    {},
    optional={
        TOPIC_RULES: RULES,
        "QueueConfigurations": RULES,
        "LambdaFunctionConfigurations": RULES,
        "EventBridgeConfiguration": st.just({}),
    },
)
PREFIXES = st.text("ab/ ", max_size=4)


def without_ours(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is to everybody else."""
    rules = [each for each in configuration.get(TOPIC_RULES, []) if each["Id"] != OURS]
    others = {name: each for name, each in configuration.items() if name != TOPIC_RULES}
    return {**others, TOPIC_RULES: rules} if rules else others


@given(CONFIGURATIONS)
def test_rule_07_everything_of_others_is_kept(configuration: dict[str, Any]) -> None:
    """Ours added, put again, taken away: to everybody else nothing has changed."""
    added = merged(configuration, OURS, [RULE])
    assert [each for each in added[TOPIC_RULES] if each["Id"] == OURS] == [RULE]
    assert without_ours(added) == without_ours(configuration)
    assert merged(added, OURS, [RULE]) == added
    assert merged(added, OURS, []) == without_ours(configuration)


@given(PREFIXES, PREFIXES, st.text("ab", min_size=1, max_size=3))
def test_rule_09_rules_overlap_if_one_key_can_match_both(one: str, other: str, rest: str) -> None:
    """Two prefixes share a key if and only if one of them begins with the other."""
    theirs = {
        "QueueConfigurations": [
            {
                "Id": "theirs",
                "QueueArn": "arn",
                "Events": ["s3:ObjectCreated:Put"],
                "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": one}]}},
            }
        ]
    }
    longer = max(one, other, key=len) + rest
    share = longer.startswith(one) and longer.startswith(other)
    assert bool(overlapping(theirs, OURS, other)) is share


def test_rule_08_filters_are_read_in_either_spelling_and_decoded() -> None:
    """S3 gives back `Prefix`, and URL-encoded values."""
    rules = [{"Name": "Prefix", "Value": "my+folder/"}, {"Name": "suffix", "Value": ".csv"}]
    assert plain_filter({"Filter": {"Key": {"FilterRules": rules}}}) == {
        "prefix": "my folder/",
        "suffix": ".csv",
    }
    assert plain_filter({}) == {}


def test_the_rule_tells_of_the_source_prefix_alone() -> None:
    """What we move lands outside of it: no move is told of."""
    wanted = notification(a_blueprint(pipeline={"source_prefix": "inbox/"}))
    assert wanted.values()["Filter"] == {"prefix": "inbox/"}
