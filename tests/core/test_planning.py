"""The forecast: counted from real plans, and precision against scipy."""

import json
import math

import pytest
from click.testing import CliRunner
from scipy import stats

from core import loading, plan, planning, study
from core.cli import main as facenorm
from core.design_rules import PAIRS
from core.planning import PAGES, PER_BLOCK, PER_BREAK, PER_GRID, PER_PICTURE, PER_SCALE
from tests import variants
from tests.core.plans import EMOTIONS, FULL, ONE_BLOCK, drawn, face, faces, of

STIMULI = faces(8)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"trials": {"per_participant": 40, "break_every": 10}, "repeats": {"share": 0.2}},
        {"attention": {"instructed": 5, "gold": [{"file": "id000_happy.png", "answer": "happy"}]}},
        {"practice": {"files": ["id000_happy.png", "id000_sad.png"], "feedback": True}},
        {"tasks": {"design": "between"}},
        {"identity_pairs": {"per_participant": 0}},
        {"identity_pairs": {"per_participant": 500}},
    ],
)
def test_trials_are_those_of_a_drawn_plan(changes):
    given = of(FULL, **changes)
    found, trials = planning.forecast(given, STIMULI), drawn(given, STIMULI).trials
    if given.tasks.design == "between":  # the longest is told, which every second participant gets
        trials = next(
            plan_
            for seed in range(50)
            if (plan_ := drawn(given, STIMULI, seed).trials)[0].task == found.parts[0].name
        )
    kinds = {
        "practice": [trial.is_practice for trial in trials],
        "checks": [trial.is_attention for trial in trials],
        "repeats": [trial.is_repeat for trial in trials],
        "pairs": [trial.task == PAIRS for trial in trials],
        "foils": [trial.is_foil for trial in trials],
    }
    for name, flags in kinds.items():
        assert getattr(found, name) == sum(flags), name
    assert sum(part.trials for part in found.parts) == len(trials)
    assert found.pictures + found.repeats + found.checks + found.practice + found.pairs == len(trials)


def test_minutes_are_the_sum_of_what_is_assumed():
    found = planning.forecast(ONE_BLOCK, STIMULI)
    picture = PER_PICTURE + PER_SCALE["choice"] + 4 * PER_SCALE["vas"]
    pages = PAGES["consent"] + PAGES["instructions"] + PAGES["end"]
    asked = 5  # one number: the age
    seconds = PER_BLOCK + 24 * picture + pages + asked
    assert sum(part.seconds for part in found.parts) == pytest.approx(seconds)
    assert found.minutes == planning.minutes(ONE_BLOCK, STIMULI) == round(seconds / 60)
    assert found.breaks == 0


def test_the_welcome_page_and_the_command_tell_the_same_minutes():
    loaded = loading.read(variants.DEMO)
    told = planning.minutes(loaded.study, loaded.stimuli)
    assert told == planning.forecast(loaded.study, loaded.stimuli).minutes


def test_pairs_that_the_pictures_do_not_allow_take_no_time():
    wanted, none = (of(FULL, identity_pairs={"per_participant": n}) for n in (200, 0))
    alone = faces(1, ["neutral", "sad"]) + faces(47, ["happy"])  # nobody else is sad, nor has a neutral
    assert planning.minutes(wanted, alone) == planning.forecast(wanted, alone).minutes
    assert planning.minutes(wanted, alone) == planning.minutes(none, alone)


def test_an_exposure_a_grid_and_steps_between_scales_take_their_time():
    one = of(FULL, trials={"layout": "one-by-one"})
    parts = {part.name: part.seconds for part in planning.forecast(one, STIMULI).parts}
    usual = {part.name: part.seconds for part in planning.forecast(FULL, STIMULI).parts}
    assert parts["dimensions"] - usual["dimensions"] == pytest.approx(26 * planning.PER_STEP)
    assert parts["naturalness"] == usual["naturalness"]
    sets = [each.model_dump(mode="json") for each in FULL.tasks.sets]
    sets[1]["affect_grid"] = True
    grid = planning.forecast(of(FULL, tasks={"sets": sets}), STIMULI)
    gained = 26 * (2 * PER_SCALE["vas"] - PER_GRID)
    assert grid.parts[1].seconds == pytest.approx(usual["dimensions"] - gained)
    timed = of(FULL, display={"exposure": {"fixation_ms": 500, "duration_ms": 1000, "mask_ms": 500}})
    parts = {part.name: part.seconds for part in planning.forecast(timed, STIMULI).parts}
    assert parts["dimensions"] - usual["dimensions"] == pytest.approx(26 * (3 - PER_PICTURE))


