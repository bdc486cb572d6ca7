"""What must hold between the settings of how a study is run, told for each place on its own."""

from __future__ import annotations

import re

from core.builtin_scales import SAME_IDENTITY
from core.codes import listed, mend
from core.given import (
    Data,
    Problems,
    is_number,
    mapping,
    repeated,
    repeated_ids,
    sequence,
    two_options,
    words,
)
from core.study_rules import EMOTION, Declared

PAIRS = "identity_pairs"  # the task of the identity pairs, which is no set of a study's own
ROUTE_IDS = {
    "prolific": "PROLIFIC_PID",
    "sona": "survey_code",
    "mturk": "workerId",
    "panel": "id",
    "lab": "code",
}
"""The URL parameter that holds a participant's id, by route; the same link for everybody has none."""
ROUTE_KEEPS = {"prolific": ("STUDY_ID", "SESSION_ID"), "mturk": ("assignmentId", "hitId")}
"""The URL parameters that a route brings besides; they are kept with the id."""
OUR_PARAMETERS = ("study", "link", "lang", "problem", "declined", "again", "stop", "erase", "minutes")
"""The URL parameters that the pages themselves read."""
LEAST = 5  # answers that an interval needs

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ADDRESSES = ("complete_url", "screen_out_url", "quota_url")


def study(data: Data, known: Declared) -> Problems:
    """What the parts of a study need of each other."""
    yield from repeated_ids(data, "questionnaires")
    yield from repeated_ids(data, "yardsticks")
    ask = words(data.get("ask"))
    if SAME_IDENTITY in ask and mapping(data.get(PAIRS)).get("per_participant") != 0:
        text = f"found {SAME_IDENTITY!r}, which the identity pairs ask already; needed it there alone; "
        yield ("ask", ask.index(SAME_IDENTITY)), f"{text}remove it or write '{PAIRS}: {{per_participant: 0}}'"
    if data.get("disclosure") == "after" and not data.get("debriefing"):
        text = "found 'after' without a debriefing; needed the page that tells; add 'debriefing:'"
        yield ("disclosure",), text
    display, route = mapping(data.get("display")), mapping(data.get("recruitment")).get("route")
    if display.get("size_deg") is not None and route != "lab":
        text = "found a visual angle outside the lab; needed a calibrated screen; write 'size_px'"
        yield ("display", "size_deg"), text
    if mapping(data.get("trials")).get("show") and display.get("exposure") and len(_show(data)) > 1:
        text = "found a timed exposure of two pictures; needed one; write 'show: [target]' or remove this"
        yield ("display", "exposure"), text
    yield from _sensitive(data)


def _show(data: Data) -> list[str]:
    return words(mapping(data.get("trials")).get("show"))


def _sensitive(data: Data) -> Problems:
    items = [mapping(item) for item in sequence(mapping(data.get("consent")).get("items"))]
    if any(item.get("sensitive") is True for item in items):
        return
    for at, page in enumerate(map(mapping, sequence(data.get("questionnaires")))):
        for index, question in enumerate(map(mapping, sequence(page.get("questions")))):
            if question.get("sensitive") is True and question.get("enabled") is True:
                text = "found a sensitive question that is asked without consent; needed an item of consent "
                how = "with 'sensitive: true'; add one under 'consent:' or write 'enabled: false'"
                yield ("questionnaires", at, "questions", index, "enabled"), text + how


def tasks(data: Data, known: Declared) -> Problems:
    """Every asked scale in exactly one set, and two like scales in an affect grid."""
    yield from repeated_ids(data, "sets")
    taken: list[str] = []
    for at, given in enumerate(map(mapping, sequence(data.get("sets")))):
        if given.get("id") == PAIRS:
            yield ("sets", at, "id"), f"found {PAIRS!r}, which is the task of the pairs; needed another name"
        scales = words(given.get("scales"))
        for index, scale_id in enumerate(scales):
            yield from _of_set(at, index, (taken, scales), known)
            taken.append(scale_id)
        if given.get("affect_grid") is True:
            yield from _grid(at, scales, known)
    missing = [scale_id for scale_id in known.ask if scale_id not in taken]
    if taken and missing:
        text = f"found no set with {listed(missing)}; needed each of 'ask' in one; add it"
        yield ("sets",), text


def _of_set(at: int, index: int, held: tuple[list[str], list[str]], known: Declared) -> Problems:
    taken, scales = held
    scale_id = scales[index]
    where = ("sets", at, "scales", index)
    if scale_id not in known.ask:
        text = f"found {scale_id!r}; needed a scale of 'ask' ({listed(known.ask)}); "
        yield where, text + mend(scale_id, known.ask)
    elif scale_id in taken:
        yield where, f"found {scale_id!r} again; needed each scale in one set; remove it"
    elif known.asks_of.get(scale_id) == EMOTION and EMOTION not in scales[:index]:
        text = f"found {scale_id!r}, which is about the chosen emotion; needed 'emotion' before it; "
        yield where, f"{text}move 'emotion' there or write 'of: overall'"


def _grid(at: int, scales: list[str], known: Declared) -> Problems:
    where = ("sets", at, "affect_grid")
    forms = [known.forms.get(scale_id, (None, None, False)) for scale_id in scales[:2]]
    if len(forms) < 2 or forms[0][:2] != forms[1][:2] or forms[0][0] not in ("likert", "vas"):
        text = "found no two scales of one kind and length first in the set; needed the axes of a square; "
        yield where, f"{text}make both a vas, or both a likert with as many points"
        return
    points = forms[0][1]
    if isinstance(points, int) and points % 2 == 0:
        text = f"found a square of {points} points; needed an odd number, so that it has a middle; "
        yield where, f"{text}write 'points: {points + 1}'"
    if forms[0][2] != forms[1][2]:
        text = "found 'cannot_tell' of one axis; needed both or neither, for one mark answers both; "
        yield where, f"{text}write 'cannot_tell: true' in both"


