"""Variance components of raters crossed with stimuli, by restricted maximum likelihood.

    y_ij = mu + stimulus_i + rater_j + error_ij

Any cells may be missing and any may hold several ratings. With V = s_s Z_s Z_s' + s_r Z_r Z_r' + s_e I and
P = V^-1 - V^-1 1 (1' V^-1 1)^-1 1' V^-1, the larger of the two factors is eliminated from V^-1 on paper
(its block is diagonal), so that only a matrix as large as the smaller one is factorised.

Newton steps with the average information, halved until the likelihood rises, with components held at 0
where they would become negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from core.agreement.design import parts_of_links
from core.agreement.estimate import Floats, Ints
from core.errors import AgreementError

MAX_STEPS = 100
_TOLERANCE = 1e-8
_DENSE_CELLS = 200_000
_TURNED = np.array([1, 0, 2])
_EXACT = 1e-7  # of the total variance: an error below it is rounding
_FLOOR = 1e-12  # of the total variance: a component below it is 0


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Variance components with the inverse of their average information: stimulus, rater, error.

    covariance: shape (3, 3); 0 for a component that is 0, which has no large-sample error.
    sizes: ratings per stimulus.
    """

    stimulus: float
    rater: float
    error: float
    covariance: Floats
    sizes: Ints
    n_raters: int
    log_likelihood: float

    @property
    def values(self) -> Floats:
        """The three components in the order of the covariance."""
        return np.array([self.stimulus, self.rater, self.error])


def components(
    rater: npt.ArrayLike, stimulus: npt.ArrayLike, value: npt.ArrayLike, *, crossed: bool = True
) -> Components:
    """REML variance components of long arrays; ratings may be missing or repeated.

    rater, stimulus, value: shape (ratings,); names or numbers, and finite values (NaN is left out).
    crossed: with raters as a factor; without, the one-way model, in which they belong to the error.
    Raises AgreementError with fewer than 2 stimuli or raters, no ratings beyond one per stimulus and rater
    effects, constant ratings, or a crossed design of disconnected parts.
    Source: Patterson & Thompson (1971), Biometrika 58, 545-554; average information: Gilmour, Thompson &
    Cullis (1995), Biometrics 51, 1440-1450.
    """
    y = np.asarray(value, dtype=np.float64)
    given = np.isfinite(y)
    i = np.unique(np.asarray(stimulus)[given], return_inverse=True)[1]
    j = np.unique(np.asarray(rater)[given], return_inverse=True)[1]
    y = y[given]
    _check(i, j, y, crossed)
    scale = float(y.std())
    model = _Model(i, j, (y - y.mean()) / scale)
    free = np.array([True, crossed, True])
    theta = _maximised(model, free)
    inverse, free = np.zeros((3, 3)), free & (theta > 0)
    inverse[np.ix_(free, free)] = np.linalg.pinv(model.state(theta).information[np.ix_(free, free)])
    s, r, e = (theta * scale**2).tolist()
    found = model.at(theta).log_likelihood() - (len(y) - 1) * float(np.log(scale))
    return Components(s, r, e, inverse * scale**4, np.bincount(i), int(j.max()) + 1, found)


