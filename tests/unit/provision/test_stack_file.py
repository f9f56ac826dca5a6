"""The stack file: read whole, every fault told at once, and what `init` writes can be read."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from provision.commands.context import load_stack
from provision.errors import ExitCode, StackFileError
from provision.spec.reading import read_stack
from provision.spec.stack import Section, Stack
from provision.spec.starting_file import starting_file

LEAST = """
name = "files"
region = "us-east-2"
[pipeline]
bucket = "acme-files"
"""


def faults_of(text: str) -> list[str]:
    """Return what is wrong with a stack file that cannot work."""
    with pytest.raises(StackFileError) as caught:
        read_stack(text)
    assert caught.value.exit_code is ExitCode.CHANGES
    assert "provision init" in caught.value.hint
    return list(caught.value.faults)


def test_name_region_and_bucket_are_enough() -> None:
    """All else has the seed's figures, or safer ones, by default."""
    stack = read_stack(LEAST)
    assert (stack.instances.minimum, stack.instances.desired, stack.instances.maximum) == (1, 1, 2)
    assert (stack.lambda_.timeout_seconds, stack.lambda_.memory_mib) == (30, 256)
    assert stack.pipeline.max_receive_count == 5
    assert (stack.pipeline.source_prefix, stack.pipeline.destination_prefix) == (
        "uploads/",
        "processed/",
    )


def test_every_fault_is_told_at_once_with_its_place() -> None:
    """A person mends a file once, not six times."""
    faults = faults_of(
        """
        name = "Files!"
        region = "Ohio"
        [pipeline]
        bucket = "acme-files"
        max_receive_count = 1
        [instances]
        maximum = 0
        [lambda]
        timeout_seconds = 1
        """
    )
    assert sorted(fault.split(":")[0] for fault in faults) == [
        "instances.maximum",
        "lambda.timeout_seconds",
        "name",
        "pipeline.max_receive_count",
        "region",
    ]


def test_a_slip_of_the_pen_is_told_with_what_was_meant() -> None:
    """Unknown settings are no settings; near ones are named, in sections as well."""
    faults = faults_of(LEAST + 'buckett = "b"\n[instances]\ntipe = "t3.micro"\n[lambda]\nmemry=1\n')
    assert faults == [
        "pipeline.buckett: no such setting; did you mean bucket?",
        "instances.tipe: no such setting; did you mean type?",
        "lambda.memry: no such setting; did you mean memory_mib?",
    ]


def test_the_beginning_of_a_setting_is_taken_for_it() -> None:
    """Though the letters of another one are nearer."""
    assert faults_of(LEAST + "[instances]\nmin = 1\n") == [
        "instances.min: no such setting; did you mean minimum?"
    ]


@pytest.mark.parametrize("name", ["name", "region", "bucket"])
def test_what_is_not_of_its_form_is_told_with_an_example_that_is(name: str) -> None:
    """A pattern alone tells few people what to write."""
    lines = [f'{name} = "Not-So!"' if each.startswith(name) else each for each in LEAST.split("\n")]
    (fault,) = faults_of("\n".join(lines))
    example = re.search("is not like '(.*?)'", fault)
    assert example is not None
    assert read_stack("\n".join(lines).replace("Not-So!", example[1]))


def test_one_of_several_is_told_by_its_place() -> None:
    """A list is no section that could have settings."""
    (fault,) = faults_of(LEAST + '[instances]\nsubnets = ["subnet-01234567", "mine"]\n')
    assert fault.startswith("instances.subnets.1: ")
    assert "'mine'" in fault


def test_a_missing_section_is_told() -> None:
    """Without a bucket there is nothing to do."""
    assert faults_of('name = "files"\nregion = "us-east-2"\n') == ["pipeline: missing"]


def test_what_is_not_toml_is_told_with_its_line() -> None:
    """The parser's own words, which hold the line."""
    (fault,) = faults_of("name = \nregion = 1")
    assert fault.startswith("not TOML:")
    assert "line 1" in fault


def test_a_destination_inside_the_source_is_refused() -> None:
    """Every move would start another one."""
    (fault,) = faults_of(LEAST + 'destination_prefix = "uploads/done/"\n')
    assert fault.startswith("pipeline: destination_prefix 'uploads/done/' is inside")


@pytest.mark.parametrize("prefix", ["", "uploads", "/uploads/"])
def test_a_prefix_is_a_folder(prefix: str) -> None:
    """Not empty, for then every object were moved; and with its slash at the end."""
    assert len(faults_of(LEAST + f'source_prefix = "{prefix}"\n')) == 1


@pytest.mark.parametrize(
    "name",
    ["a..b", "192.168.5.4", "xn--files", "sthree-files", "files-s3alias", "files--x-s3", "a.mrap"],
)
def test_a_bucket_name_that_s3_keeps_to_itself_is_refused_before_anything_is_made(
    name: str,
) -> None:
    """S3 would say so once queues and topic stand."""
    (fault,) = faults_of(LEAST.replace("acme-files", name))
    assert fault.startswith(f"pipeline.bucket: '{name}'")


