import numpy as np
import pytest

from core.agreement import design
from core.errors import AgreementError


def test_a_design_is_described_over_those_who_have_ratings():
    values = [[1, 2, np.nan, np.nan], [3, np.nan, np.nan, 4], [np.nan] * 4]
    found = design.describe(values)
    assert (found.n_stimuli, found.n_raters, found.n_ratings) == (3, 2, 4)
    assert (found.n_least, found.n_median, found.n_most) == (1, 1, 2)
    assert found.missing == pytest.approx(1 / 3)
    assert (found.parts, found.complete) == (1, False)
    assert design.describe([[0, 0], [0, 0]]).complete  # a 0 is a rating


def test_a_missing_rating_is_not_a_zero():
    values = np.array([[4.0, 6, 5], [4, np.nan, 5], [4, 6, 5]])
    ratings, raters, stimuli = design.kept(values)
    assert np.isnan(ratings[1, 1])
    assert np.nanmean(ratings, axis=0).tolist() == [4, 6, 5]  # a 0 would have made the second one 4
    assert (raters.tolist(), stimuli.tolist()) == ([0, 1, 2], [0, 1, 2])


def test_parts_are_what_shared_raters_or_stimuli_hold_together():
    observed = np.zeros((5, 6), dtype=bool)
    observed[0, [0, 1]] = observed[1, [1, 2]] = True  # one part through stimulus 1
    observed[2, [3]] = observed[3, [3, 4]] = True
    raters, stimuli = design.parts(observed)
    assert raters[0] == raters[1] == stimuli[0] == stimuli[1] == stimuli[2]
    assert raters[2] == raters[3] == stimuli[3] == stimuli[4] != raters[0]
    assert len({raters[0], raters[2], raters[4], stimuli[5]}) == 4  # without ratings each is alone
    rater, stimulus = np.nonzero(observed)
    again = design.parts_of_links(rater, stimulus, n_raters=5, n_stimuli=6)
    assert [part.tolist() for part in again] == [raters.tolist(), stimuli.tolist()]


def test_k0_is_k_in_a_complete_design_and_less_than_the_mean_in_others():
    assert design.ratings_per_stimulus([7, 7, 7]) == 7
    assert design.ratings_per_stimulus([2, 12]) < 7
    with pytest.raises(AgreementError, match="1 stimuli have ratings"):
        design.ratings_per_stimulus([3])
    with pytest.raises(AgreementError, match="no ratings yet"):
        design.describe([[np.nan]])