def _check(i: Ints, j: Ints, y: Floats, crossed: bool) -> None:
    if not len(y):
        raise AgreementError("there are no ratings yet; variance components need two raters of two stimuli")
    n, k = int(i.max()) + 1, int(j.max()) + 1
    if n < 2 or k < 2:
        raise AgreementError(f"{k} raters of {n} stimuli; variance components need two of each")
    if np.ptp(y) == 0:
        raise AgreementError(f"all {len(y)} ratings are {y[0]:g}; variance components need some that differ")
    if not crossed:
        if len(y) == n:
            raise AgreementError(f"each of {n} stimuli has one rating; nothing tells error from stimulus")
        return
    if (parts := len(np.unique(parts_of_links(j, i, n_raters=k, n_stimuli=n)[1]))) > 1:
        raise AgreementError(
            f"the design falls into {parts} parts that share no rater and no stimulus, so it has no common "
            "intraclass correlation; report it by part"
        )
    if len(y) <= n + k - 1:
        raise AgreementError(
            f"{len(y)} ratings for {n} stimuli and {k} raters leave nothing to tell error from both"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What a Newton step needs at one set of components."""

    log_likelihood: float
    score: Floats
    information: Floats


class _Model:
    """The data, with the factors named small and large by their number of levels."""

    def __init__(self, stimulus: Ints, rater: Ints, y: Floats) -> None:
        self.swapped = stimulus.max() > rater.max()  # the larger factor is eliminated
        self.small, self.large = (rater, stimulus) if self.swapped else (stimulus, rater)
        self.y = y
        self.p, self.q = int(self.small.max()) + 1, int(self.large.max()) + 1
        self.n_small, self.n_large = np.bincount(self.small), np.bincount(self.large)
        cells = sparse.coo_array((np.ones(len(y)), (self.large, self.small)), shape=(self.q, self.p))
        dense = self.p * self.q <= _DENSE_CELLS
        self.cells: Any = cells.toarray() if dense else sparse.csr_array(cells)

    def at(self, theta: Floats) -> _Solved:
        """The model at components in the order stimulus, rater, error."""
        s, r, e = theta[_TURNED] if self.swapped else theta
        return _Solved(self, float(s), float(r), float(e))

    def state(self, theta: Floats) -> _State:
        """Score and average information in the order stimulus, rater, error."""
        solved = self.at(theta)
        score, information = solved.score_and_information()
        if self.swapped:
            score, information = score[_TURNED], information[np.ix_(_TURNED, _TURNED)]
        return _State(solved.log_likelihood(), score, information)


class _Solved:
    """V^-1 at one set of components, s of the smaller factor and r of the larger, and what follows."""

    def __init__(self, model: _Model, s: float, r: float, e: float) -> None:
        self.model, self.s, self.r, self.e = model, s, r, e
        self.inner = 1 / (e + model.n_large * r)  # of the eliminated block
        self.weighted = _scaled(model.cells, self.inner)  # Z_large' V_large^-1 Z_small
        products = _dense(model.cells.T @ self.weighted)
        self.a = (np.diag(model.n_small.astype(np.float64)) - r * products) / e
        self.factor = linalg.cho_factor(np.eye(model.p) + s * self.a, lower=True)
        ones = self.v_inverse(np.ones((len(model.y), 1)))
        self.ones, self.norm = ones[:, 0], float(ones.sum())

    def eliminated(self, x: Floats) -> Floats:
        """The inverse of V without the smaller factor, times x of shape (ratings, columns)."""
        large = self.model.large
        sums = _sums(large, x, self.model.q) * (self.r * self.inner)[:, None]
        return np.asarray((x - sums[large]) / self.e)

    def v_inverse(self, x: Floats) -> Floats:
        u = self.eliminated(x)
        if self.s == 0:
            return u
        middle = linalg.cho_solve(self.factor, _sums(self.model.small, u, self.model.p)) * self.s
        return np.asarray(u - self.eliminated(middle[self.model.small]))

    def projected(self, x: Floats) -> Floats:
        u = self.v_inverse(x)
        return np.asarray(u - np.outer(self.ones, u.sum(axis=0) / self.norm))

    def log_likelihood(self) -> float:
        """The restricted log-likelihood without its constant."""
        y = self.model.y
        squares = float(y @ self.projected(y[:, None])[:, 0])
        return -0.5 * (self.log_determinant() + float(np.log(self.norm)) + squares)

    def log_determinant(self) -> float:
        n, q = len(self.model.y), self.model.q
        of_large = (n - q) * np.log(self.e) - np.log(self.inner).sum()
        return float(of_large + 2 * np.log(np.diag(self.factor[0])).sum())

    def traces(self) -> Floats:
        """Traces of P Z_small Z_small', P Z_large Z_large' and P."""
        small = float(np.trace(linalg.cho_solve(self.factor, self.a)))
        cross = _dense(self.weighted.T @ self.weighted)
        shrunk = self.s * float(np.trace(linalg.cho_solve(self.factor, cross)))
        large = float((self.model.n_large * self.inner).sum()) - shrunk
        rest = (len(self.model.y) - self.s * small - self.r * large) / self.e
        sums = [_sums(self.model.small, self.ones[:, None], self.model.p)]
        sums += [_sums(self.model.large, self.ones[:, None], self.model.q), self.ones]
        return np.array([small, large, rest]) - [float((x**2).sum()) / self.norm for x in sums]

    def score_and_information(self) -> tuple[Floats, Floats]:
        """The first derivatives of the likelihood, and the average of observed and expected second ones."""
        model = self.model
        py = self.projected(model.y[:, None])
        small, large = _sums(model.small, py, model.p), _sums(model.large, py, model.q)
        working = np.hstack([small[model.small], large[model.large], py])
        information = 0.5 * working.T @ self.projected(working)
        return -0.5 * (self.traces() - py[:, 0] @ working), (information + information.T) / 2


def _scaled(cells: Any, factors: Floats) -> Any:
    return cells.multiply(factors[:, None]).tocsr() if sparse.issparse(cells) else cells * factors[:, None]


def _dense(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix)


def _sums(at: Ints, x: Floats, n: int) -> Floats:
    """Sums of the rows of x that belong together: shape (n, columns)."""
    return np.stack([np.bincount(at, weights=column, minlength=n) for column in x.T], axis=1)


def _maximised(model: _Model, free: npt.NDArray[np.bool_]) -> Floats:
    theta = np.where(free, 1 / free.sum(), 0.0)
    for _ in range(MAX_STEPS):
        state = model.state(theta)
        # A component at 0 stays there only while the likelihood falls on the way up.
        moving = free & ((theta > 0) | (state.score > 0))
        step = _step(model, theta, state, moving)
        if np.abs(step).max() < _TOLERANCE or (new := _risen(model, theta, step, state)) is None:
            return theta
        theta = new
        if theta[2] < _EXACT:
            raise AgreementError(
                "stimuli and raters explain every rating; variance components need some error"
            )
    raise AgreementError(
        f"variance components did not converge in {MAX_STEPS} steps; are some ratings alike?"
    )


def _step(model: _Model, theta: Floats, state: _State, moving: npt.NDArray[np.bool_]) -> Floats:
    step = np.zeros(3)
    information = state.information[np.ix_(moving, moving)]
    step[moving], _, rank, _ = np.linalg.lstsq(information, state.score[moving], rcond=1e-10)
    if rank == moving.sum():
        return step
    # Without error some directions hold no information; the step of the EM algorithm goes on.
    levels = [model.q, model.p] if model.swapped else [model.p, model.q]
    return np.where(moving, 2 * theta**2 * state.score / [*levels, len(model.y)], 0.0)


def _risen(model: _Model, theta: Floats, step: Floats, state: _State) -> Floats | None:
    """The first of ever shorter steps that does not lower the likelihood; None where none does."""
    for _ in range(40):
        new = theta + step
        new[new < _FLOOR] = 0.0
        new[2] = max(new[2], theta[2] / 10)  # without error the likelihood has no maximum
        if model.at(new).log_likelihood() >= state.log_likelihood - 1e-12 * abs(state.log_likelihood):
            return new
        step = step / 2
    return None
