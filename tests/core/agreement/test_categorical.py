import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.agreement import categorical
from core.errors import AgreementError


def test_wilson_matches_the_worked_example(examples):
    expected = examples["formula_checks"]["proportion_n"]["wilson"]  # p = .7, n = 30
    assert categorical.wilson(21, 30) == pytest.approx(expected, abs=1e-6)


@given(n=st.integers(1, 500), share=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_matches_scipy(n, share, confidence):
    hits = round(share * n)
    expected = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    found = categorical.wilson(hits, n, confidence=confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= found[0] <= hits / n <= found[1] <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_wilson_refuses_what_is_no_proportion(hits, n):
    with pytest.raises(AgreementError, match="0 <= hits <= n"):
        categorical.wilson(hits, n)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9).filter(any))
def test_entropy_matches_scipy(counts):
    assert categorical.entropy(counts) == pytest.approx(stats.entropy(counts, base=2), abs=1e-12)


def test_entropy_is_0_when_all_agree_and_log2_of_the_labels_at_most():
    assert categorical.entropy([0, 9, 0]) == 0
    assert categorical.entropy([4] * 8) == pytest.approx(3)
    with pytest.raises(AgreementError, match="no label was given"):
        categorical.entropy([0, 0])


def test_a_tie_of_modal_labels_names_all_of_them_in_order():
    assert categorical.mode({"sad": 3, "fear": 5, "angry": 5}) == categorical.Mode(
        "fear", 5, ("fear", "angry")
    )
    assert categorical.mode({"sad": 3, "fear": 1}).tied == ("sad",)
    with pytest.raises(AgreementError, match="no label was given"):
        categorical.mode({"sad": 0})


def test_counts_of_numpy_are_taken_as_they_are():
    assert categorical.entropy(np.array([1, 1])) == pytest.approx(1)
