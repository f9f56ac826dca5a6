"""Where two values differ, leaf by leaf: what a person looks for in a long document. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from provision.core.resource import Json

Difference = tuple[str, Json, Json]
"""A path, such as Body.widgets[3].title, and the value there before and after; None: no value."""


def differences(path: str, before: Json, after: Json) -> Sequence[Difference]:
    """Return every leaf that is not the same on both sides; `path` is where the values stand.

    Of lists of different lengths, the elements that came and those that went, as `path[]`. Where
    no leaf can show it (another order, a null for nothing), the values are told whole.
    """
    if before == after:
        return ()
    leaves = list(_leaves(path, before, after))
    is_told = leaves and all(was != will_be for _, was, will_be in leaves)
    return leaves if is_told else [(path, before, after)]


def _leaves(path: str, before: Json, after: Json) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*after, *before)):
            if name in before and name in after:
                yield from differences(f"{path}.{name}", before[name], after[name])
            else:
                yield f"{path}.{name}", before.get(name), after.get(name)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _leaves_of_lists(path, before, after)


def _leaves_of_lists(
    path: str, before: Sequence[Json], after: Sequence[Json]
) -> Iterator[Difference]:
    if len(before) == len(after):
        for number, (was, will_be) in enumerate(zip(before, after, strict=True)):
            yield from differences(f"{path}[{number}]", was, will_be)
        return
    yield from ((f"{path}[]", each, None) for each in before if each not in after)
    yield from ((f"{path}[]", None, each) for each in after if each not in before)
