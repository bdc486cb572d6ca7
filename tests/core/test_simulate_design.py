"""Simulated raters before every kind of trial: what the app would take, with what was planted in it."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from core import answers, planted, questions, simulate, study, tasks
from core.design_rules import PAIRS
from core.records import Expected, Shown, Stimulus, Trial
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
DEMO = variants.DEMO.read_text(encoding="utf-8")
STUDY = study.parse(DEMO, path="demo.yaml")
OPTIONS = tuple(STUDY.scales["emotion"].options)

STIMULI = {
    f"{who}{emotion}": Stimulus(
        stimulus_id=f"{who}{emotion}",
        stim_file=f"{who}_{emotion}.png",
        stim_sha256="0" * 64,
        served_sha256="0" * 64,
        width_px=10,
        height_px=10,
        identity_id=who,
        intended_emotion=emotion,
    )
    for who in (f"id{number:02d}" for number in range(40))
    for emotion in EMOTIONS
}
ATTENTIVE = simulate.Rater(
    "attentive", {}, gain=1, noise_sd=0.1, lapse=0, confusion={}, stability=0.6, taste="1"
)


def changed(*changes):
    """The demo study with these changes of its text."""
    return study.parse(variants.changed(DEMO, *changes), path="demo.yaml")


def trial(target="id00happy", *, task="expression", **more):
    return Trial("t1", 1, 1, (Shown("target", target),), task=task, **more)


def pair(target, reference, **more):
    return Trial("t1", 4, 1, (Shown("reference", reference), Shown("target", target)), task=PAIRS, **more)


def respond(rater, shown, rng, of=STUDY):
    """An answer, which the app's own check must take."""
    answer = simulate.respond(rater, of, shown, STIMULI, rng=rng)
    answers.check(of, shown, answer)
    return answer


def expected_low(scale_id):
    return Expected(scale_id, instructed=True, low=0, high=10)


EXPECTED = [
    ("expression", Expected("emotion", instructed=True, label="fear")),
    ("expression", Expected("emotion", instructed=False, label="happy")),
    ("dimensions", Expected("arousal", instructed=True, low=90, high=100)),
    ("dimensions", expected_low("valence")),
    ("naturalness", expected_low("naturalness")),
]


@pytest.mark.parametrize("task", ["expression", "dimensions", "naturalness", PAIRS])
def test_each_trial_is_answered_on_the_scales_of_its_task_set_alone(task):
    rng = random.Random(1)
    for rater in simulate.raters(5, seed=1, study=STUDY):
        shown = pair("id00sad", "id00neutral") if task == PAIRS else trial(task=task)
        given = respond(rater, shown, rng).responses
        assert [one.scale_id for one in given] == [name for name, _ in tasks.scales_of(STUDY, task)]


@pytest.mark.parametrize(("task", "wanted"), EXPECTED)
def test_a_check_is_passed_by_who_attends_and_left_to_chance_by_who_does_not(task, wanted):
    rng, check = random.Random(2), trial(task=task, is_attention=True, expected=wanted)
    absent = replace(ATTENTIVE, lapse=1.0)

    def passes(rater):
        (given,) = (one for one in respond(rater, check, rng).responses if one.scale_id == wanted.scale_id)
        if wanted.label:
            return given.label == wanted.label
        return wanted.low <= given.value <= wanted.high

    assert all(passes(ATTENTIVE) for _ in range(50))
    by_chance = 1 / len(OPTIONS) if wanted.label else 11 / 101
    passed = sum(passes(absent) for _ in range(2000))
    # 4 standard errors of a binomial share.
    assert passed / 2000 == pytest.approx(by_chance, abs=4 * np.sqrt(by_chance / 2000))


def test_practice_is_answered_as_it_looks():
    """Nobody is told before: the planted confusion decides, so that some have to try again."""
    (rater,) = simulate.raters(1, seed=3, study=STUDY)
    wanted = Expected("emotion", instructed=False, label="disgust")
    rng = random.Random(3)
    shown = [
        trial(name, is_practice=True, expected=wanted)
        for name, one in STIMULI.items()
        if one.intended_emotion == "disgust"
    ] * 25
    right = sum(respond(rater, one, rng).responses[0].label == "disgust" for one in shown)
    p = rater.confusion["disgust"]["disgust"]
    assert right / len(shown) == pytest.approx(p, abs=0.1)
    assert right < len(shown)


