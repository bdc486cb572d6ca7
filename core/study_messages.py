"""What pydantic finds wrong with a study, in words: found, needed, mend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.codes import listed, mend, nearest
from core.located import Loc, Located

_PATTERNS = {
    r"^[a-z0-9][a-z0-9-]{0,39}$": "up to 40 small letters, digits and hyphens",
    r"^[a-z][a-z0-9_]{0,39}$": "a code of up to 40 small letters, digits and underscores, a letter first",
    r"^https?://[^\s]+$": "an address that begins with https:// and has no spaces",
    r"^#[0-9a-fA-F]{6}$": "a colour such as '#808080', in quotes",
}
_NEEDED = {
    "string_type": ("text", "put it in quotes"),
    "int_type": ("a whole number", "write it in digits, without quotes"),
    "int_from_float": ("a whole number", "write it without decimals"),
    "float_type": ("a number", "write it in digits, without quotes"),
    "finite_number": ("a finite number", "write it in digits"),
    "bool_type": ("true or false", "write one of them, without quotes"),
    "tuple_type": ("a list", "write [one, two] or a line with '- ' for each"),
    "dict_type": ("keys with values", "write 'key: value' lines below it"),
    "model_type": ("keys with values", "write 'key: value' lines below it"),
    "too_short": ("at least one entry", "add one"),
    "string_too_long": ("less text", "shorten it"),
    "string_too_short": ("some text", "write it, or remove the key where it is optional"),
}


def lines(error: ValidationError, model: type[BaseModel], found: Located) -> Iterator[tuple[int, str]]:
    """Each error as (line, message)."""
    for detail in error.errors(include_url=False):
        # Pydantic counts only the valid members of a list: one that is not empty is not too short.
        if detail["type"] == "too_short" and detail["input"]:
            continue
        loc = tuple(part for part in detail["loc"] if part != "[key]")
        yield found.line(loc), f"{_where(loc)}{_message(detail, model)}"


def _where(loc: Loc) -> str:
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc)
    return f"{path.removeprefix('.')}: " if path else ""


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, shown = detail["type"], _shown(detail["input"])
    if kind == "study":
        return detail["msg"]
    if kind == "missing":
        return f"found nothing; needed this setting; add '{detail['loc'][-1]}:'"
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], model)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
        return f"found {shown}; needed one of {listed(known)}; {mend(str(detail['input']), known)}"
    if kind == "string_pattern_mismatch":
        return f"found {shown}; needed {_PATTERNS[detail['ctx']['pattern']]}; correct it"
    needed, how = _NEEDED.get(kind, (_plain(detail["msg"]), "correct it"))
    return f"found {shown}; needed {needed}; {how}"


def _unknown_key(loc: Loc, model: type[BaseModel]) -> str:
    key, known = str(loc[-1]), _keys(model, loc[:-1])
    near = nearest(key, known)
    how = f"did you mean {near!r}?" if near else "remove it"
    return f"found the unknown key {key!r}; needed one of {listed(known)}; {how}"


def _keys(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """The settings of the model at a location."""
    here: object = model
    for part in loc:
        fields = _fields(here)
        here = _bare(fields[str(part)].annotation if fields else _inner(here))
    return tuple(_fields(here))


def _fields(value: object) -> Mapping[str, FieldInfo]:
    return value.model_fields if isinstance(value, type) and issubclass(value, BaseModel) else {}


def _bare(annotation: object) -> object:
    """An annotation without Annotated and without None."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def _inner(annotation: object) -> object:
    """What a list or mapping holds."""
    args = get_args(annotation)
    return args[1] if get_origin(annotation) is dict else args[0]


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys with values"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(message: str) -> str:
    """Pydantic's sentence as the end of ours."""
    return re.sub(r"^(Input should be|Value should be|\w+ should have) ", "", message)
