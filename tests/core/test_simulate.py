import random
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import ndtr

from core import norms, planted, scales, simulate, study
from core.agreement import confusion, krippendorff
from core.records import Shown, Stimulus, Trial

EMOTIONS = ("angry", "disgust", "happy", "neutral", "sad", "surprise")
OPTIONS = ("angry", "sad", "happy", "disgust", "surprise", "fear", "neutral", "other")
N_RATERS, N_IDENTITIES = 200, 8


STUDY = study.parse(
    f"""
study: planted
title: {{en: Planted truth}}
contact: nobody@example.org
languages: [en]
consent:
  version: "1"
  intro: {{en: Hello}}
  items: [{{id: part, text: {{en: I take part}}}}]
scales:
  emotion:
    kind: choice
    question: {{en: Which?}}
    source: test
    status: draft
    options: {{{", ".join(f"{code}: {{en: {code}}}" for code in OPTIONS)}}}
  intensity:
    kind: vas
    question: {{en: How strong?}}
    source: test
    status: draft
    polarity: unipolar
    zero: 0
    anchors: {{low: {{en: low}}, high: {{en: high}}}}
    of: emotion
    not_applicable_after: [neutral, other]
  valence:
    kind: vas
    question: {{en: How pleasant?}}
    source: test
    status: draft
    polarity: bipolar
    zero: 50
    anchors: {{low: {{en: low}}, high: {{en: high}}}}
  naturalness:
    kind: likert
    points: 7
    question: {{en: How natural?}}
    source: test
    status: draft
    polarity: unipolar
    zero: 1
    anchors: {{low: {{en: low}}, high: {{en: high}}}}
ask: [emotion, intensity, valence, naturalness]
tasks: {{sets: [{{id: all, scales: [emotion, intensity, valence, naturalness]}}]}}
stimuli:
  folder: faces
  pattern: "{{identity}}_{{emotion}}.png"
  emotions: [{", ".join(EMOTIONS)}]
trials: {{per_participant: 48, ratings_per_stimulus: 200}}
""",
    path="planted.yaml",
)

STIMULI = {
    f"{identity:02d}{emotion}": Stimulus(
        stimulus_id=f"{identity:02d}{emotion}",
        stim_file=f"{identity:02d}_{emotion}.png",
        stim_sha256="0" * 64,
        served_sha256="0" * 64,
        width_px=10,
        height_px=10,
        identity_id=f"{identity:02d}",
        intended_emotion=emotion,
    )
    for identity in range(N_IDENTITIES)
    for emotion in EMOTIONS
}
TRIALS = tuple(Trial(f"t{i}", 1, i, (Shown("target", name),)) for i, name in enumerate(STIMULI, start=1))

CONFUSION = {
    emotion: dict(zip(OPTIONS, row, strict=True))
    for emotion, row in {
        "angry": (0.7, 0.04, 0.02, 0.14, 0.02, 0.03, 0.03, 0.02),
        "disgust": (0.2, 0.05, 0.01, 0.62, 0.02, 0.04, 0.02, 0.04),
        "happy": (0.0, 0.0, 0.95, 0.01, 0.02, 0.0, 0.01, 0.01),
        "neutral": (0.03, 0.08, 0.02, 0.01, 0.01, 0.01, 0.8, 0.04),
        "sad": (0.03, 0.66, 0.0, 0.04, 0.01, 0.1, 0.13, 0.03),
        "surprise": (0.01, 0.01, 0.06, 0.02, 0.71, 0.16, 0.01, 0.02),
    }.items()
}


def rater(number, rng):
    return simulate.Rater(
        rater_id=f"r{number}",
        bias={"valence": rng.gauss(0.02, 0.05), "naturalness": rng.gauss(-0.05, 0.1)},
        gain=rng.uniform(0.7, 1.2),
        noise_sd=rng.uniform(0.05, 0.2),
        lapse=0.03,
        confusion=CONFUSION,
    )


RATERS = tuple(rater(number, random.Random(number)) for number in range(N_RATERS))


