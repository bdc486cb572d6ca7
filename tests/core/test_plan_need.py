"""Precision, what is done and when a study is full; half-widths against scipy."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core import plan, study
from core.plan import draw, need
from core.records import Measure, Places, Spread
from core.scales import canonical
from tests.core.plans import FULL, drawn, faces, main, of

PRECISE = {"assignment": "least-precise", "half_width": 0.1, "ratings_per_stimulus": 10, "most_ratings": 40}


def spread(values) -> Spread:
    values = np.array(values, dtype=float)
    return Spread(len(values), mean=values.mean(), squares=(values**2).mean())


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=5, max_size=60))
def test_the_half_width_of_a_mean_is_that_of_scipy(values):
    expected = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    # Sums of squares lose half of the digits where all values are nearly equal.
    assert need.half_width(spread(values)) == pytest.approx(expected, abs=1e-7)


@settings(deadline=None)
@given(st.integers(5, 200), st.data())
def test_the_half_width_of_a_share_is_that_of_scipy(n, data):
    mode = data.draw(st.integers(0, n))
    interval = stats.binomtest(mode, n).proportion_ci(method="wilson")
    assert need.half_width(Spread(n, mode=mode)) == pytest.approx((interval.high - interval.low) / 2)


def test_four_answers_give_no_interval():
    assert need.half_width(Spread(4, mode=4)) is None
    assert need.half_width(spread([0, 1, 0, 1])) is None


def test_values_are_measured_in_canonical_units():
    measures = plan.counting(of(FULL, trials=PRECISE)).measures
    assert measures["dimensions"] == (Measure("valence", 50, 0.02, 0.02), Measure("arousal", 50, 0.02, 0.02))
    for given_ in measures.values():
        for measure in given_:
            for raw in (0, 20, 50, 80, 100):
                slope = measure.above if raw >= measure.zero else measure.below
                units = canonical(raw, FULL.scales[measure.scale_id])
                assert abs((raw - measure.zero) * slope) == pytest.approx(abs(units))


def test_a_set_of_choices_alone_is_measured_by_its_modal_share():
    sets = [{"id": "a", "scales": ["emotion"]}, {"id": "b", "scales": ["valence", "arousal", "naturalness"]}]
    data = json.loads(study.to_json(FULL))
    data["ask"].remove("intensity")
    data["tasks"]["sets"], data["trials"] = sets, {**data["trials"], **PRECISE}
    counting = plan.counting(study.from_json(json.dumps(data)))
    assert counting.choices == {"a": ("emotion",)}
    assert {task: [one.scale_id for one in each] for task, each in counting.measures.items()} == {
        "b": ["valence", "arousal", "naturalness"]
    }


def test_without_least_precise_nothing_is_measured():
    counting = plan.counting(FULL)
    assert not counting.measures
    assert not counting.choices
    assert counting.first == {
        "expression": "emotion",
        "dimensions": "valence",
        "naturalness": "naturalness",
        "identity_pairs": "same_identity",
    }
    assert (counting.return_min, counting.languages_apart) == (120, False)
    other = plan.counting(of(FULL, trials={"places_return_min": 30, "count_languages": "apart"}))
    assert (other.return_min, other.languages_apart) == (30, True)


def test_a_study_is_full_when_every_picture_has_its_ratings_in_every_set():
    stimuli = faces(8)
    enough = {task: {one.stimulus_id: 20 for one in stimuli} for task in ("expression", "dimensions")}
    enough["naturalness"] = dict(enough["expression"])
    assert plan.is_full(FULL, stimuli, Places(ratings=enough))
    for task, counts in enough.items():
        short = {**enough, task: {**counts, stimuli[5].stimulus_id: 19}}
        assert not plan.is_full(FULL, stimuli, Places(ratings=short))
    assert not plan.is_full(FULL, stimuli, Places())


def test_pictures_of_practice_and_gold_checks_and_the_pairs_are_not_waited_for():
    stimuli = faces(8)
    study = of(FULL, practice={"files": [stimuli[0].stim_file]})
    enough = {one.stimulus_id: 20 for one in stimuli[1:]}
    sets = ("expression", "dimensions", "naturalness")
    assert plan.is_full(study, stimuli, Places(ratings=dict.fromkeys(sets, enough)))


def places(widths, planned=10, answered=10) -> Places:
    """Places in which each picture has this half-width after so many answers."""
    sds = {name: width * math.sqrt(10) / stats.t.ppf(0.975, 9) for name, width in widths.items()}
    spreads = {name: (Spread(10, mean=0, squares=sd**2 * 9 / 10),) for name, sd in sds.items()}
    return Places(
        ratings={"all": dict.fromkeys(widths, planned)},
        answered={"all": dict.fromkeys(widths, answered)},
        spreads={"all": spreads},
    )


def test_a_picture_is_done_when_its_widest_interval_is_narrow_enough():
    study = of(trials=PRECISE)
    assert need.is_done(study, "all", "a", places({"a": 0.0999}))
    assert not need.is_done(study, "all", "a", places({"a": 0.1001}))
    two = places({"a": 0.09})
    wide = {"a": (*two.spreads["all"]["a"], *places({"a": 0.2}).spreads["all"]["a"])}
    both = Places(ratings=two.ratings, answered=two.answered, spreads={"all": wide})
    assert not need.is_done(study, "all", "a", both)


def test_open_trials_are_expected_to_narrow_an_interval_as_those_before():
    # Four times as many ratings halve the width.
    found = need.expected_half_width("all", "a", places({"a": 0.2}, planned=40, answered=10))
    assert found == pytest.approx(0.1)
    assert (
        need.is_done(of(trials=PRECISE), "all", "a", places({"a": 0.199}, planned=39, answered=10)) is False
    )
    assert need.is_done(of(trials=PRECISE), "all", "a", places({"a": 0.18}, planned=39, answered=10)) is True


def test_a_picture_with_the_most_ratings_is_done_however_wide_its_interval():
    study = of(trials=PRECISE)
    assert need.is_done(study, "all", "a", places({"a": 0.9}, planned=40, answered=40))
    assert not need.is_done(study, "all", "a", places({"a": 0.9}, planned=39, answered=39))


def test_while_there_is_no_interval_the_wanted_number_is_enough():
    study = of(trials=PRECISE)
    assert need.is_done(study, "all", "a", Places(ratings={"all": {"a": 10}}))
    assert not need.is_done(study, "all", "a", Places(ratings={"all": {"a": 9}}))


def test_the_least_precise_come_first_then_those_that_are_done():
    stimuli, study = faces(6, ["sad"]), of(trials=PRECISE)
    names = [one.stimulus_id for one in stimuli]
    known = places(dict(zip(names[1:], [0.3, 0.2, 0.05, 0.08, 0.9], strict=True)))
    ratings = {"all": {**known.ratings["all"], names[0]: 3, names[5]: 40}}
    at = Places(ratings=ratings, answered=ratings, spreads=known.spreads)
    order = draw.ranked(study, "all", stimuli, at, held=set(), rng=random.Random(1))
    # No interval yet; 0.3 and 0.2; done with 0.08 and 0.05; as many ratings as are allowed.
    assert [names.index(one.stimulus_id) for one in order] == [0, 1, 2, 4, 3, 5]
    three = of(trials={**PRECISE, "per_participant": 3})
    assert set(main(drawn(three, stimuli, places=at).trials)) == {names[0], names[1], names[2]}
