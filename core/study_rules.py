"""What must hold between the settings of a study, told for each place on its own.

The rules read the values before their validation, so that one wrong value hides no other error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from core.codes import EMOTIONS, listed, mend
from core.given import (
    Data,
    Problems,
    is_number,
    mapping,
    ordered,
    repeated,
    repeated_ids,
    sequence,
    two_options,
    words,
)

EMOTION = "emotion"  # the forced choice that `of: emotion` refers to
CATALOGUES = Path(__file__).resolve().parent.parent / "assets" / "i18n"
LANGUAGES = tuple(sorted(path.stem for path in CATALOGUES.glob("*.yaml")))
VAS_RANGE = (0.0, 100.0)
MANIKINS = (5, 9)  # points of a scale of manikins
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NEEDED = {
    "choice": ("options",),
    "likert": ("points", "anchors", "polarity", "zero"),
    "vas": ("anchors", "polarity", "zero"),
}
_ALLOWED = {
    "choice": ("options", "option_order"),
    "likert": (*_NEEDED["likert"], "of", "not_applicable_after", "look"),
    "vas": (*_NEEDED["vas"], "of", "not_applicable_after"),
}
_OF_A_KIND = tuple(dict.fromkeys(name for names in _ALLOWED.values() for name in names))


@dataclass(frozen=True, slots=True)
class Declared:
    """What a study declares in one place and refers to in another."""

    languages: tuple[str, ...] = ()
    asks_of: Mapping[str, object] = field(default_factory=dict)  # id of each scale -> its `of`
    emotions: tuple[str, ...] | None = None  # options of the scale `emotion`; None without such a choice
    ask: tuple[str, ...] = ()
    # id of a scale -> its kind, its points, and whether one may say that one cannot tell
    forms: Mapping[str, tuple[object, object, bool]] = field(default_factory=dict)


def declared(data: object) -> Declared:
    """Read what a study declares, whatever else may be wrong with it."""
    scales = mapping(mapping(data).get("scales"))
    emotion = mapping(scales.get(EMOTION))
    options = mapping(ordered(emotion.get("options")))
    return Declared(
        languages=tuple(word for word in words(mapping(data).get("languages")) if word in LANGUAGES),
        asks_of={name: mapping(scale).get("of") for name, scale in scales.items()},
        emotions=tuple(options) if emotion.get("kind") == "choice" else None,
        ask=tuple(words(mapping(data).get("ask"))),
        forms={name: _form(each) for name, each in scales.items()},
    )


def _form(each: object) -> tuple[object, object, bool]:
    scale = mapping(each)
    return scale.get("kind"), scale.get("points"), scale.get("cannot_tell") is True


def study(data: Data, known: Declared) -> Problems:
    """Rules of the whole: languages, questions and the scales that are asked."""
    yield from repeated(data, "languages")
    yield from repeated_ids(data, "about_you")
    yield from _unasked_consent(data)
    yield from repeated(data, "ask")
    ask = words(data.get("ask"))
    for index, scale_id in enumerate(ask):
        if scale_id not in known.asks_of:
            text = f"found {scale_id!r}; needed a scale of this file ({listed(known.asks_of)}); "
            yield ("ask", index), text + mend(scale_id, known.asks_of)
        elif known.asks_of[scale_id] == EMOTION and EMOTION not in ask[:index]:
            text = f"found {scale_id!r}, which asks about the chosen emotion; needed 'emotion' before it; "
            yield ("ask", index), f"{text}move 'emotion' up or write 'of: overall'"


def _unasked_consent(data: Data) -> Problems:
    items = [mapping(item) for item in sequence(mapping(data.get("consent")).get("items"))]
    if any(item.get("sensitive") is True for item in items):
        return
    for index, question in enumerate(map(mapping, sequence(data.get("about_you")))):
        if question.get("sensitive") is True and question.get("enabled") is True:
            text = "found a sensitive question that is asked without consent; needed an item of "
            how = "consent with 'sensitive: true'; add one under 'consent:' or write 'enabled: false'"
            yield ("about_you", index, "enabled"), text + how


def consent(data: Data) -> Problems:
    """Each item once, and one that is required."""
    yield from repeated_ids(data, "items")
    items = [mapping(item) for item in sequence(data.get("items"))]
    if items and all(item.get("required") is False for item in items):
        yield ("items",), "found no required item; needed one, to take part; set 'required: true' on it"


def scale(data: Data, known: Declared) -> Problems:
    """The settings of the scale's kind, a zero in its range, and what is not applicable."""
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _NEEDED:
        return
    for name in _NEEDED[kind]:
        if data.get(name) is None:
            yield (), f"found a {kind} without {name!r}; needed {listed(_NEEDED[kind])}; add '{name}:'"
    for name in _OF_A_KIND:
        # Stored JSON spells out every setting, with its default where it does not apply.
        if name not in _ALLOWED[kind] and data.get(name) not in (None, [], {}, "fixed", "plain"):
            yield (name,), f"found {name!r} in a {kind}; needed only {listed(_ALLOWED[kind])}; remove it"
    if kind == "choice":
        yield from two_options(data.get("options"))
        return
    points = data.get("points")
    if kind == "vas" or is_number(points):
        yield from _zero(data, *((1.0, float(cast(float, points))) if kind == "likert" else VAS_RANGE))
    yield from _not_applicable(data, known)
    look = data.get("look", "plain")
    if look != "plain" and kind == "likert" and points not in MANIKINS:
        yield ("points",), f"found {points} with {look!r}; needed 5 or 9, as manikins are; write 5 or 9"