@pytest.mark.parametrize("prefix", ["*/", "in?/", "${aws:username}/"])
def test_a_prefix_that_a_policy_would_read_as_a_pattern_is_refused(prefix: str) -> None:
    """A grant for it would hold for more than it, or for nothing."""
    (fault,) = faults_of(LEAST + f'source_prefix = "{prefix}"\n')
    assert fault.startswith(f"pipeline.source_prefix: '{prefix}' holds")


def test_a_prefix_leaves_room_for_a_files_name() -> None:
    """It is counted in bytes, as S3 counts a key (rule 23b)."""
    (fault,) = faults_of(LEAST + f'source_prefix = "{"é" * 300}/"\n')
    assert "512 bytes" in fault


def test_a_file_that_windows_wrote_is_read(tmp_path: Path) -> None:
    """With the mark that its editors put first."""
    path = tmp_path / "stack.toml"
    path.write_text(LEAST, encoding="utf-8-sig")
    assert load_stack(str(path)).name == "files"


def test_sizes_out_of_order_are_refused() -> None:
    """Desired below minimum would be raised by AWS in silence (rule 39)."""
    (fault,) = faults_of(LEAST + "[instances]\nminimum = 2\n")
    assert "do not stand in that order" in fault


@pytest.mark.parametrize("name", ["aws:thing", "s3-event-worker:stack"])
def test_reserved_tags_are_refused(name: str) -> None:
    """AWS keeps `aws:`, and we keep our own: nobody can claim somebody else's resources."""
    (fault,) = faults_of(LEAST + f'[tags]\n"{name}" = "x"\n')
    assert "reserved" in fault


@pytest.mark.parametrize("line", ['Team = "a;b"', 'Team = "a"\nteam = "b"', f'{"x" * 129} = "a"'])
def test_tags_that_aws_would_refuse_half_way_are_refused_at_once(line: str) -> None:
    """A letter that some service does not take, names that IAM thinks equal, a name too long."""
    assert len(faults_of(LEAST + f"[tags]\n{line}\n")) == 1


def test_a_region_of_any_partition_will_do() -> None:
    """China, GovCloud, and the European sovereign cloud have longer names."""
    for region in ("cn-north-1", "us-gov-west-1", "eusc-de-east-1"):
        assert read_stack(LEAST.replace("us-east-2", region)).region == region


def test_the_starting_file_can_be_read_and_changes_no_default() -> None:
    """What `init` writes is the least file, with explanations."""
    text = starting_file(name="files", region="us-east-2", bucket="acme-files")
    assert read_stack(text) == read_stack(LEAST)


def test_every_setting_stands_in_the_starting_file_with_its_default() -> None:
    """Take away the comment signs before settings: the file still says the same."""
    text = starting_file(name="files", region="us-east-2", bucket="acme-files")
    lines = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    whole = "\n".join(line for line in lines if "Project" not in line)
    assert read_stack(whole) == read_stack(LEAST)
    written = {f"{section}.{name}" for section, name in _settings_of(tomllib.loads(whole))}
    assert written == set(_known(Stack, ""))


def _settings_of(document: dict[str, object]) -> list[tuple[str, str]]:
    found = []
    for name, value in document.items():
        inner = value if isinstance(value, dict) else {}
        found += [(name, each) for each in inner] or [("", name)]
    return found


def _known(section: type[Section], at: str) -> list[str]:
    names = []
    for name, setting in section.model_fields.items():
        inner = setting.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            names += _known(inner, setting.alias or name)
        elif name != "tags":
            names.append(f"{at}.{name}")
    return names


def test_every_setting_is_described() -> None:
    """The descriptions are the documentation: none is missing."""
    sections: list[type[Section]] = [Stack, *_sections()]
    fields = [pair for section in sections for pair in section.model_fields.items()]
    assert [name for name, each in fields if not (each.description or _is_section(each))] == []


def _sections() -> list[type[Section]]:
    kinds = [each.annotation for each in Stack.model_fields.values()]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)]


def _is_section(setting: FieldInfo) -> bool:
    return setting.annotation in _sections()


PLACES = st.sampled_from(["name", "region", "tags", "pipeline", "instances", "lambda", "bucket"])
ANYTHING = st.recursive(
    st.one_of(st.text(), st.integers(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)


@given(st.text())
def test_no_text_at_all_brings_the_reader_down(text: str) -> None:
    """Whatever stands behind a good file, it is a stack, or a list of faults; never a crash."""
    assert outcome(LEAST + text)


@given(PLACES, ANYTHING)
def test_no_value_at_all_brings_the_reader_down(place: str, value: object) -> None:
    """A setting of a wrong kind is a fault with its place, whatever it is."""
    document = f"{json.dumps(place)} = {_toml(value)}\n"
    at_the_top, in_a_section = document + LEAST.replace(f"{place} =", f"old_{place} ="), LEAST
    assert outcome(at_the_top)
    assert outcome(in_a_section + document)


def outcome(text: str) -> Stack | tuple[str, ...]:
    """Return the stack, or what is wrong with it."""
    try:
        return read_stack(text)
    except StackFileError as error:
        return error.faults


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = ", ".join(f"{json.dumps(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{ {pairs} }}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else json.dumps(value)