def retests(rater, *, task, n=4):
    """Answers of one rater to the same trials at two times: arrays of shape (2, stimuli) per scale."""
    found = {name: ([], []) for name, _ in tasks.scales_of(STUDY, task)}
    rng = random.Random(n)
    for time, name in itertools.product((0, 1), STIMULI):
        for one in respond(rater, trial(name, task=task), rng).responses:
            found[one.scale_id][time].append(one.label if one.value is None else one.value)
    return found


def test_a_repeated_rating_shares_the_planted_part_of_its_noise():
    """Against the correlation of scipy: what is left after the planted mean is shared to `stability`."""
    rater = replace(ATTENTIVE, gain=0.5)  # far from the ends, where nothing is cut off
    residuals = [
        np.array(values) - [50 + 50 * (planted.share(one, scale_id) - 0.5) for one in STIMULI.values()]
        for scale_id, times in retests(rater, task="dimensions").items()
        for values in times
    ]
    for first, second in (residuals[:2], residuals[2:]):
        found = stats.pearsonr(first, second).confidence_interval(0.999)
        assert found.low < 0.6 < found.high
        assert 0 < np.mean(first == second) < 0.2  # consistent, not identical
    across = stats.pearsonr(residuals[0], residuals[2]).confidence_interval(0.999)
    assert across.low < 0 < across.high  # another scale is another matter


@pytest.mark.parametrize("stability", [0.0, 0.5, 1.0])
def test_a_repeated_choice_is_the_same_as_often_as_was_planted(stability):
    (drawn,) = simulate.raters(1, seed=8, study=STUDY)
    rater = replace(drawn, lapse=0.0, stability=stability)
    first, second = retests(rater, task="expression")["emotion"]
    by_chance = np.mean(
        [sum(p**2 for p in rater.confusion[one.intended_emotion].values()) for one in STIMULI.values()]
    )
    # Both times from what the rater always chooses, or independently of each other.
    predicted = stability**2 + (1 - stability**2) * by_chance
    n = len(STIMULI)
    tolerance = 4 * np.sqrt(predicted * (1 - predicted) / n)
    assert np.mean(np.array(first) == second) == pytest.approx(predicted, abs=tolerance)


def test_stability_changes_no_marginal_distribution():
    """What is planted elsewhere, in means and spreads, holds for any stability (Kolmogorov-Smirnov)."""
    scale = STUDY.scales["valence"]
    samples = []
    for stability in (0.0, 0.9):
        raters = [replace(ATTENTIVE, stability=stability, taste=str(k)) for k in range(1500)]
        rng = random.Random(5)
        samples.append([simulate.rate(one, 0.5, "valence", scale, rng=rng, about="x") for one in raters])
    assert stats.ks_2samp(*samples).pvalue > 1e-3


def test_one_person_is_rated_alike_and_two_people_unlike_with_an_overlap():
    rng, raters = random.Random(6), simulate.raters(30, seed=6, study=STUDY)
    names = [name for name, one in STIMULI.items() if one.intended_emotion != "neutral"]
    ratings = {is_foil: [] for is_foil in (False, True)}
    for rater, is_foil in itertools.product(raters, ratings):
        for name in rng.sample(names, 12):
            who = STIMULI[name].identity_id
            other = "id01" if who == "id00" else "id00"
            shown = pair(name, f"{other if is_foil else who}neutral", is_foil=is_foil)
            ratings[is_foil].append(respond(rater, shown, rng).responses[0].value)
    same, foil = ratings[False], ratings[True]
    assert np.mean(same) > 5
    assert np.mean(foil) < 3.5
    # The area under the curve, from the rank sums: told apart, and not perfectly.
    area = stats.mannwhitneyu(same, foil).statistic / len(same) / len(foil)
    assert 0.85 < area < 0.99
    assert max(foil) > min(same)


def test_a_pair_is_as_like_whoever_rates_it_and_likeness_is_a_share():
    neutral, edit, other = STIMULI["id00neutral"], STIMULI["id00sad"], STIMULI["id01sad"]
    assert planted.likeness(edit, neutral) == planted.likeness(edit, neutral)
    assert 1 > planted.likeness(edit, neutral) > planted.likeness(other, neutral) > 0