def rating(some, answer, response, trial):
    stimulus = STIMULI[trial.shown[0].stimulus_id]
    return {
        "rater_id": some.rater_id,
        "trial_id": answer.trial_id,
        "stimulus_id": stimulus.stimulus_id,
        "intended_emotion": stimulus.intended_emotion,
        "scale_id": response.scale_id,
        "response": response.value,
        "response_label": response.label,
    }


@pytest.fixture(scope="module")
def ratings():
    """Every rater's answer to every stimulus, as a long table."""
    rng = random.Random(11)
    return pd.DataFrame(
        [
            rating(some, answer, response, trial)
            for some in RATERS
            for trial in TRIALS
            for answer in [simulate.respond(some, STUDY, trial, STIMULI, rng=rng)]
            for response in answer.responses
        ]
    )


def moments(some, stimulus, scale_id):
    """Mean and mean square of one rater's response, from the normal distribution and the lapses alone.

    A whole point k is given when the normal value falls within half a point of it; the ends take the tails.
    """
    low, high = scales.bounds(STUDY.scales[scale_id])
    span = high - low
    share = 0.5 + some.gain * (planted.share(stimulus, scale_id) - 0.5) + some.bias.get(scale_id, 0)
    k = np.arange(low, high + 1)
    edges = np.concatenate([[-np.inf], k[:-1] + 0.5, [np.inf]])
    p = np.diff(ndtr((edges - low - share * span) / (some.noise_sd * span)))
    p = (1 - some.lapse) * p + some.lapse / len(k)
    return p @ k, p @ k**2


@pytest.fixture(scope="module")
def expected():
    """Planted means and mean squares: scale -> arrays of shape (raters, stimuli)."""
    return {
        scale_id: np.moveaxis(
            np.array([[moments(some, face, scale_id) for face in STIMULI.values()] for some in RATERS]), 2, 0
        )
        for scale_id in ("intensity", "valence", "naturalness")
    }


@pytest.fixture(scope="module")
def table(ratings):
    return norms.table(ratings, STUDY.scales).set_index("stimulus_id").loc[list(STIMULI)]


def planted_row(emotion):
    """The planted response probabilities: the rater's row, or with probability .03 any option."""
    return np.array([0.97 * CONFUSION[emotion][code] + 0.03 / len(OPTIONS) for code in OPTIONS])


@pytest.mark.parametrize("scale_id", ["valence", "naturalness"])
def test_norms_recover_the_planted_means(table, expected, scale_id):
    mean, square = expected[scale_id]
    se = np.sqrt((square - mean**2).sum(axis=0)) / N_RATERS
    # Within 4 standard errors of 48 stimuli: by chance one of 300 such tests fails.
    assert (np.abs(table[f"{scale_id}_m"] - mean.mean(axis=0)) < 4 * se).all()


def test_norms_recover_planted_value_plus_bias_where_the_scale_does_not_end(table):
    # Rounding and clipping move the middle of the scale by less than 1e-3 points.
    for stimulus in (face for face in STIMULI.values() if face.intended_emotion == "neutral"):
        truth = planted.share(stimulus, "valence")
        each = np.array([0.5 + some.gain * (truth - 0.5) + some.bias["valence"] for some in RATERS])
        middle = 100 * (0.97 * each.mean() + 0.03 * 0.5)
        noise = np.mean([(100 * some.noise_sd) ** 2 + 0.03 * 850 for some in RATERS])  # 850: uniform 0..100
        assert abs(table.loc[stimulus.stimulus_id, "valence_m"] - middle) < 4 * np.sqrt(noise / N_RATERS)


def test_norms_recover_the_planted_spread_between_and_within_raters(table, expected):
    mean, square = expected["valence"]
    # E sum (x - x_bar)^2 / (n - 1) of independent ratings with these means and variances.
    variance = (square - mean**2).mean(axis=0) + mean.var(axis=0, ddof=1)
    # A variance of 200 ratings has a relative SE near sqrt(2/199) = .1; lapses give heavier tails.
    assert np.allclose(table["valence_sd"] ** 2, variance, rtol=0.5)
    assert np.mean(table["valence_sd"] ** 2 / variance) == pytest.approx(1, abs=4 * 0.13 / np.sqrt(48))


