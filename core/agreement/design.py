"""Who rated what: whether a design is complete and connected, and how many ratings stand for a stimulus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError


@dataclass(frozen=True, slots=True)
class Design:
    """The shape of a table of ratings, over the stimuli and raters that have any.

    n_least, n_median, n_most: ratings per stimulus. missing: the share of cells without a rating.
    parts: 1 where raters and stimuli hang together; more where some share neither raters nor stimuli.
    """

    n_stimuli: int
    n_raters: int
    n_ratings: int
    n_least: int
    n_median: float
    n_most: int
    missing: float
    parts: int

    @property
    def complete(self) -> bool:
        """Whether every rater rated every stimulus."""
        return self.missing == 0


def describe(values: npt.ArrayLike) -> Design:
    """The design of ratings of shape (raters, stimuli), NaN for missing; empty rows and columns count not.

    Raises AgreementError when there are no ratings.
    """
    observed = np.isfinite(kept(values)[0])
    sizes = observed.sum(axis=0)
    return Design(
        n_stimuli=observed.shape[1],
        n_raters=observed.shape[0],
        n_ratings=int(observed.sum()),
        n_least=int(sizes.min()),
        n_median=float(np.median(sizes)),
        n_most=int(sizes.max()),
        missing=float(1 - observed.mean()),
        parts=len(np.unique(parts(observed)[0])),
    )


def kept(values: npt.ArrayLike) -> tuple[Floats, Ints, Ints]:
    """The ratings without raters and stimuli that have none, and which raters and stimuli are left.

    Raises AgreementError when the shape is not (raters, stimuli) or nothing is left.
    """
    ratings = np.asarray(values, dtype=np.float64)
    if ratings.ndim != 2:
        raise AgreementError(
            f"ratings have {ratings.ndim} dimensions; agreement needs shape (raters, stimuli)"
        )
    observed = np.isfinite(ratings)
    if not observed.any():
        raise AgreementError("there are no ratings yet; agreement needs two raters of the same stimuli")
    raters, stimuli = np.nonzero(observed.any(axis=1))[0], np.nonzero(observed.any(axis=0))[0]
    return ratings[np.ix_(raters, stimuli)], raters, stimuli


def parts(observed: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Which connected part each rater and each stimulus belongs to: shapes (raters,) and (stimuli,).

    observed: shape (raters, stimuli), true where there is a rating. Two parts share no rater and no
    stimulus, so that nothing tells a difference between their raters from one between their stimuli.
    """
    links = sparse.csr_array(np.asarray(observed, dtype=np.int8))
    return parts_of_links(*links.nonzero(), n_raters=links.shape[0], n_stimuli=links.shape[1])


def parts_of_links(
    rater: npt.ArrayLike, stimulus: npt.ArrayLike, *, n_raters: int, n_stimuli: int
) -> tuple[Ints, Ints]:
    """The same from long arrays: the positions of the rater and the stimulus of each rating."""
    i, j = np.asarray(rater), np.asarray(stimulus)
    n = n_raters + n_stimuli
    graph = sparse.coo_array((np.ones(len(i), dtype=np.int8), (i, n_raters + j)), shape=(n, n))
    part = csgraph.connected_components(graph, directed=False)[1].astype(np.int64)
    return part[:n_raters], part[n_raters:]


def ratings_per_stimulus(sizes: npt.ArrayLike) -> float:
    """k0 = (N - sum k_i^2 / N) / (n - 1), what k is in a complete design, from n numbers of ratings k_i.

    Raises AgreementError with fewer than 2 stimuli.
    Source: Searle, Casella & McCulloch (1992), Variance Components, chapter 3.
    """
    k = np.asarray(sizes, dtype=np.float64)
    if len(k) < 2:
        raise AgreementError(f"{len(k)} stimuli have ratings; an intraclass correlation needs at least 2")
    total = float(k.sum())
    return (total - float((k**2).sum()) / total) / (len(k) - 1)
