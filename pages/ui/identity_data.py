"""What the page about identity shows, computed from stored embeddings: no Streamlit, no SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import AgreementError
from core.identity import across, gallery, references, report
from core.identity.across import Robustness
from core.identity.gallery import Gallery, Picture
from core.identity.report import Report
from core.records import Stimulus
from core.vision import registry

Stored = tuple[str, str, str, NDArray[np.float32]]
"""served_sha256, rater_id, detector, embedding."""
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """One model's embeddings of a study's stimuli, in their order: NaN where there is none."""

    name: str  # what the page calls it: the detector is named where there are several
    rater_id: str
    detector: str
    values: NDArray[np.float32]

    @property
    def fingerprint(self) -> str:
        """The same for the same embeddings, however often they are read."""
        return hashlib.sha256(self.values.tobytes()).hexdigest()

    @property
    def threshold(self) -> float | None:
        """The cosine distance up to which its authors say "the same person"."""
        entry = registry.RATERS.get(self.rater_id)
        return entry.declaration.threshold if entry else None


def of_stimuli(stimuli: Sequence[Stimulus]) -> Gallery:
    """The gallery of a study's stimuli, with the references that its manifest names or the rule gives."""
    found = references.fill(
        [one.stim_file for one in stimuli],
        [one.identity_id for one in stimuli],
        [one.intended_emotion for one in stimuli],
        [one.reference_file for one in stimuli],
    )
    return gallery.build(
        [
            Picture(one.stim_file, one.identity_id, one.intended_emotion, reference, dict(one.extra))
            for one, reference in zip(stimuli, found, strict=True)
        ]
    )


def models(stored: Iterable[Stored], stimuli: Sequence[Stimulus]) -> tuple[Embedded, ...]:
    """Sort stored embeddings by model and detector, in the order of their names."""
    found: dict[tuple[str, str], dict[str, NDArray[np.float32]]] = {}
    for served_sha256, rater_id, detector, values in stored:
        found.setdefault((rater_id, detector), {})[served_sha256] = values
    several = len({detector for _, detector in found}) > 1
    return tuple(
        Embedded(
            f"{rater_id} on {detector}" if several else rater_id, rater_id, detector, _table(rows, stimuli)
        )
        for (rater_id, detector), rows in sorted(found.items())
    )


def _table(rows: Mapping[str, NDArray[np.float32]], stimuli: Sequence[Stimulus]) -> NDArray[np.float32]:
    # Another network under the same name may have another number of dimensions: the more frequent one counts.
    lengths = [len(values) for values in rows.values()]
    dimensions = max(set(lengths), key=lambda n: (lengths.count(n), n))
    table = np.full((len(stimuli), dimensions), np.nan, np.float32)
    for at, one in enumerate(stimuli):
        values = rows.get(one.served_sha256)
        if values is not None and len(values) == dimensions:
            table[at] = values
    return table


def reported(model: Embedded, shown: Gallery, *, needs_edits: bool = True) -> Report | str:
    """One model's report, or why there is none."""
    try:
        return report.compute(
            model.name,
            model.values,
            shown,
            threshold=model.threshold,
            needs_edits=needs_edits,
            seed=SEED,
        )
    except AgreementError as error:
        return str(error)


def robustness(reports: Sequence[Report]) -> Robustness | str | None:
    """How far the models agree, or why that is not known; None with fewer than two."""
    if len(reports) < across.MIN_MODELS:
        return None
    try:
        return across.of_reports(reports, rng=np.random.default_rng(SEED))
    except AgreementError as error:
        return str(error)
