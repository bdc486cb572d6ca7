"""d', AUC and EER: against scikit-learn, SciPy and examples made by hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from core.agreement import bootstrap
from core.errors import AgreementError
from core.identity import pairs, separation
from core.identity.pairs import Between, Within
from tests.core.identity import made


def between(values, one=None, other=None, levels=()):
    """Counted impostors with all their values, as the blocks would count them."""
    values = np.sort(np.asarray(values, dtype=np.float32))
    one = np.arange(len(values)) if one is None else one
    other = one + 1 if other is None else other
    wide = values.astype(float)
    return Between(
        len(values), wide.sum(), wide @ wide, np.searchsorted(values, levels, side="left"),
        np.searchsorted(values, levels, side="right"), pairs.binned(values), values, one, other,
    )  # fmt: skip


def told(within, impostors, identity=None, **options):
    mine = np.asarray(within, dtype=np.float32)
    identity = np.arange(len(mine)) if identity is None else identity
    about = separation.About("reference", "all", len(set(identity)), 9, "made")
    theirs = between(impostors, levels=np.unique(mine))
    return separation.separation(
        Within(mine, np.asarray(identity)), theirs, about, rng=np.random.default_rng(1), **options
    )


def oracle(within, impostors):
    """AUC by scikit-learn; the EER where its ROC, joined by lines, meets the line of equal errors."""
    truth = np.r_[np.ones(len(within)), np.zeros(len(impostors))]
    scores = np.r_[within, impostors].astype(np.float32)
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    return roc_auc_score(truth, scores), np.interp(0, false + true - 1, false)


def test_d_prime_of_an_example_made_by_hand():
    # means .75 and .25, both variances (n - 1) .02: (.75 - .25) / sqrt(.02) = 3.5355
    found = told([0.65, 0.85], [0.15, 0.35])
    assert found.d_prime.estimate == pytest.approx(0.5 / 0.02**0.5, abs=1e-5)
    assert (found.mean_within, found.mean_between) == pytest.approx((0.75, 0.25))


def test_auc_counts_ties_half_and_eer_lies_on_the_line_between_points():
    # 4 x 3 comparisons: .9 and .8 win all 6, .5 ties one and beats one, .1 beats none: 7.5 of 12.
    found = told([0.9, 0.8, 0.5, 0.1], [0.7, 0.5, 0.2])
    assert found.auc.estimate == 7.5 / 12
    # At .5 the curve runs from (1/3, 1/2) to (2/3, 3/4): equal errors at 1/3 + 2/7 x 1/3.
    assert found.eer.estimate == pytest.approx(1 / 3 + 2 / 7 / 3)


values = some.lists(some.integers(-20, 20).map(lambda n: n / 20), min_size=2, max_size=25)


@given(values, values)
def test_auc_and_eer_are_scikit_learns(within, impostors):
    if np.ptp(within) == 0 and np.ptp(impostors) == 0:
        within = [*within, -1.0 if within[0] else 0.5]
    found = told(within, impostors)
    auc, eer = oracle(within, impostors)
    assert found.auc.estimate == pytest.approx(auc, abs=1e-9)
    assert found.eer.estimate == pytest.approx(eer, abs=1e-6)


def test_resamples_weigh_identities_and_never_pair_one_with_its_copy():
    gallery_, found = made.a_set(7)
    pair = pairs.sides(gallery_, np.ones(len(found), bool), "all_pairs")
    mine = pairs.within(found, gallery_, pair)
    order = np.argsort(mine.values, kind="stable")
    mine = Within(mine.values[order], mine.identity[order])
    levels, starts = np.unique(mine.values, return_index=True)
    one, other = zip(*combinations(range(len(found)), 2), strict=True)
    one, other = np.array(one), np.array(other)
    apart = gallery_.identity[one] != gallery_.identity[other]
    values = pairs.similarity(found, one[apart], other[apart])
    order = np.argsort(values, kind="stable")
    ids = [gallery_.identity[side[apart]][order] for side in (one, other)]
    counted = between(values, *ids, levels)
    samples = separation.resampled(mine, counted, levels, starts, rng=np.random.default_rng(3), resamples=20)
    rng = np.random.default_rng(3)
    for times, (d, auc, eer) in zip(bootstrap.draws(7, 20, rng=rng), samples.T, strict=True):
        # The same sample written out: every picture as often as its identity was drawn.
        within = np.repeat(mine.values, times[mine.identity].astype(int))
        impostors = np.repeat(counted.values, (times[ids[0]] * times[ids[1]]).astype(int))
        spread = (np.var(within, ddof=1) + np.var(impostors, ddof=1)) / 2
        assert d == pytest.approx((within.mean() - impostors.mean()) / spread**0.5, rel=1e-4)
        assert (auc, eer) == pytest.approx(oracle(within, impostors), abs=1e-5)


def test_intervals_need_five_identities_and_kinds_that_overlap():
    few = told([0.9, 0.8, 0.2, 0.6], [0.3, 0.5, 0.1])
    assert (few.auc.low, few.d_prime.low) == (None, None)
    apart = told([0.9, 0.8, 0.7, 0.6, 0.65, 0.8], [0.3, 0.5, 0.1, 0.2, 0.0])
    assert (apart.auc.estimate, apart.eer.estimate) == (1, 0)
    assert apart.auc.low is apart.auc.high is apart.eer.high is None
    assert apart.d_prime.low < apart.d_prime.estimate < apart.d_prime.high
    mixed = told([0.9, 0.8, 0.7, 0.1, 0.65, 0.8], [0.3, 0.5, 0.1, 0.2, 0.0])
    assert mixed.auc.low <= mixed.auc.estimate <= mixed.auc.high


def test_the_interval_of_auc_covers_as_often_as_it_says():
    """200 sets of 25 identities from one population: its AUC should lie in about 95 of 100 intervals."""
    covered, rng = 0, np.random.default_rng(5)
    # Normal similarities whose within mean differs by identity: AUC = Phi(1.5 / sqrt(var_w + var_b)).
    truth = norm.cdf(1.5 / (1 + 0.5 + 1) ** 0.5)
    for _ in range(200):
        identity = np.repeat(np.arange(25), 4)
        within = 1.5 + rng.normal(size=25)[identity] * 0.5**0.5 + rng.normal(size=100)
        one, other = np.array(list(combinations(range(25), 2))).T
        impostors = rng.normal(size=len(one))
        found = told_pairs(within / 10, identity, impostors / 10, one, other, rng)
        covered += found.auc.low <= truth <= found.auc.high
    assert 0.90 <= covered / 200 <= 0.99  # 3 standard errors of .95 around what 25 identities give


def told_pairs(within, identity, impostors, one, other, rng):
    order = np.argsort(impostors.astype(np.float32), kind="stable")
    mine = within.astype(np.float32)
    theirs = between(impostors, one[order], other[order], np.unique(mine))
    about = separation.About("reference", "all", 25, 25, "made")
    return separation.separation(Within(mine, identity), theirs, about, rng=rng, resamples=300)


def test_a_seed_repeats_the_interval():
    first, second = (told([0.9, 0.8, 0.2, 0.6, 0.7], [0.3, 0.5, 0.1, 0.4]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("within", "impostors", "said"),
    [
        ([0.9], [0.1, 0.2], "1 pairs of one identity"),
        ([0.9, 0.8], [0.1], "1 pairs of two identities"),
        ([0.9, 0.9], [0.1, 0.1], "d' needs spread"),
    ],
)
def test_too_few_pairs_are_no_number(within, impostors, said):
    with pytest.raises(AgreementError, match=said):
        told(within, impostors)
