import random
from collections import Counter
from itertools import pairwise, permutations

import pytest

from core.plan import order
from tests.core.plans import FULL, of

SETS = {
    3: [
        {"id": "expression", "scales": ["emotion", "intensity"]},
        {"id": "dimensions", "scales": ["valence", "arousal"]},
        {"id": "naturalness", "scales": ["naturalness"]},
    ],
    4: [
        {"id": "expression", "scales": ["emotion", "intensity"]},
        {"id": "valence", "scales": ["valence"]},
        {"id": "arousal", "scales": ["arousal"]},
        {"id": "naturalness", "scales": ["naturalness"]},
    ],
}


def ordered(study, n):
    """The orders of n participants who come one after the other."""
    orders = Counter()
    for seed in range(n):
        orders[order.of_sets(study, orders, rng=random.Random(seed))] += 1
        yield orders


@pytest.mark.parametrize("n", range(1, 9))
def test_a_williams_square_is_a_latin_square_balanced_for_what_came_before(n):
    names = [f"set{k}" for k in range(n)]
    rows = order.williams(names)
    for place in range(n):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // n}
    follow = Counter(pair for row in rows for pair in pairwise(row))
    # The definition: every ordered pair of two sets is equally often next to each other.
    assert set(follow) == set(permutations(names, 2))
    assert len(set(follow.values())) <= 1


@pytest.mark.parametrize("n", [3, 4])
def test_after_every_round_each_set_was_as_often_at_each_position(n):
    study = of(FULL, tasks={"order": "latin-square", "sets": SETS[n]})
    for begun, orders in enumerate(ordered(study, 8 * n), start=1):
        at = Counter()
        for row, times in orders.items():
            at.update({(place, name): times for place, name in enumerate(row)})
        if begun % n == 0:
            assert set(at.values()) == {begun // n}
        assert max(at.values()) <= begun // n + 1
    assert max(orders.values()) - min(orders.values()) <= 1
    assert len(orders) == {3: 6, 4: 4}[n]


def test_stages_come_one_after_the_other_and_each_is_balanced_by_itself():
    *_, orders = ordered(FULL, 40)
    assert orders == {
        ("expression", "dimensions", "naturalness"): 20,
        ("dimensions", "expression", "naturalness"): 20,
    }


def test_the_order_used_least_is_taken_whatever_chance_says():
    before = {("expression", "dimensions", "naturalness"): 3, ("dimensions", "expression", "naturalness"): 4}
    found = {order.of_sets(FULL, before, rng=random.Random(seed)) for seed in range(20)}
    assert found == {("expression", "dimensions", "naturalness")}


def test_a_fixed_order_is_the_declared_one_within_the_stages():
    late_first = [{**SETS[3][0], "stage": 2}, SETS[3][2], SETS[3][1]]
    study = of(FULL, tasks={"order": "fixed", "sets": late_first})
    found = {order.of_sets(study, {}, rng=random.Random(seed)) for seed in range(20)}
    assert found == {("naturalness", "dimensions", "expression")}


def test_a_shuffled_order_takes_all_of_them():
    study = of(FULL, tasks={"order": "shuffled", "sets": SETS[3]})
    found = Counter(order.of_sets(study, {}, rng=random.Random(seed)) for seed in range(600))
    assert len(found) == 6
    assert min(found.values()) > 60