def stimuli(data: Data) -> Problems:
    """One way to know the pictures, with known emotions."""
    yield from repeated(data, "emotions")
    for index, code in enumerate(words(data.get("emotions"))):
        if code not in EMOTIONS:
            text = f"found {code!r}; needed one of {listed(EMOTIONS)}; {mend(code, EMOTIONS)}"
            yield ("emotions", index), text
    given = [name for name in ("manifest", "pattern") if data.get(name) is not None]
    if len(given) != 1:
        found = "both 'manifest' and 'pattern'" if given else "neither 'manifest' nor 'pattern'"
        how = "write 'manifest: manifest.csv' or 'pattern: \"{identity}_{emotion}.png\"'"
        yield (), f"found {found}; needed one of them; {how}"
    pattern = data.get("pattern")
    if isinstance(pattern, str) and not _is_pattern(pattern):
        needed = "{identity} and {emotion} once each, {variant} at most once and text between them"
        yield ("pattern",), f"found {pattern!r}; needed {needed}; for instance '{{identity}}_{{emotion}}.png'"


def _is_pattern(pattern: str) -> bool:
    names = _PLACEHOLDER.findall(pattern)
    counts = {name: names.count(name) for name in names}
    fields_ok = (
        counts.keys() <= {"identity", "emotion", "variant"} and {"identity", "emotion"} <= counts.keys()
    )
    return fields_ok and max(counts.values()) == 1 and "}{" not in pattern


def _zero(data: Data, low: float, high: float) -> Problems:
    zero, polarity = data.get("zero"), data.get("polarity")
    if not is_number(zero):
        return
    if polarity == "bipolar" and not low < zero < high:
        yield (
            ("zero",),
            f"found {zero:g}; needed the point between {low:g} and {high:g} where a bipolar scale means "
            f"neither; write 'zero: {(low + high) / 2:g}' or 'polarity: unipolar'",
        )
    if polarity == "unipolar" and zero not in (low, high):
        yield (
            ("zero",),
            f"found {zero:g}; needed the end at which a unipolar scale means none, {low:g} or {high:g}; "
            "write that or 'polarity: bipolar'",
        )


def _not_applicable(data: Data, known: Declared) -> Problems:
    codes = words(data.get("not_applicable_after"))
    yield from repeated(data, "not_applicable_after")
    if data.get("of") != EMOTION:
        if codes:
            text = "found it without 'of: emotion'; needed both or neither; add that or remove this"
            yield ("not_applicable_after",), text
        return
    if known.emotions is None:
        text = "found 'emotion' without a scale of that name that is a choice; needed one; "
        yield ("of",), f"{text}add it under 'scales:' or write 'of: overall'"
        return
    for index, code in enumerate(codes):
        if code not in known.emotions:
            text = f"found {code!r}; needed an option of the scale emotion ({listed(known.emotions)}); "
            yield ("not_applicable_after", index), text + mend(code, known.emotions)
