"""How well labels are recognised over all of them: macro-F1, balanced accuracy, guessing taken off."""

from __future__ import annotations

import numpy as np

from core.agreement.categorical import wilson
from core.agreement.confusion import Confusion
from core.agreement.estimate import Estimate, Floats, normal_quantile
from core.errors import AgreementError


def macro_f1(confusion: Confusion, *, confidence: float = 0.95) -> Estimate:
    """The mean over shared labels of F1 = 2 n_ii / (R_i + C_i); a label that nobody used is left out.

    R_i counts every response to the label, "other" too. Returns a value in 0..1 with the interval by the
    delta method, pairs as independent.
    Raises AgreementError when rows and columns share no label that was used.
    Source: Sokolova & Lapalme (2009), Information Processing & Management 45, 427-437; interval: Takahashi
    et al. (2022), Applied Intelligence 52, 4961-4972.
    """
    p, n = _shares(confusion)
    gradient, parts = np.zeros(p.shape), []
    for label in confusion.shared:
        i, j = confusion.rows.index(label), confusion.columns.index(label)
        if (used := float(p[i].sum() + p[:, j].sum())) > 0:
            parts.append(2 * float(p[i, j]) / used)
            gradient[i] -= parts[-1] / used
            gradient[:, j] -= parts[-1] / used
            gradient[i, j] += 2 / used
    if not parts:
        raise AgreementError("rows and columns share no label that was used; F1 needs one")
    gradient /= len(parts)
    variance = float((p * gradient**2).sum() - (p * gradient).sum() ** 2) / n
    method = f"macro-F1 over {len(parts)} labels; delta-method interval"
    return _estimate(float(np.mean(parts)), variance, n, method, confidence)


def balanced_accuracy(confusion: Confusion, *, confidence: float = 0.95) -> Estimate:
    """The mean over shared labels of the hit rate H = n_ii / R_i; a label of no stimulus is left out.

    Returns a value in 0..1; the interval is normal, pairs as independent.
    Raises AgreementError when rows and columns share no label that was rated.
    Source: Brodersen, Ong, Stephan & Buhmann (2010), International Conference on Pattern Recognition,
    3121-3124.
    """
    p, n = _shares(confusion)
    parts, variance = [], 0.0
    for label in confusion.shared:
        i, j = confusion.rows.index(label), confusion.columns.index(label)
        if (of_label := float(p[i].sum())) > 0:
            h = float(p[i, j]) / of_label
            parts.append(h)
            variance += h * (1 - h) / (n * of_label)
    if not parts:
        raise AgreementError("rows and columns share no label that was rated; accuracy needs one")
    method = f"balanced accuracy over {len(parts)} labels; normal interval"
    return _estimate(float(np.mean(parts)), variance / len(parts) ** 2, n, method, confidence)


def over_guessing(hits: float, n: float, *, options: int, confidence: float = 0.95) -> Estimate:
    """The proportion correct with guessing among m options taken off: (H - 1/m) / (1 - 1/m).

    Returns at most 1, 0 for guessing, below 0 for worse; the interval is Wilson's, rescaled alike.
    Raises AgreementError with fewer than 2 options, or as `categorical.wilson` does.
    Source: Abbott (1925), Journal of Economic Entomology 18, 265-267.
    """
    if options < 2:
        raise AgreementError(f"{options} options cannot be guessed among; chance needs at least 2")
    low, high = wilson(hits, n, confidence=confidence)
    estimate, low, high = ((end - 1 / options) / (1 - 1 / options) for end in (hits / n, low, high))
    method = f"proportion correct beyond guessing among {options}; Wilson interval"
    return Estimate(estimate, low, high, int(n), None, int(n), method)


def _shares(confusion: Confusion) -> tuple[Floats, int]:
    if not (n := int(confusion.counts.sum())):
        raise AgreementError("no pair of labels was counted; recognition needs at least one")
    return confusion.counts / n, n


def _estimate(estimate: float, variance: float, n: int, method: str, confidence: float) -> Estimate:
    half = normal_quantile(confidence) * float(np.sqrt(max(variance, 0.0)))
    return Estimate(estimate, max(0.0, estimate - half), min(1.0, estimate + half), n, None, n, method)
