"""Where participants come from and return to: what a study's link brings, and the addresses back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal
from urllib.parse import quote

from core.design_rules import ROUTE_IDS, ROUTE_KEEPS
from core.records import Outcome
from core.study import Study

Query = Mapping[str, Sequence[str]]  # each parameter of an address with its values
Problem = Literal["incomplete", "damaged", "unaccepted"]
InApp = Literal["line", "kakaotalk", "instagram", "facebook"]

LONGEST_ID = 200
LONGEST_KEPT = 500
UNACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"  # MTurk's assignmentId while a worker only looks

# A platform fills these in; a link that still has them was opened without the platform.
_ID_PLACEHOLDERS = {"prolific": "{{%PROLIFIC_PID%}}", "sona": "%SURVEY_CODE%"}
_UNFILLED = re.compile(r"\{\{%.*%\}\}|\{\{.*\}\}|%[A-Z_]+%|\$\{.*\}|\[[A-Z_%][A-Z0-9_%-]*\]")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_IN_APP: tuple[tuple[InApp, re.Pattern[str]], ...] = (
    ("line", re.compile(r"\bLine/\d")),
    ("kakaotalk", re.compile(r"\bKAKAOTALK\b")),
    ("instagram", re.compile(r"\bInstagram\b")),  # before Facebook, whose marks it carries too
    ("facebook", re.compile(r"\bFB(AN|AV|IOS|_IAB)\b")),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a link brought: the participant's id, the parameters to keep, or why it cannot be used."""

    external_id: str | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None


def id_parameter(study: Study) -> str | None:
    """The URL parameter of a participant's id; None where everybody has the same link."""
    return study.recruitment.external_id or ROUTE_IDS.get(study.recruitment.route)


def parameters(study: Study) -> tuple[str, ...]:
    """All URL parameters that are stored: the id first, then the route's and the study's own."""
    name, route = id_parameter(study), study.recruitment.route
    return tuple(dict.fromkeys([*([name] if name else []), *_kept_names(study, route)]))


def arrive(study: Study, query: Query) -> Arrival:
    """Read what a link brought.

    The same value twice counts once; different values of one parameter, values that are too long or
    hold characters that cannot be typed make the link damaged, and so does a blank in an id. A placeholder
    that no platform filled in is no value.
    """
    name = id_parameter(study)
    found: dict[str, str] = {}
    for each in parameters(study):
        is_id = each == name
        values = {read_id(study, value) if is_id else value.strip() for value in query.get(each, ())}
        values = {value for value in values if value and not _UNFILLED.fullmatch(value)}
        if len(values) > 1 or any(_is_odd(value, is_id=is_id) for value in values):
            return Arrival(problem="damaged")
        if values:
            found[each] = values.pop()
    if study.recruitment.route == "mturk" and found.get("assignmentId") == UNACCEPTED:
        return Arrival(problem="unaccepted")
    external_id = found.pop(name, None) if name else None
    return Arrival(external_id, found, "incomplete" if name and external_id is None else None)


def read_id(study: Study, typed: str) -> str:
    """A participant's id as it is stored."""
    typed = typed.strip()
    if study.recruitment.route != "lab":
        return typed
    # Typed by hand: full-width letters, small ones and a stray space are no other participant.
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed)).upper()


def return_url(
    study: Study,
    outcome: Outcome | Literal["full"],
    external_id: str | None,
    code: str,
    kept: Mapping[str, str],
) -> str | None:
    """Where a participant goes back to; None where the study names no place, or it needs an unknown id."""
    template = {
        "complete": study.recruitment.complete_url,
        "screened_out": study.recruitment.screen_out_url,
        "full": study.recruitment.quota_url,
    }.get(outcome)
    if template is None or (external_id is None and "{external_id}" in template):
        return None
    values = {**kept, "external_id": external_id or "", "code": code}
    return _PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), template)


def link(study: Study, base: str) -> str:
    """The study's link as it is pasted into the platform, with the platform's placeholders."""
    route, query = study.recruitment.route, [f"study={study.study}"]
    if route != "lab":
        name = id_parameter(study)
        query += [f"{name}={_ID_PLACEHOLDERS.get(route, '[ID]')}"] if name else []
        query += [f"{each}={_kept_placeholder(study, each)}" for each in parameters(study) if each != name]
    return f"{base.rstrip('/')}/?{'&'.join(query)}"


def hit(study: Study, base: str) -> str:
    """The layout of an MTurk project: a link that takes the worker's parameters along, and a field."""
    address = escape(f"{base.rstrip('/')}/?study={study.study}&")
    return f"""\
<p><a id="study" target="_blank" rel="noopener" href="{address}">Open the study in a new tab</a></p>
<p><label>Code from the study's last page <input name="code" required autocomplete="off"></label></p>
<script>
  document.getElementById("study").href += location.search.slice(1);
</script>"""


def in_app(user_agent: str) -> InApp | None:
    """Which app's own browser this is; None for a browser."""
    return next((app for app, mark in _IN_APP if mark.search(user_agent)), None)


def _kept_names(study: Study, route: str) -> tuple[str, ...]:
    return (*ROUTE_KEEPS.get(route, ()), *study.recruitment.keep)


def _kept_placeholder(study: Study, name: str) -> str:
    own = name in ROUTE_KEEPS.get(study.recruitment.route, ())
    return f"{{{{%{name}%}}}}" if own and study.recruitment.route == "prolific" else f"[{name.upper()}]"


def _is_odd(value: str, *, is_id: bool) -> bool:
    longest, usual = (LONGEST_ID, "") if is_id else (LONGEST_KEPT, "Zs")
    categories = {unicodedata.category(each) for each in value}
    return len(value) > longest or any(each[0] in "CZ" and each != usual for each in categories)
