import numpy as np
import pytest

from core.agreement import categories
from core.errors import AgreementError


def test_positions_follow_the_order_of_the_scale_and_keep_what_is_missing():
    found = categories.positions([[30, 10], [np.nan, 20]], [30, 10, 20])
    assert found.tolist() == [[0, 1], [-1, 2]]
    assert categories.counts([[30, 10], [np.nan, 10]], [30, 10, 20]).tolist() == [[1, 0, 0], [0, 2, 0]]


@pytest.mark.parametrize("strange", [0, 2.5, 99])
def test_a_value_off_the_scale_is_refused_wherever_it_lies(strange):
    with pytest.raises(
        AgreementError, match=f"a rating is {strange:g}, which is none of the categories 1, 2, 3"
    ):
        categories.positions([1, strange], [1, 2, 3])


def test_responses_that_do_not_cover_the_labels_are_refused_and_not_scored():
    sides = [[0, 1, -1], [1, 0, 1]]  # -1 for no response, against seven emotions
    with pytest.raises(AgreementError, match="-1, which is none of the categories 0, 1, 2, 3, 4, 5, 6"):
        categories.counts(sides, range(7))


def test_weights_are_1_for_the_same_and_0_for_the_ends():
    for kind in ("none", "linear", "quadratic", "ordinal"):
        found = categories.weights(5, kind)
        assert np.diagonal(found).tolist() == [1] * 5
        assert found[0, 4] == 0
        assert (found == found.T).all()
    assert categories.weights(5, "linear")[0].tolist() == [1, 0.75, 0.5, 0.25, 0]
    assert categories.weights(5, "quadratic")[0, 1] == 15 / 16
    # Pairs among 2, 3, 4 and 5 categories: 1, 3, 6 and 10.
    assert categories.weights(5, "ordinal")[0].tolist() == pytest.approx([1, 0.9, 0.7, 0.4, 0])
