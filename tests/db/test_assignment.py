"""A study's whole recruitment on a real database: who arrives, who drops out, when it stops."""

import pytest

from tests import variants
from tests.benchmarks import simulate_assignment as simulation


@pytest.mark.timeout(1200)
def test_200_at_once_of_whom_30_percent_drop_out_leave_every_picture_with_as_many_ratings(sqlite):
    text = variants.one_block(("per_participant: 24", "per_participant: 60"))
    world = simulation.World(sqlite, text, 600)
    found = world.until_full(200, 10)
    # 200 x 60 ratings are 20 of each of 600 pictures, had nobody dropped out.
    assert found.dropped > 0.2 * found.begun
    assert 200 < found.begun < 200 / 0.7 + 10
    assert found.refused >= 10
    (counts,) = found.ratings.values()
    assert min(counts) >= 20
    assert max(counts) - min(counts) <= 1
    # Nobody is let in any more, at once or later.
    assert world.arrive(5) == []
    assert not world.wait()


@pytest.mark.timeout(1200)
def test_least_precise_first_rates_every_picture_until_its_interval_is_narrow_enough(sqlite):
    world = simulation.World(sqlite, simulation.least_precise(), 60)
    world.until_full(10, 5)
    widths = world.half_widths("valence")  # by scipy, from the stored answers
    assert max(widths.values()) <= world.study.trials.half_width
    n = {name: len(values) for name, values in world.values("valence").items()}
    narrow = [n[name] for name in n if simulation.spread(name) == simulation.NARROW]
    wide = [n[name] for name in n if simulation.spread(name) == simulation.WIDE]
    # Three times the spread needs about nine times the ratings; five are the fewest that are judged.
    assert min(narrow) >= 5
    assert sum(wide) > 4 * sum(narrow)
    assert world.arrive(5) == []
