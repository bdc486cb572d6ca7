import numpy as np
import pytest

from core.agreement import reliability, stability
from core.errors import AgreementError


def test_the_closed_form_agrees_with_resampling_within_a_tenth():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, size=(400, 12))
    found = stability.point_of_stability(values, corridor=0.3, rng=rng, resamples=2000)
    expected = [stability.closed_form(float(column.std()), 0.3) for column in values.T]
    assert found.n_unstable == 0
    # One stimulus' point is the last of many quantiles beyond the corridor, so it comes a little later.
    assert found.estimate == pytest.approx(np.mean(expected), rel=0.15)
    assert np.mean(found.points) == pytest.approx(found.estimate)
    assert found.low < found.estimate < found.high


def test_real_faces_are_stable_where_the_closed_form_says(faces):
    values = faces["male_att"][:, :10]
    found = stability.point_of_stability(values, corridor=0.5, rng=np.random.default_rng(1), most=100)
    expected = [stability.closed_form(float(column.std()), 0.5) for column in values.T]
    assert np.array(found.points) == pytest.approx(expected, rel=0.3)
    assert found.estimate == pytest.approx(np.mean(expected), rel=0.15)


def test_the_closed_form_is_the_number_of_ratings_for_that_half_width():
    assert stability.closed_form(1.5, 0.5) == reliability.ratings_needed(1.5, 0.5) == 35
    assert stability.closed_form(0, 0.5) == 1


def test_a_stimulus_on_which_all_agree_is_stable_at_once():
    found = stability.point_of_stability(
        [[3, 1], [3, 5]], corridor=0.5, rng=np.random.default_rng(2), most=20
    )
    assert found.points == (1, None)  # ratings of 1 and 5 alike need (1.96 * 2 / .5)^2 = 62
    assert (found.estimate, found.low, found.n_unstable) == (1, None, 1)
    assert stability.point_of_stability([[3], [3]], corridor=1, rng=np.random.default_rng(2)).points == (1,)


def test_a_wider_corridor_is_reached_sooner_and_missing_ratings_do_not_count():
    values = np.random.default_rng(3).normal(size=(60, 5))
    values[::2, 0] = np.nan
    values[1:, 1] = np.nan
    narrow, wide = (
        stability.point_of_stability(values, corridor=c, rng=np.random.default_rng(4)) for c in (0.3, 0.6)
    )
    assert narrow.estimate > 2 * wide.estimate
    assert wide.points[1] is None  # one rating says nothing of spread
    alone = stability.point_of_stability(values[1::2, :1], corridor=0.6, rng=np.random.default_rng(4))
    assert alone.points[0] == wide.points[0]


def test_what_cannot_be_stable_is_refused():
    with pytest.raises(AgreementError, match="holds nothing"):
        stability.point_of_stability([[1], [2]], corridor=0, rng=np.random.default_rng(0))
    with pytest.raises(AgreementError, match="no ratings yet"):
        stability.point_of_stability([[np.nan]], corridor=1, rng=np.random.default_rng(0))
    with pytest.raises(AgreementError, match="both must be above 0"):
        stability.closed_form(1, 0)
