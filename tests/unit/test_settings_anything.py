"""Settings from whatever somebody may write: they work, or are refused by name."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from worker.errors import SettingsError
from worker.settings import read_settings

LEAST = {"QUEUE_URL": "https://sqs.us-east-2.amazonaws.com/123456789012/q", "BUCKET": "acme-inbox"}
NAMES = sorted(read_settings(LEAST).named())
FILE_VALUES = st.recursive(
    st.text() | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=4,
)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text()),
    st.dictionaries(st.sampled_from(NAMES) | st.text(), FILE_VALUES),
)
@example({"PART_SIZE": "64M\u0130B"}, {})
@example({"CONCURRENCY": "\u0663"}, {})
def test_no_text_does_worse_than_be_refused(
    environment: dict[str, str], file: dict[str, object]
) -> None:
    """Any environment and any file give settings or a SettingsError that names the culprits."""
    try:
        settings = read_settings({**LEAST, **environment}, file)
    except SettingsError as error:
        names = {fault.split(":")[0] for fault in error.faults}
        assert names, "refused without a reason"
        assert names <= set(NAMES)
    else:
        assert read_settings(settings.named()) == replace(settings, unknown=())
