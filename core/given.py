"""Reading settings that are not validated yet, and what is told of any list or mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard, cast

from core.located import Loc

Problems = Iterator[tuple[Loc, str]]
Data = Mapping[str, object]


def mapping(value: object) -> Data:
    """The mapping that was given, or an empty one."""
    return cast(Data, value) if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """The list that was given, or an empty one."""
    return value if isinstance(value, list | tuple) else ()


def words(value: object) -> list[str]:
    """What was listed, as text."""
    return [word if isinstance(word, str) else repr(word) for word in sequence(value)]


def is_number(value: object) -> TypeGuard[float]:
    """Whether a number was given; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def ordered(options: object) -> object:
    """Options as a mapping; canonical JSON has them as pairs, which keeps their order."""
    if isinstance(options, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in options):
        return {str(code): text for code, text in options}
    return options


def repeated(data: Data, name: str) -> Problems:
    """Tell of each entry of a list that came before."""
    listed = words(data.get(name))
    for index, word in enumerate(listed):
        if word in listed[:index]:
            yield (name, index), f"found {word!r} again; needed each once; remove it"


def repeated_ids(data: Data, name: str) -> Problems:
    """Tell of each item of a list whose id came before."""
    ids = [mapping(item).get("id") for item in sequence(data.get(name))]
    for index, item_id in enumerate(ids):
        if item_id is not None and item_id in ids[:index]:
            yield (name, index, "id"), f"found {item_id!r} again; needed each once; rename or remove it"


def two_options(options: object) -> Problems:
    """Tell of options that leave no choice."""
    options = ordered(options)
    if isinstance(options, dict) and len(options) < 2:
        yield ("options",), f"found {len(options)} options; needed two or more; add them below 'options:'"