def test_who_cannot_tell_says_so_only_where_the_scale_allows_it():
    lost = replace(ATTENTIVE, cannot_tell=1.0)
    assert {one.status for one in respond(lost, trial(task="dimensions"), random.Random(1)).responses} == {
        "answered"
    }
    allowed = changed(
        ("    kind: choice\n    asks: displayed\n", "    kind: choice\n    cannot_tell: true\n")
    )
    given = respond(lost, trial(), random.Random(1), allowed).responses
    # Of an emotion that nobody could tell there is no intensity.
    assert [one.status for one in given] == ["cannot_tell", "not_applicable"]
    assert given[0].rt_first_ms is not None
    drawn = simulate.raters(300, seed=1, study=allowed)
    assert 0.01 < np.mean([one.cannot_tell for one in drawn]) < 0.03


def test_a_touch_on_the_affect_grid_answers_two_scales_at_once():
    grid = changed(("arousal], stage: 1", "arousal], affect_grid: true"))
    x, y = respond(ATTENTIVE, trial(task="dimensions"), random.Random(1), grid).responses
    assert x.rt_first_ms == y.rt_first_ms
    one_after_the_other = respond(ATTENTIVE, trial(task="dimensions"), random.Random(1)).responses
    assert one_after_the_other[0].rt_first_ms < one_after_the_other[1].rt_first_ms


def test_a_timed_exposure_lasts_whole_frames_of_the_screen():
    timed = changed(("display:\n", "display:\n  exposure: {duration_ms: 200}\n"))
    found = [respond(ATTENTIVE, trial(), random.Random(k), timed).evidence.shown_ms for k in range(200)]
    assert np.allclose(found, 200, atol=0.5)  # 12 frames of 1/60 s
    assert respond(ATTENTIVE, trial(), random.Random(1)).evidence.shown_ms is None


def test_the_evidence_is_plausible_and_says_that_no_script_ran():
    rng = random.Random(7)
    found = [
        respond(rater, trial(), rng).evidence
        for rater in simulate.raters(60, seed=2, study=STUDY)
        for _ in range(20)
    ]
    assert {one.app for one in found} == {"simulated"}
    assert {one.input_device for one in found} == {"mouse", "touch"}
    assert all(one.onset_ok == (one.hidden_count == 0) for one in found)
    assert 0 < np.mean([one.hidden_count for one in found]) < 0.03


QUESTIONS = """
questionnaires:
  - id: habits
    when: after
    title: {en: Habits, ko: 습관, ja: 習慣}
    questions:
      - {id: hours, kind: number, min: 0, max: 24, text: {en: Hours?, ko: 시간?, ja: 時間?}}
      - {id: year, kind: number, min: 1900, text: {en: Year?, ko: 연도?, ja: 年?}}
      - {id: any, kind: number, text: {en: Any?, ko: 아무?, ja: 何か?}}
      - {id: young, kind: number, max: 10, text: {en: Young?, ko: 어린?, ja: 若い?}}
      - {id: share, kind: number, min: 0.2, max: 0.8, text: {en: Share?, ko: 비율?, ja: 割合?}}
      - {id: small, kind: number, min: 0.000002, max: 0.000008, text: {en: Small?, ko: 작은?, ja: 小さい?}}
      - {id: tall, kind: number, min: 150.5, text: {en: Tall?, ko: 키?, ja: 身長?}}
      - {id: note, kind: text, required: true, text: {en: Note?, ko: 메모?, ja: メモ?}}
      - {id: more, kind: text, text: {en: More?, ko: 더?, ja: 他?}}
      - id: like
        kind: likert
        required: true
        text: {en: How much?, ko: 얼마나?, ja: どのくらい?}
        options: {rarely: {en: Rarely, ko: 가끔, ja: まれに}, often: {en: Often, ko: 자주, ja: よく}}
        items: [{id: a, text: {en: A, ko: 가, ja: あ}}, {id: b, text: {en: B, ko: 나, ja: い}}]
"""


def test_questions_are_answered_as_the_app_takes_them():
    asked = study.parse(DEMO + QUESTIONS, path="demo.yaml")
    page = (*asked.about_you[:1], *asked.questionnaires[0].questions)
    for seed in range(20):
        given = simulate.said(page, rng=random.Random(seed))
        by_field = questions.by_field(page)
        read = {field: questions.read(by_field[field], text) for field, text in given.items()}
        assert not [field for field, value in read.items() if questions.wrong(by_field[field], value)]
        assert questions.is_settled(page, read)
        assert read["more"] is None
