"""The rows of the files that `facenorm identity` writes; docs/identity.md says what each column holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from core.agreement.estimate import Ints
from core.identity import pairs
from core.identity.across import Robustness
from core.identity.gallery import KINDS, NOBODY, Flags, Floats32, Gallery
from core.identity.images import Image, Standing
from core.identity.pairs import Sides
from core.identity.report import Report
from core.identity.separation import STATISTICS, Separation
from core.ratings import Kind, Row, Value

Which = Literal["within", "all"]
Confidence = Callable[[float], float]

IDENTITY: Mapping[str, Kind] = {
    "model": "text", "stim_file": "text", "identity_id": "text", "reference_file": "text",
    "similarity": "number", "percentile": "number", "margin": "number", "rank1": "boolean",
    "verdict": "boolean", "threshold": "number", "deepface_confidence": "number",
    "nearest_file": "text", "impostors": "text",
    "edited_neutral_file": "text", "edited_neutral_similarity": "number",
    "edited_neutral_percentile": "number", "edited_neutral_margin": "number",
    "edited_neutral_rank1": "boolean", "flags": "text", "reason": "text",
}  # fmt: skip
PAIRS: Mapping[str, Kind] = {
    "model": "text", "stim_file_1": "text", "stim_file_2": "text", "similarity": "number",
    "same_identity": "boolean",
}  # fmt: skip
SUMMARY: Mapping[str, Kind] = {
    "model": "text", "compared": "text", "impostors": "text", "headline": "boolean",
    "n_identities": "integer", "n_within": "integer", "n_between": "integer",
    "d_prime": "number", "d_prime_low": "number", "d_prime_high": "number",
    "auc": "number", "auc_low": "number", "auc_high": "number",
    "eer": "number", "eer_low": "number", "eer_high": "number",
    "mean_within": "number", "mean_between": "number", "method": "text", "note": "text",
}  # fmt: skip
ROBUSTNESS: Mapping[str, Kind] = {
    "statistic": "text", "model_1": "text", "model_2": "text", "estimate": "number", "low": "number",
    "high": "number", "n_edits": "integer", "n_identities": "integer", "method": "text",
}  # fmt: skip
PROBLEMS: Mapping[str, Kind] = {"model": "text", "stim_file": "text", "status": "text", "reason": "text"}
FILES: Mapping[str, Mapping[str, Kind]] = {
    "identity.csv": IDENTITY,
    "pairs.csv": PAIRS,
    "summary.csv": SUMMARY,
    "robustness.csv": ROBUSTNESS,
    "problems.csv": PROBLEMS,
}
NUMBERS = len(SUMMARY) - len(("model", "compared", "impostors", "headline", "note"))
PAIRS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A picture that no similarity is known of; model: empty where it concerns all."""

    model: str
    stim_file: str
    status: str
    reason: str


def identity_rows(reports: Iterable[Report], confidences: Mapping[str, Confidence]) -> Iterator[Row]:
    """One row for each model and edit.

    confidences: by model, from a similarity to DeepFace's confidence; models without one are left out.
    """
    for report in reports:
        confidence = confidences.get(report.model)
        for image in report.images:
            yield _identity(report.model, image, confidence)


def _identity(model: str, image: Image, confidence: Confidence | None) -> Row:
    own, edited = image.reference, image.edited_neutral
    sure = _decimals(confidence(own.similarity)) if own and confidence else None
    values = (
        model, image.stim_file, image.identity_id, image.reference_file, *_standing(own),
        image.verdict, image.threshold, sure, own.nearest_file if own else None, image.impostors,
        edited.compared_file if edited else None, *_standing(edited), "; ".join(image.flags), image.reason,
    )  # fmt: skip
    return dict(zip(IDENTITY, values, strict=True))


def _standing(one: Standing | None) -> tuple[Value, ...]:
    if one is None:
        return (None,) * 4
    return _decimals(one.similarity), _decimals(one.percentile), _decimals(one.margin), one.rank1


def _decimals(value: float | None) -> float | None:
    return None if value is None else round(float(value), pairs.DECIMALS)