def test_intensity_is_not_applicable_as_often_as_neutral_or_other_was_planted(table):
    for name, stimulus in STIMULI.items():
        row = planted_row(stimulus.intended_emotion)
        p = row[OPTIONS.index("neutral")] + row[OPTIONS.index("other")]
        found = table.loc[name, "intensity_n_not_applicable"]
        assert found + table.loc[name, "intensity_n"] == N_RATERS
        assert abs(found - N_RATERS * p) < 4 * np.sqrt(N_RATERS * p * (1 - p))


def test_hit_rates_per_stimulus_recover_the_planted_ones(table):
    planted = np.array(
        [
            planted_row(face.intended_emotion)[OPTIONS.index(face.intended_emotion)]
            for face in STIMULI.values()
        ]
    )
    assert (np.abs(table["emotion_h"] - planted) < 4 * np.sqrt(planted * (1 - planted) / N_RATERS)).all()
    covered = ((table["emotion_h_low"] <= planted) & (planted <= table["emotion_h_high"])).mean()
    assert covered > 0.85  # 48 intervals of 95 %; fewer than 41 covering has a probability below 1e-3


def test_the_confusion_matrix_recovers_the_planted_one(ratings):
    chosen = ratings[ratings["scale_id"] == "emotion"]
    found = confusion.table(
        chosen["intended_emotion"].tolist(), chosen["response_label"].tolist(), rows=EMOTIONS, columns=OPTIONS
    )
    for row, emotion in zip(found.counts, EMOTIONS, strict=True):
        assert row.sum() == N_RATERS * N_IDENTITIES
        # Pearson's test against the planted multinomial; six tests at 1e-3.
        assert stats.chisquare(row, row.sum() * planted_row(emotion)).pvalue > 1e-3
    for hit in confusion.hits(found):
        planted = planted_row(hit.label)[OPTIONS.index(hit.label)]
        assert abs(hit.h - planted) < 4 * np.sqrt(planted * (1 - planted) / hit.n)


@pytest.mark.parametrize("scale_id", ["valence", "naturalness"])
def test_interval_alpha_is_what_the_planted_variances_predict(ratings, expected, scale_id):
    def squared_differences(mean, square):
        # E (x - y)^2 over all ordered pairs of independent ratings with these means and mean squares.
        n = mean.size
        return 2 * (square.mean() - (mean.sum() ** 2 - (mean**2).sum()) / (n * (n - 1)))

    mean, square = expected[scale_id]
    within = np.mean([squared_differences(m, s) for m, s in zip(mean.T, square.T, strict=True)])
    predicted = 1 - within / squared_differences(mean, square)

    values, raters, stimuli = norms.matrix(ratings, scale_id)
    assert (len(raters), len(stimuli)) == (N_RATERS, len(STIMULI))
    found = krippendorff.alpha(values, level="interval", resamples=500, rng=np.random.default_rng(1))
    # A variance of 9600 ratings has a relative SE near sqrt(2/9600) = .0144; 4 of them on each sum.
    assert found.estimate == pytest.approx(predicted, abs=4 * 1.5 * 0.0144 * (1 - predicted))
    assert found.low < predicted < found.high


def test_nominal_alpha_is_what_the_planted_confusion_predicts(ratings):
    rows = np.array([planted_row(emotion) for emotion in EMOTIONS])
    agree, chance = (rows**2).sum(axis=1).mean(), (rows.mean(axis=0) ** 2).sum()
    predicted = 1 - (1 - agree) / (1 - chance)

    values = norms.matrix(ratings, "emotion", labels=OPTIONS)[0]
    found = krippendorff.alpha(values, level="nominal", resamples=500, rng=np.random.default_rng(1))
    # The hit rates of 1600 ratings have an SE up to .012; agreement averages six of their squares.
    assert found.estimate == pytest.approx(predicted, abs=0.03)
    assert found.low < predicted < found.high


def test_perfect_raters_recover_the_planted_value_exactly():
    perfect = simulate.Rater("p", {}, gain=1, noise_sd=0, lapse=0, confusion={"sad": {"sad": 1.0}})
    scale, rng = STUDY.scales["valence"], random.Random(0)
    assert simulate.rate(perfect, 0.314, "valence", scale, rng=rng) == 31
    assert simulate.choose(perfect, "sad", OPTIONS, rng=rng) == "sad"
    biased = simulate.Rater("b", {"valence": 0.1}, gain=0.5, noise_sd=0, lapse=0, confusion={})
    assert simulate.rate(biased, 0.3, "valence", scale, rng=rng) == 50  # 50 + .5 * (30 - 50) + 10
    assert simulate.rate(biased, 3.0, "valence", scale, rng=rng) == 100


