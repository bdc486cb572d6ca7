"""A study's forecast as the shell shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core import planning
from core.planning import Forecast
from core.study import Study

Row = Sequence[str]


def short(found: Forecast) -> str:
    """The forecast in one line."""
    return (
        f"About {found.minutes} minutes for each participant; {_people(found)}. "
        "'facenorm study plan' says more."
    )


def full(study: Study, found: Forecast, *, sd_share: float) -> str:
    """The whole forecast, aligned."""
    sections = (
        ("One participant", _participant(study, found)),
        ("Participants", _participants(study, found)),
        (
            f"Half-widths of the 95 % interval of one picture, at an SD of {sd_share:g} of the scale",
            _widths(found),
        ),
        ("Cost", _cost(study, found)),
        ("Assumed", _assumed(study)),
    )
    return "\n\n".join("\n".join([name, *lines]) for name, lines in sections)


def _people(found: Forecast) -> str:
    return f"{found.finish} who finish, so about {found.begin} who begin"


def _participant(study: Study, found: Forecast) -> Iterator[str]:
    scales = {need.task: ", ".join(need.scales) for need in found.needs}
    rows = [
        (
            part.name,
            f"{part.trials} trials" if part.trials else "",
            _clock(part.seconds),
            scales.get(part.name, ""),
        )
        for part in found.parts
        if part.seconds
    ]
    yield from _aligned(rows, right=(1, 2))
    between = "; the longest of the task sets" if study.tasks.design == "between" else ""
    yield f"  About {found.minutes} minutes with {found.breaks} breaks{between}."
    kinds = {
        "pictures": found.pictures,
        "repeats": found.repeats,
        "attention checks": found.checks,
        "practice": found.practice,
        "identity pairs": found.pairs,
    }
    foils = f", {found.foils} of them foils" if found.pairs else ""
    yield "  Trials: " + ", ".join(f"{kind} {n}" for kind, n in kinds.items() if n) + foils + "."


def _participants(study: Study, found: Forecast) -> Iterator[str]:
    k, apart = study.trials.per_participant, len(found.languages) > 1
    yield f"  {found.n_stimuli} pictures; a participant rates {k} of them in a task set."
    rows = [("task set", "ratings", "finish", "begin")]
    rows += [(need.task, str(need.ratings), str(need.finish), str(need.begin)) for need in found.needs]
    yield from _aligned(rows, right=(1, 2, 3))
    each = f" ({', '.join(study.languages)} apart: as many in each)" if apart else ""
    dropout = f"{study.recruitment.dropout:.0%} are expected to drop out"
    yield f"  All together{each}: {_people(found)} ({dropout})."
    if found.pairs:
        yield f"  Each edit gets about {found.pair_ratings:.1f} ratings in the identity pairs."


def _widths(found: Forecast) -> Iterator[str]:
    rows = [("scale", "ratings", "half-width", "in points")]
    for width in found.widths:
        if width.points is None:
            name, points = f"{width.scale_id}, chosen by {width.assumed:.0%}", ""
        else:
            name, points = width.scale_id, f"{width.points:.2f}"
        rows.append((name, str(width.ratings), f"{width.half_width:.3f}", points))
    yield from _aligned(rows, right=(1, 2, 3))


def _cost(study: Study, found: Forecast) -> Iterator[str]:
    paid, cost = study.recruitment, found.cost
    if cost is None:
        yield "  No 'recruitment: pay_per_hour:' is set."
        return
    unit = f" {cost.currency}" if cost.currency else ""
    yield f"  {cost.each:,.2f}{unit} for each participant at {paid.pay_per_hour:,g}{unit} an hour."
    yield f"  {cost.total:,.2f}{unit} for all who finish, with a fee of {paid.fee:.0%}."


def _assumed(study: Study) -> Iterator[str]:
    scales = ", ".join(f"{kind} {seconds:g} s" for kind, seconds in planning.PER_SCALE.items())
    exposure = study.display.exposure
    looking = f"{planning.PER_PICTURE:g} s"
    if exposure is not None:
        shown = exposure.fixation_ms + exposure.duration_ms + exposure.mask_ms
        looking = f"{shown} ms of exposure and {planning.AFTER_EXPOSURE:g} s"
    others = f"an affect grid {planning.PER_GRID:g} s, a pair {planning.PER_PAIR:g} s"
    yield f"  A picture {looking}, {scales}, {others}."
    questions = ", ".join(f"{kind} {seconds:g} s" for kind, seconds in planning.PER_QUESTION.items())
    yield f"  Questions: {questions} (a likert list: each statement)."
    pages = ", ".join(f"{name} {seconds:g} s" for name, seconds in planning.PAGES.items())
    yield f"  Pages: {pages}; a break {planning.PER_BREAK:g} s."
    yield "  These times and the SD are our assumptions, not measured ones: put your pilot's in their place."


def _clock(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _aligned(rows: Iterable[Row], *, right: Sequence[int]) -> Iterator[str]:
    """Rows as lines with aligned columns; `right` says which are flush right."""
    table = list(rows)
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    for row in table:
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "   ".join(cells)).rstrip()