@pytest.mark.parametrize(("every", "breaks"), [(0, 3), (60, 3), (13, 7), (26, 4)])
def test_breaks_come_between_blocks_and_within_long_ones(every, breaks):
    # Blocks of 27, 26, 26 and 12 trials; none at the very end of a block.
    found = planning.forecast(of(FULL, trials={"break_every": every}), STIMULI)
    assert found.breaks == breaks
    assert dict((part.name, part.seconds) for part in found.parts)["breaks"] == breaks * PER_BREAK


def test_as_many_participants_are_needed_as_fill_every_picture():
    found = planning.forecast(FULL, STIMULI)
    assert [(need.ratings, need.finish, need.begin) for need in found.needs] == [(20, 40, 50)] * 3
    assert (found.finish, found.begin) == (40, 50)
    odd = planning.forecast(of(FULL, trials={"per_participant": 23}), STIMULI)
    assert odd.finish == math.ceil(48 * 20 / 23) == 42
    assert odd.begin == math.ceil(42 / 0.8)


def test_who_drops_out_is_counted_exactly():
    # 480 of 48 pictures' 20 ratings by 2 each: 480 / (1 - 0.9) is 4800.000000000001 in binary.
    given = of(FULL, trials={"per_participant": 2}, recruitment={"dropout": 0.9})
    found = planning.forecast(given, STIMULI)
    assert (found.finish, found.begin) == (480, 4800)


@pytest.mark.parametrize(
    ("emotions", "trials", "finish"),
    [
        (EMOTIONS, {}, 42),  # 84 pictures, 5 ratings, 10 of the pictures for each participant
        (EMOTIONS, {"most_per_identity": 1}, 150),  # the 30 of one identity, one by one
        (EMOTIONS, {"most_per_identity": 2}, 75),
        (EMOTIONS, {"identity_gap": 3}, 50),  # 3 of 10
        (("sad", "happy"), {}, 24),
        (("sad", "happy"), {"most_emotion_run": 1}, 39),  # 5 of 10, of 39 sad ones
    ],
)
def test_many_pictures_of_one_identity_or_emotion_need_more_people(emotions, trials, finish):
    stimuli = [*faces(9, emotions), *(face("id900", "sad", str(n)) for n in range(30))]
    given = of(trials={"per_participant": 10, "ratings_per_stimulus": 5, "identity_gap": 0, **trials})
    assert planning.forecast(given, stimuli).finish == finish


def test_between_participants_each_set_needs_people_of_its_own():
    found = planning.forecast(of(FULL, tasks={"design": "between"}), STIMULI)
    assert (found.finish, found.begin) == (120, 150)
    assert found.minutes < planning.forecast(FULL, STIMULI).minutes


def test_languages_that_count_apart_need_as_many_people_each():
    found = planning.forecast(of(FULL, trials={"count_languages": "apart"}), STIMULI)
    assert found.languages == (("en",), ("ko",), ("ja",))
    assert (found.finish, found.begin) == (120, 150)


@pytest.mark.parametrize("n", [5, 20, 50])
def test_expected_half_widths_are_those_of_scipy(n):
    found = planning.forecast(of(FULL, trials={"ratings_per_stimulus": n}), STIMULI, sd_share=0.25)
    widths = {(width.scale_id, width.assumed): width for width in found.widths}
    half = stats.t.ppf(0.975, n - 1) * 25 / math.sqrt(n)  # in points of a line from 0 to 100
    assert widths["naturalness", 25].points == pytest.approx(half)
    assert widths["naturalness", 25].half_width == pytest.approx(half / 100)
    assert widths["valence", 25].points == pytest.approx(half)
    assert widths["valence", 25].half_width == pytest.approx(half / 50)  # bipolar: from -1 to 1
    # Wilson (1927) in closed form: z sqrt(p(1-p)/n + z^2/4n^2) / (1 + z^2/n).
    z = stats.norm.ppf(0.975)
    for share in (0.5, 0.8):
        wilson = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        assert widths["emotion", share].half_width == pytest.approx(wilson)


