"""Every statistic of agreement among people on one scale, whatever its level; the level says which fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from core.agreement import chance, design, icc, krippendorff, reliability
from core.agreement.design import Design
from core.agreement.estimate import Estimate, Floats
from core.agreement.krippendorff import Level
from core.errors import AgreementError

COLUMNS = (
    "subset",
    "scale",
    "statistic",
    "estimate",
    "ci_low",
    "ci_high",
    "n_stimuli",
    "n_raters",
    "n_ratings",
    "missing",
    "method",
    "recommended",
)
OF_LABELS = ("alpha_nominal", "fleiss_kappa", "gwet_ac1", "brennan_prediger")
OF_NUMBERS = (
    "alpha_nominal",
    "alpha_ordinal",
    "alpha_interval",
    "alpha_ratio",
    *(f"icc_{form.replace(',', '_')}" for form in icc.FORMS),
    "cronbach_alpha",
    "split_half_sb",
    *OF_LABELS[1:],
)
_METRIC = tuple(name for name in OF_NUMBERS if name.startswith(("icc", "cronbach", "split")))
RECOMMENDED: Mapping[Level, tuple[str, ...]] = MappingProxyType(
    {
        "nominal": OF_LABELS,
        "ordinal": ("alpha_ordinal",),
        "interval": ("alpha_interval", *_METRIC),
        "ratio": ("alpha_ratio", *_METRIC),
    }
)
MAX_CATEGORIES = 1000

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Table:
    """The ratings of people on one scale: values of shape (raters, stimuli), and the full scale if known."""

    values: Floats
    level: Level
    is_labels: bool
    categories: tuple[float, ...] | None = None
    resamples: int = 1000
    seed: int = 1


def rows(table: Table) -> Iterator[Row]:
    """One row per statistic; one that has no answer is empty, with the reason as its method."""
    shape = design.describe(table.values)
    recommended = RECOMMENDED[table.level]
    for name, compute in _statistics(table).items():
        yield _row(compute, shape) | {"statistic": name, "recommended": name in recommended}


Compute = Callable[[], Estimate]


def _statistics(table: Table) -> Mapping[str, Compute]:
    found = _alphas(table) | _categorical(table)
    if table.is_labels:
        return {name: found[name] for name in OF_LABELS}
    found |= _correlations(table.values)
    found["split_half_sb"] = lambda: reliability.split_half(
        table.values, resamples=table.resamples, rng=np.random.default_rng(table.seed)
    )
    return {name: found[name] for name in OF_NUMBERS}


def _alphas(table: Table) -> dict[str, Compute]:
    def of(level: Level) -> Compute:
        return lambda: krippendorff.alpha(
            table.values, level=level, resamples=table.resamples, rng=np.random.default_rng(table.seed)
        )

    levels: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
    return {f"alpha_{level}": of(level) for level in levels}


def _correlations(values: Floats) -> dict[str, Compute]:
    """All forms from one set of mean squares or components, made when the first is asked for."""
    made: list[Mapping[icc.Form, Estimate]] = []

    def of(form: icc.Form) -> Estimate:
        if not made:
            made.append(icc.forms(values))
        # A form that is absent says why when it is asked for alone.
        return made[0][form] if form in made[0] else icc.icc(values, form=form)

    def compute(form: icc.Form) -> Compute:
        return lambda: of(form)

    def cronbach() -> Estimate:
        found = of("3,k")
        return replace(found, method=f"Cronbach's alpha; {found.method.split('; ', 1)[1]}")

    forms = {f"icc_{form.replace(',', '_')}": compute(form) for form in icc.FORMS}
    return forms | {"cronbach_alpha": cronbach}


def _categorical(table: Table) -> dict[str, Compute]:
    functions = {
        "fleiss_kappa": chance.fleiss,
        "gwet_ac1": chance.gwet,
        "brennan_prediger": chance.brennan_prediger,
    }

    def compute(name: str) -> Compute:
        def found() -> Estimate:
            categories, which = _categories(table)
            one = functions[name](table.values, categories=categories)
            return replace(one, method=f"{one.method}; {which}")

        return found

    return {name: compute(name) for name in functions}


def _categories(table: Table) -> tuple[tuple[float, ...], str]:
    used = tuple(np.unique(table.values[np.isfinite(table.values)]).tolist())
    if table.categories is not None and set(used) <= set(table.categories):
        return table.categories, "all labels in the file" if table.is_labels else "the full scale"
    if len(used) > MAX_CATEGORIES:
        raise AgreementError(
            f"there are {len(used)} different values; as categories {MAX_CATEGORIES} are taken: round them"
        )
    return used, "the values in use (--range names the full scale)"


def _row(compute: Compute, shape: Design) -> Row:
    try:
        found = compute()
    except AgreementError as error:
        found = None
        method = f"not computed: {error}"
    if found is None:
        numbers: Row = {"estimate": None, "ci_low": None, "ci_high": None}
        counts = (shape.n_stimuli, shape.n_raters, shape.n_ratings)
    else:
        numbers = {"estimate": found.estimate, "ci_low": found.low, "ci_high": found.high}
        method = found.method
        counts = (
            found.n_stimuli,
            shape.n_raters if found.n_raters is None else found.n_raters,
            found.n_ratings,
        )
    sizes: Row = dict(zip(("n_stimuli", "n_raters", "n_ratings"), counts, strict=True))
    return numbers | sizes | {"missing": shape.missing, "method": method}
