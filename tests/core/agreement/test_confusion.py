import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agreement import confusion
from core.agreement.categorical import wilson
from core.errors import AgreementError

INTENDED = ("neutral", "happy", "sad")
PERCEIVED = ("sad", "happy", "neutral", "other")

pairs = st.lists(st.tuples(st.sampled_from(INTENDED), st.sampled_from(PERCEIVED)), min_size=1, max_size=60)


def counted(data, rows=INTENDED, columns=PERCEIVED, **more):
    first, second = zip(*data, strict=True)
    return confusion.table(first, second, rows=rows, columns=columns, **more)


def from_matrix(matrix, rows, columns):
    cells = [(r, c) for r in rows for c in columns]
    return counted(cells, rows, columns, n=np.ravel(matrix))


@pytest.fixture
def wagner(examples):
    example = examples["canonical"]["wagner_hu_toy"]
    return from_matrix(example["data"], example["labels"], example["labels"]), example


def test_wagners_hit_rates_match_the_worked_example(wagner):
    table, example = wagner
    found = confusion.hits(table)
    assert [hit.hu for hit in found] == pytest.approx(example["expected_published"]["Hu"], abs=5e-4)
    assert [hit.h for hit in found] == pytest.approx(example["verified"]["H"], abs=1e-9)
    assert [hit.hu for hit in found] == pytest.approx(example["verified"]["Hu"], abs=1e-9)
    assert [hit.chance for hit in found] == pytest.approx(example["verified"]["chance"], abs=1e-9)
    assert [(hit.low, hit.high) for hit in found] == [wilson(hit.hits, hit.n) for hit in found]


@given(pairs)
def test_counts_are_those_of_pandas_crosstab(data):
    table = counted(data)
    frame = pd.DataFrame(data, columns=["i", "p"])
    expected = pd.crosstab(frame["i"], frame["p"]).reindex(index=INTENDED, columns=PERCEIVED, fill_value=0)
    assert table.counts.tolist() == expected.to_numpy().tolist()
    assert (table.rows, table.columns) == (INTENDED, PERCEIVED)


@given(pairs)
def test_counted_pairs_give_what_single_pairs_give(data):
    different = sorted(set(data))
    other = counted(different, n=[data.count(pair) for pair in different])
    assert other.counts.tolist() == counted(data).counts.tolist()


@given(pairs)
def test_each_row_with_ratings_sums_to_1(data):
    table = counted(data)
    shares = confusion.proportions(table)
    rated = table.counts.sum(axis=1) > 0
    assert shares[rated].sum(axis=1) == pytest.approx(1)
    assert np.isnan(shares[~rated]).all()


def test_other_counts_against_a_hit_until_only_shared_labels_are_left():
    table = counted([("happy", "happy")] * 3 + [("happy", "other")] * 3 + [("sad", "neutral")] * 2)
    hit = {hit.label: hit for hit in confusion.hits(table)}
    assert (hit["happy"].n, hit["happy"].hits, hit["happy"].h) == (6, 3, 0.5)

    shared = confusion.restrict(table)
    assert (shared.rows, shared.columns) == (INTENDED, INTENDED)  # one order, so hits are the diagonal
    assert confusion.proportions(shared)[1].tolist() == [0, 1, 0]
    assert shared.counts.sum() == 5


def test_an_unused_label_has_hu_0_and_an_unrated_one_has_no_rate():
    hit = {hit.label: hit for hit in confusion.hits(counted([("sad", "happy"), ("happy", "happy")]))}
    assert (hit["sad"].h, hit["sad"].hu) == (0, 0)  # nobody answered sad: C_i = 0
    assert (hit["neutral"].n, hit["neutral"].h, hit["neutral"].hu) == (0, None, None)
    assert hit["happy"].hu == pytest.approx(1 / 2)


def test_overall_is_the_diagonal_over_all_ratings_of_shared_labels(wagner):
    table, example = wagner
    found = confusion.overall(table)
    counts = np.array(example["data"])
    assert found.h == np.trace(counts) / counts.sum()
    # Independence puts sum_i p_i. p_.i on the diagonal, the P_e of Cohen (1960).
    expected = counts.sum(axis=1) @ counts.sum(axis=0) / counts.sum() ** 2
    assert found.chance == pytest.approx(expected)
    assert (found.low, found.high) == wilson(found.hits, found.n)


def test_pairs_with_a_missing_label_are_left_out_and_counted():
    table = counted([("sad", None), ("sad", float("nan")), (None, "sad"), ("sad", ""), ("sad", "sad")])
    assert (table.counts.sum(), table.n_missing) == (1, 4)


def test_responses_that_do_not_fit_the_labels_are_refused():
    with pytest.raises(AgreementError, match="0 is not among the columns: sad"):
        counted([("sad", 0), ("sad", 1)])
    with pytest.raises(AgreementError, match="'joy' is not among the rows"):
        counted([("joy", "sad")])
    with pytest.raises(AgreementError, match="twice"):
        counted([("sad", "sad")], rows=("sad", "sad"))
    with pytest.raises(AgreementError, match="needs pairs"):
        confusion.table(["sad"], [], rows=INTENDED, columns=PERCEIVED)
    with pytest.raises(AgreementError, match="no pair of labels is complete"):
        counted([("sad", None)])


def test_lists_that_share_no_label_are_refused():
    table = counted([("sad", "no")], columns=("yes", "no"))
    for function in (confusion.restrict, confusion.hits, confusion.overall):
        with pytest.raises(AgreementError, match="share no label"):
            function(table)
    unrated = counted([("happy", "yes")], rows=("happy", "no"), columns=("yes", "no"))
    with pytest.raises(AgreementError, match="no stimulus of a shared label"):
        confusion.overall(unrated)


@given(pairs)
def test_perfect_recognition_gives_1_and_order_is_irrelevant(data):
    perfect = counted([(label, label) for label, _ in data])
    assert all(hit.h == hit.hu == 1 for hit in confusion.hits(perfect) if hit.n)
    assert counted(data[::-1]).counts.tolist() == counted(data).counts.tolist()


@given(pairs)
def test_relabelling_emotions_leaves_every_rate_unchanged(data):
    other = {"neutral": "a", "happy": "b", "sad": "c", "other": "d"}
    renamed = counted(
        [(other[i], other[p]) for i, p in data],
        rows=[other[label] for label in INTENDED],
        columns=[other[label] for label in PERCEIVED],
    )
    one, two = confusion.hits(counted(data)), confusion.hits(renamed)
    assert [(a.h, a.hu, a.chance) for a in one] == [(b.h, b.hu, b.chance) for b in two]


def test_counts_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="read-only"):
        counted([("sad", "sad")]).counts[0, 0] = 9