def test_printed_half_widths():
    # t(19) = 2.093 and t(9) = 2.262 in any table: 2.093 * 20 / sqrt(20) = 9.36; 2.262 * 20 / sqrt(10).
    for n, printed in ((20, 9.36), (10, 14.31)):
        found = planning.forecast(of(FULL, trials={"ratings_per_stimulus": n}), STIMULI)
        width = next(each for each in found.widths if each.scale_id == "naturalness")
        assert width.points == pytest.approx(printed, abs=0.01)


def test_least_precise_expects_the_fewest_ratings_that_are_enough():
    given = of(
        FULL,
        trials={"assignment": "least-precise", "half_width": 0.15, "most_ratings": 200},
    )
    found = {need.task: need.ratings for need in planning.forecast(given, STIMULI).needs}

    def width(sd, n):
        return stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)

    for task, sd in (("dimensions", 0.4), ("naturalness", 0.2)):
        assert width(sd, found[task]) <= 0.15 < width(sd, found[task] - 1)
    capped = planning.forecast(of(given, trials={"most_ratings": 25}), STIMULI)
    assert {need.task: need.ratings for need in capped.needs}["dimensions"] == 25


def test_the_cost_is_the_pay_of_who_finish_with_the_fee():
    paid = of(FULL, recruitment={"pay_per_hour": 9.0, "fee": 1 / 3, "currency": "GBP"})
    found = planning.forecast(paid, STIMULI)
    assert found.minutes == 17
    assert found.cost.each == pytest.approx(17 / 60 * 9)
    assert found.cost.total == pytest.approx(40 * 17 / 60 * 9 * 4 / 3)
    assert planning.forecast(FULL, STIMULI).cost is None
    between = planning.forecast(of(paid, tasks={"design": "between"}), STIMULI)
    assert 40 * 3 * between.cost.each * 4 / 3 >= between.cost.total > 0


def test_more_than_twenty_minutes_are_warned_of():
    assert not list(planning.warnings(FULL, STIMULI))
    (said,) = planning.warnings(of(FULL, trials={"per_participant": 40}), STIMULI)
    assert "needs about 25 minutes" in said


def test_edits_get_their_share_of_the_pairs():
    found = planning.forecast(FULL, STIMULI)
    assert found.pair_ratings == pytest.approx(40 * 6 / 40)  # 40 people, 6 pairs of one person, 40 edits
    alone = [*STIMULI, face("id000", "fear")]  # an edit that no foil can be made for is in no pair
    assert planning.forecast(FULL, alone).pair_ratings == pytest.approx(41 * 6 / 40)


def run(*words):
    return CliRunner().invoke(facenorm, [str(word) for word in words], catch_exceptions=False)


def test_the_command_tells_minutes_people_widths_and_assumptions():
    done = run("study", "plan", variants.DEMO)
    assert done.exit_code == 0
    said = done.stdout
    for words in ("About 17 minutes with 3 breaks", "40 who finish, so about 50 who begin", "9.36"):
        assert words in said
    assert "our assumptions" in said
    rows = [line for line in said.splitlines() if line.startswith(("  expression ", "  dimensions "))]
    assert rows[0].index("trials") == rows[1].index("trials")
    assert max(map(len, said.splitlines())) <= 110
    assert "an SD of 0.3 of" in run("study", "plan", variants.DEMO, "--sd", "0.3").stdout


def test_the_command_prints_json_alone_for_programs(tmp_path):
    loaded = loading.read(variants.DEMO)
    done = run("study", "plan", variants.DEMO, "--json")
    told = json.loads(done.output)
    assert told["minutes"] == planning.forecast(loaded.study, loaded.stimuli).minutes
    assert [need["finish"] for need in told["needs"]] == [40, 40, 40]


def test_the_check_ends_with_the_plan_in_short_and_refuses_what_has_none(tmp_path):
    done = run("study", "check", variants.DEMO)
    assert done.stdout.splitlines()[-1].startswith("About 17 minutes for each participant; 40 who finish")
    text = variants.one_block(("folder: ../demo", f"folder: {variants.DEMO.parent.parent / 'demo'}"))
    file = tmp_path / "study.yaml"
    tight = "per_participant: 24\n  identity_gap: 9\n  most_per_identity: 2"
    file.write_text(variants.changed(text, ("per_participant: 24", tight)), encoding="utf-8")
    with pytest.raises(study.StudyError, match="most_per_identity: found 2, which leaves 16 pictures of 8"):
        loading.read(file)
    assert run("study", "check", file).exit_code == 1
    assert plan.warnings(loading.read(variants.DEMO).study, STIMULI) == ()
