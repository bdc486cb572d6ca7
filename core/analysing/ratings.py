"""The ratings of a file: who gave which value to which stimulus on each scale, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.agreement.estimate import Floats, Ints
from core.agreement.krippendorff import Level
from core.analysing.asked import Asked
from core.analysing.reading import Column
from core.errors import AgreementError

Rows = npt.NDArray[np.bool_]

HUMAN = ("human", "person", "participant")
MODEL = ("model", "ai", "machine")
SIMULATED = "simulated"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """The answers on one scale.

    row: shape (answers,), their rows in the file. value: numbers, or positions in labels.
    """

    name: str
    level: Level
    labels: tuple[str, ...]
    row: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Ratings:
    """A file's ratings. intended, identity: of each stimulus, None for unknown; empty where not asked for."""

    rater: Column
    stimulus: Column
    human: Rows
    model: Rows
    scales: tuple[Scale, ...]
    emotion: Scale | None
    intended: tuple[str | None, ...]
    identity: tuple[str | None, ...]
    by: tuple[Column, ...]

    @property
    def every(self) -> tuple[Scale, ...]:
        """The scales, and the perceived emotions last."""
        return (*self.scales, *([self.emotion] if self.emotion else []))

    def matrix(self, scale: Scale, rows: Rows) -> tuple[Floats, Ints, Ints]:
        """The answers in these rows, shape (raters, stimuli), NaN for missing, and who and what they are."""
        chosen = rows[scale.row]
        raters, i = np.unique(self.rater.codes[scale.row[chosen]], return_inverse=True)
        stimuli, j = np.unique(self.stimulus.codes[scale.row[chosen]], return_inverse=True)
        values = np.full((len(raters), len(stimuli)), np.nan)
        values[i, j] = scale.value[chosen]
        return values, raters, stimuli


def ratings(columns: Mapping[str, Column], asked: Asked) -> tuple[Ratings, tuple[str, ...]]:
    """The ratings of these columns, and what a reader of the tables should know of them.

    Raises AgreementError where a number would be wrong: text among numbers, a stimulus with two intended
    emotions or identities, a rater who is a person and a model, a level or range of an unknown scale.
    """
    names, warnings = asked.columns, []
    rater, stimulus = columns[names.rater], columns[names.stimulus]
    known = (rater.codes >= 0) & (stimulus.codes >= 0)
    if not known.any():
        raise AgreementError(f"no row names a rater ({names.rater}) and a stimulus ({names.stimulus})")
    if lost := int((~known).sum()):
        warnings.append(f"{lost} rows name no rater or no stimulus; they are left out")
    human, model = _kinds(columns.get(names.rater_type or ""), rater, known, warnings)
    found = [*_scales(columns, asked)]
    emotion = _emotion(columns, asked, found)
    _declared(asked, [one.name for one in (*found, *([emotion] if emotion else []))])
    if not human.any():
        raise AgreementError(f"no row is of a person; {names.rater_type} needs 'human' in some rows")
    base = Ratings(
        rater=rater,
        stimulus=stimulus,
        human=human,
        model=model,
        scales=(),
        emotion=None,
        intended=_of_stimuli(columns.get(names.intended or ""), stimulus),
        identity=_of_stimuli(columns.get(names.identity or ""), stimulus),
        by=tuple(columns[name] for name in names.by),
    )
    kept = tuple(_kept(base, scale, asked, human | model, warnings) for scale in found)
    if emotion is not None:
        again = bool(names.scale) and emotion.name in columns
        emotion = _once(base, _rows(emotion, human | model), warnings, silent=again)
    if not any(len(one.row) for one in (*kept, *([emotion] if emotion else []))):
        raise AgreementError("there is no rating left; name the columns that hold them")
    return replace(base, scales=kept, emotion=emotion), tuple(warnings)


def _kinds(kind: Column | None, rater: Column, known: Rows, warnings: list[str]) -> tuple[Rows, Rows]:
    if kind is None:
        return known, np.zeros_like(known)
    words = [name.lower() for name in kind.names]
    if strange := [name for name in words if name not in (*HUMAN, *MODEL, SIMULATED)]:
        raise AgreementError(
            f"{kind.name} holds {strange[0]!r}; it needs 'human' or 'model' in every row: mend the file or "
            "--rater-type"
        )
    if (kind.codes[known] < 0).any():
        raise AgreementError(f"{kind.name} is empty in some rows; it needs 'human' or 'model' in every row")
    human = known & np.isin(kind.codes, [i for i, name in enumerate(words) if name in HUMAN])
    model = known & np.isin(kind.codes, [i for i, name in enumerate(words) if name in MODEL])
    both = np.intersect1d(rater.codes[human], rater.codes[model])
    if len(both):
        raise AgreementError(
            f"rater {rater.names[both[0]]} is a person in some rows and a model in others; mend {kind.name}"
        )
    if SIMULATED in words:
        warnings.append("rows of simulated participants are left out")
    return human, model