def summary_rows(reports: Iterable[Report]) -> Iterator[Row]:
    """The headline of each model first, then the others; where there is no number, a note says why."""
    for report in reports:
        found = {(one.kind, one.impostors): one for one in report.separations}
        wanted = sorted(
            [*found, *report.missing], key=lambda key: (KINDS.index(key[0]), key[1] != report.headline)
        )
        for kind, impostors in wanted:
            headline = kind == "reference" and impostors == report.headline
            one = found.get((kind, impostors))
            numbers = _numbers(one) if one else (None,) * NUMBERS
            note = " ".join(report.notes) if one else report.missing[kind, impostors]
            values = (report.model, kind, impostors, headline, *numbers, note)
            yield dict(zip(SUMMARY, values, strict=True))


def _numbers(one: Separation) -> tuple[Value, ...]:
    estimates = [getattr(one, name) for name in STATISTICS]
    ends = [_decimals(value) for each in estimates for value in (each.estimate, each.low, each.high)]
    means = (_decimals(one.mean_within), _decimals(one.mean_between))
    return (one.n_identities, one.n_within, one.n_between, *ends, *means, one.auc.method)


def robustness_rows(found: Robustness | None) -> Iterator[Row]:
    """Each two models, then all together; nothing where there is one model."""
    if found is None:
        return
    named = [("spearman", *pair, one) for pair, one in found.spearman.items()]
    named += [
        ("mean_spearman", "all", "all", found.mean_spearman), ("kendall_w", "all", "all", found.kendall_w),
    ]  # fmt: skip
    for name, first, second, one in named:
        ends = (_decimals(one.estimate), _decimals(one.low), _decimals(one.high))
        values = (name, first, second, *ends, one.n_stimuli, found.n_identities, one.method)
        yield dict(zip(ROBUSTNESS, values, strict=True))


def problem_rows(problems: Iterable[Problem]) -> Iterator[Row]:
    """One row for each picture that could not be used."""
    return (asdict(one) for one in problems)


def n_pairs(gallery: Gallery, embeddings: Floats32, which: Which) -> int:
    """How many rows `pair_chunks` gives."""
    seen = np.isfinite(embeddings).all(axis=1)
    if which == "all":
        n = int(seen.sum())
        return n * (n - 1) // 2
    counts = np.bincount(gallery.identity[seen & (gallery.identity != NOBODY)])
    return int((counts * (counts - 1) // 2).sum())


def pair_chunks(
    model: str, gallery: Gallery, embeddings: Floats32, which: Which
) -> Iterator[dict[str, Sequence[Value]]]:
    """The rows of pairs.csv by column, some hundred thousand at a time, never all in memory."""
    seen: Flags = np.asarray(np.isfinite(embeddings).all(axis=1))
    if which == "within":
        one, other = pairs.mine(gallery, pairs.sides(gallery, seen, "all_pairs"))
        for start in range(0, len(one), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            values = pairs.similarity(embeddings, one[part], other[part])
            yield _chunk(model, gallery, one[part], other[part], values)
        return
    everyone = np.flatnonzero(seen)
    pair = Sides(everyone, everyone, np.empty(0, np.int64), triangle=True)
    for rows, found in pairs.blocks(embeddings, pair, at_once=PAIRS_AT_ONCE):
        above = np.arange(found.shape[0])[:, None] < np.arange(found.shape[1])
        first, second = (side + rows.start for side in np.nonzero(above))
        yield _chunk(model, gallery, everyone[first], everyone[second], found[above])


def _chunk(
    model: str, gallery: Gallery, one: Ints, other: Ints, values: Floats32
) -> dict[str, Sequence[Value]]:
    first, second = gallery.identity[one], gallery.identity[other]
    same: list[Value] = (first == second).tolist()
    for at in np.flatnonzero((first == NOBODY) | (second == NOBODY)).tolist():
        same[at] = None
    names = [picture.stim_file for picture in gallery.pictures]
    return {
        "model": [model] * len(one),
        "stim_file_1": [names[at] for at in one.tolist()],
        "stim_file_2": [names[at] for at in other.tolist()],
        "similarity": np.round(values.astype(np.float64), pairs.DECIMALS).tolist(),
        "same_identity": same,
    }