def test_a_unipolar_scale_that_means_none_at_its_high_end_is_turned_round():
    perfect = simulate.Rater("p", {}, gain=1, noise_sd=0, lapse=0, confusion={})
    turned = STUDY.scales["intensity"].model_copy(update={"zero": 100.0})
    assert simulate.rate(perfect, 0.9, "intensity", turned, rng=random.Random(0)) == 10


def test_without_a_row_for_an_emotion_or_in_a_lapse_every_option_is_as_likely():
    lost = simulate.Rater("l", {}, gain=1, noise_sd=0.1, lapse=1, confusion=CONFUSION)
    unknown = simulate.Rater("u", {}, gain=1, noise_sd=0.1, lapse=0, confusion={})
    rng = random.Random(3)
    for some, intended in ((lost, "happy"), (unknown, "happy"), (unknown, None)):
        counts = Counter(simulate.choose(some, intended, OPTIONS, rng=rng) for _ in range(4000))
        assert stats.chisquare([counts[code] for code in OPTIONS]).pvalue > 1e-3


def test_answers_are_those_of_a_browser():
    rng = random.Random(4)
    for some in simulate.raters(3, seed=1, study=STUDY):
        for trial in TRIALS:
            answer = simulate.respond(some, STUDY, trial, STIMULI, rng=rng)
            assert (answer.trial_id, answer.revision) == (trial.trial_id, 1)
            assert [response.scale_id for response in answer.responses] == list(STUDY.ask)
            chosen = answer.responses[0].label
            assert chosen in OPTIONS
            applies = chosen not in ("neutral", "other")
            assert (answer.responses[1].status == "answered") == applies
            for response in answer.responses:
                check_response(response)
            touched = [r.rt_first_ms for r in answer.responses if r.rt_first_ms is not None]
            assert touched == sorted(touched)
            assert 300 < touched[0] < answer.responses[0].rt_submit_ms


def check_response(response):
    scale = STUDY.scales[response.scale_id]
    if response.status == "not_applicable":
        assert (response.value, response.label, response.rt_first_ms, response.n_changes) == (
            None,
            None,
            None,
            0,
        )
    elif scale.kind == "choice":
        assert response.value is None
        assert response.label in scale.options
    else:
        low, high = scales.bounds(scale)
        assert response.label is None
        assert low <= response.value <= high
        assert response.value == round(response.value)
    if response.rt_first_ms is not None:
        assert response.rt_first_ms < response.rt_submit_ms < 60_000


def test_a_seed_draws_the_same_raters_however_many_are_asked_for():
    few, many = simulate.raters(3, seed=5, study=STUDY), simulate.raters(30, seed=5, study=STUDY)
    assert many[:3] == few
    assert simulate.raters(3, seed=6, study=STUDY) != few
    assert len({some.rater_id for some in many}) == 30
    for some in many:
        assert set(some.confusion) == set(EMOTIONS)
        for emotion, row in some.confusion.items():
            assert sum(row.values()) == pytest.approx(1)
            assert max(row, key=row.get) == emotion


def test_the_same_random_numbers_give_the_same_answers():
    (some,) = simulate.raters(1, seed=5, study=STUDY)
    one, other = (
        [simulate.respond(some, STUDY, trial, STIMULI, rng=random.Random(9)) for trial in TRIALS]
        for _ in range(2)
    )
    assert one == other


def test_planted_values_are_shares_that_depend_on_the_stimulus_alone():
    values = {
        (name, scale_id): planted.share(face, scale_id)
        for name, face in STIMULI.items()
        for scale_id in (*STUDY.ask, "arousal", "realism")
    }
    assert all(0 <= value <= 1 for value in values.values())
    assert values["00happy", "valence"] > values["00neutral", "valence"] > values["00sad", "valence"]
    assert len({values[f"{i:02d}happy", "valence"] for i in range(N_IDENTITIES)}) == N_IDENTITIES