def _of_stimuli(column: Column | None, stimulus: Column) -> tuple[str | None, ...]:
    if column is None:
        return ()
    given = (column.codes >= 0) & (stimulus.codes >= 0)
    pairs = np.unique(np.stack([stimulus.codes[given], column.codes[given]]), axis=1)
    which, n = np.unique(pairs[0], return_counts=True)
    if (n > 1).any():
        one = which[n > 1][0]
        names = [column.names[code] for code in pairs[1][pairs[0] == one]]
        raise AgreementError(
            f"stimulus {stimulus.names[one]} has {' and '.join(names[:2])} in {column.name}; it needs one: "
            "mend the file"
        )
    found: list[str | None] = [None] * len(stimulus.names)
    for at, code in pairs.T:
        found[at] = column.names[code]
    return tuple(found)


def _scales(columns: Mapping[str, Column], asked: Asked) -> Iterator[Scale]:
    names = asked.columns
    if names.scale is not None and names.value is not None:
        scale, value = columns[names.scale], columns[names.value]
        for place, name in enumerate(scale.names):
            rows = np.nonzero((scale.codes == place) & (value.codes >= 0))[0]
            yield _scale(name, value, rows, asked)
    for name in names.scales:
        yield _scale(name, columns[name], np.nonzero(columns[name].codes >= 0)[0], asked)


def _scale(name: str, value: Column, rows: Ints, asked: Asked) -> Scale:
    level = asked.levels.get(name)
    used = np.unique(value.codes[rows])
    wrong = used[np.isnan(value.numbers()[used])]
    if name == asked.columns.emotion or (len(wrong) and (level == "nominal" or len(wrong) == len(used))):
        if level not in (None, "nominal"):
            raise AgreementError(
                f"{name} holds {value.names[used[0]]!r}, which is no number; {level} needs numbers: "
                f"mend the file or --levels {name}=nominal"
            )
        return _labels(name, value, rows)
    if len(wrong):
        n = int(np.isin(value.codes[rows], wrong).sum())
        raise AgreementError(
            f"{name} holds {value.names[wrong[0]]!r} among numbers, and {n} such cells in all; it needs "
            f"numbers or empty cells: mend the file, or take them as labels with --levels {name}=nominal"
        )
    return Scale(name, level or "interval", (), rows, value.numbers()[value.codes[rows]])


def _labels(name: str, value: Column, rows: Ints) -> Scale:
    used, codes = np.unique(value.codes[rows], return_inverse=True)
    labels = tuple(value.names[code] for code in used)
    return Scale(name, "nominal", labels, rows, codes.astype(np.float64))


def _emotion(columns: Mapping[str, Column], asked: Asked, found: list[Scale]) -> Scale | None:
    """The perceived emotions; where they are one of the scales, they are no other scale any more."""
    name = asked.columns.emotion
    if name is None:
        return None
    for scale in found:
        if scale.name == name:
            found.remove(scale)
            return scale
    if name not in columns:
        raise AgreementError(
            f"{name!r} is neither a column nor one of the scales {', '.join(one.name for one in found)}; "
            "mend --emotion"
        )
    return _labels(name, columns[name], np.nonzero(columns[name].codes >= 0)[0])


def _declared(asked: Asked, known: list[str]) -> None:
    for option, names in (("--levels", asked.levels), ("--range", asked.ranges)):
        if strange := [name for name in names if name not in known]:
            raise AgreementError(
                f"{option} names {strange[0]!r}, which is no scale here; there are {', '.join(known)}"
            )


def _rows(scale: Scale, keep: Rows) -> Scale:
    chosen = keep[scale.row]
    return replace(scale, row=scale.row[chosen], value=scale.value[chosen])


def _kept(base: Ratings, scale: Scale, asked: Asked, keep: Rows, warnings: list[str]) -> Scale:
    scale = _rows(scale, keep)
    if scale.name in asked.ranges and not scale.labels:
        low, high = asked.ranges[scale.name]
        # A model's values may be in other units; whether they are is asked where the two meet.
        out = ((scale.value < low) | (scale.value > high)) & base.human[scale.row]
        if n := int(out.sum()):
            warnings.append(
                f"{scale.name}: {n} values are outside {low:g} to {high:g} (the first is "
                f"{scale.value[out][0]:g}); they are left out"
            )
        scale = replace(scale, row=scale.row[~out], value=scale.value[~out])
    return _once(base, scale, warnings)


def _once(base: Ratings, scale: Scale, warnings: list[str], *, silent: bool = False) -> Scale:
    """The first rating of each stimulus by each rater. silent: others that say the same are no news."""
    key = base.rater.codes[scale.row] * len(base.stimulus.names) + base.stimulus.codes[scale.row]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    again = np.ones(len(key), dtype=np.bool_)
    again[first] = False
    news = again & (scale.value != scale.value[first][place]) if silent else again
    if n := int(news.sum()):
        row = scale.row[news][0]
        warnings.append(
            f"{scale.name}: {n} ratings are duplicates, of a stimulus that the rater had rated already "
            f"(rater {base.rater.names[base.rater.codes[row]]}, stimulus "
            f"{base.stimulus.names[base.stimulus.codes[row]]}, for one); the first in the file counts"
        )
    kept = np.sort(first)
    return replace(scale, row=scale.row[kept], value=scale.value[kept])


def listed(names: list[str]) -> str:
    """Names for a warning, the first few of many."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