def trials(data: Data) -> Problems:
    """Each role once with the target among them, and what the assignment needs."""
    yield from repeated(data, "show")
    if "show" in data and "target" not in words(data["show"]):
        yield ("show",), "found no 'target'; needed the picture to rate; write [target]"
    most, wanted = data.get("most_ratings"), data.get("ratings_per_stimulus")
    if data.get("assignment") == "least-precise":
        yield from _precise(data)
    if is_number(most) and is_number(wanted) and most < wanted:
        yield (
            ("most_ratings",),
            f"found {most:g}; needed {wanted:g} (ratings_per_stimulus) or more",
        )


def _precise(data: Data) -> Problems:
    if data.get("half_width") is None:
        text = "found 'least-precise' without a half-width; needed one; add 'half_width: 0.1'"
        yield ("assignment",), text
    for name in ("ratings_per_stimulus", "most_ratings"):
        given = data.get(name)
        if is_number(given) and given < LEAST:
            text = f"found {given:g} with 'least-precise'; needed {LEAST} or more, for an interval needs them"
            yield (name,), f"{text}; write '{name}: {LEAST}'"


def practice(data: Data, known: Declared) -> Problems:
    """Feedback and passing need files and the scale emotion."""
    yield from repeated(data, "files")
    for name in ("feedback", "pass_share"):
        if not data.get(name):
            continue
        if not words(data.get("files")):
            yield (name,), "found it without practice trials; needed 'files:' of the manifest; add them"
        elif known.emotions is None or EMOTION not in known.ask:
            text = "found it without the scale emotion; needed a right answer; ask 'emotion' or remove this"
            yield (name,), text


def attention(data: Data, known: Declared) -> Problems:
    """Gold answers are options of the scale emotion."""
    options = known.emotions if known.emotions and EMOTION in known.ask else ()
    for index, gold in enumerate(map(mapping, sequence(data.get("gold")))):
        answer = gold.get("answer")
        if isinstance(answer, str) and answer not in options:
            text = f"found {answer!r}; needed an option of the asked scale emotion ({listed(options)}); "
            yield ("gold", index, "answer"), text + mend(answer, options)


def question(data: Data) -> Problems:
    """Options for a choice and a Likert list, items for that alone, limits for a number alone."""
    kind = data.get("kind")
    if kind in ("choice", "likert"):
        yield from two_options(data.get("options", {}))
    elif data.get("options"):
        yield ("options",), f"found options of a {kind}; needed none; remove them or write 'kind: choice'"
    yield from repeated_ids(data, "items")
    if kind == "likert" and not data.get("items"):
        yield (), "found a likert list without items; needed one or more; add 'items:'"
    if kind != "likert" and data.get("items"):
        yield ("items",), f"found items of a {kind}; needed none; remove them or write 'kind: likert'"
    low, high = data.get("min"), data.get("max")
    for name, value in (("min", low), ("max", high)):
        if kind != "number" and value is not None:
            yield (name,), f"found {name!r} of a {kind}; needed none; remove it or write 'kind: number'"
    if is_number(low) and is_number(high) and low >= high:
        yield ("max",), f"found {high:g}; needed more than min, {low:g}; correct one of them"


def questionnaire(data: Data) -> Problems:
    """Each question once."""
    yield from repeated_ids(data, "questions")


def recruitment(data: Data) -> Problems:
    """The addresses and codes that a route needs, with known {parameters}."""
    route = str(data.get("route", "plain"))
    own = data.get("external_id") or ROUTE_IDS.get(route)
    yield from _parameters(data, own)
    keep = [*ROUTE_KEEPS.get(route, ()), *words(data.get("keep"))]
    yield from _addresses(data, [*(["external_id"] if own else []), "code", *keep])
    if route == "panel" and data.get("complete_url") is None:
        yield ("route",), "found a panel without 'complete_url'; needed where participants return to; add it"
    if data.get("code") == "fixed" and not data.get("fixed_code"):
        yield ("code",), "found 'fixed' without 'fixed_code'; needed the code to show; add it"
    if data.get("fixed_code") and data.get("code") != "fixed":
        yield (
            ("fixed_code",),
            "found it without 'code: fixed'; needed both or neither; add that",
        )


def _parameters(data: Data, own: object) -> Problems:
    yield from repeated(data, "keep")
    if own in OUR_PARAMETERS:
        yield ("external_id",), f"found {own!r}, which the pages use; needed another name; rename it"
    for at, name in enumerate(words(data.get("keep"))):
        if name in (*OUR_PARAMETERS, "code", "external_id", own):
            yield ("keep", at), f"found {name!r}, which has a meaning already; needed another; remove it"


def _addresses(data: Data, names: list[str]) -> Problems:
    for setting in _ADDRESSES:
        address = data.get(setting)
        if not isinstance(address, str):
            continue
        for found in _PLACEHOLDER.findall(address):
            if found not in names:
                text = f"found {{{found}}}; needed one of {listed(names)}; add it to 'keep:' or correct it"
                yield (setting,), text
        _scheme, colon, rest = address.partition("://")
        host = re.split(r"[/?#]", rest, maxsplit=1)[0]
        if colon and not host:
            yield (setting,), "found an address without a site's name; needed one; write it after '://'"
        if "{" in host:
            text = "found a placeholder in the site's name; needed a fixed one, or a link could lead anywhere"
            yield (setting,), f"{text}; write the name"
