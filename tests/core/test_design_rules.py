"""What is refused between the settings of how a study is run, each with its line and how to mend it."""

from __future__ import annotations

import pytest

from core import study
from core.errors import StudyError
from tests import variants

ONE_SET = (
    "tasks: {order: fixed, sets: [{id: all, scales: [emotion, intensity, valence, arousal, naturalness]}]}"
)


def with_tasks(sets: str, *changes: tuple[str, str]) -> str:
    return variants.one_block((ONE_SET, f"tasks: {{sets: [{sets}]}}"), *changes)


def refused(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        study.parse(text, path="s.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ("{id: a, scales: [emotion, intensity]}", "found no set with valence, arousal, naturalness"),
        ("{id: a, scales: [emotoin]}", "did you mean 'emotion'"),
        ("{id: a, scales: [valence, valence]}", "found 'valence' again"),
        ("{id: a, scales: [intensity, emotion]}", "needed 'emotion' before it"),
        ("{id: identity_pairs, scales: [emotion]}", "which is the task of the pairs"),
        ("{id: a, scales: [emotion]}, {id: a, scales: [valence]}", "found 'a' again"),
        ("{id: a, scales: [emotion, intensity], affect_grid: true}", "needed the axes of a square"),
        ("{id: a, scales: [valence], affect_grid: true}", "needed the axes of a square"),
    ],
)
def test_task_sets_that_do_not_hold_each_scale_once_are_refused(sets, words):
    assert words in refused(with_tasks(sets))


BOTH_AXES = (
    "{id: grid, scales: [valence, arousal], affect_grid: true},"
    " {id: a, scales: [emotion, intensity, naturalness]}"
)
VALENCE_LINE = "    polarity: bipolar\n    zero: 50\n    anchors:\n      low: {en: Unpleasant"
AROUSAL_LINE = "    polarity: bipolar\n    zero: 50\n    anchors:\n      low: {en: Calm"


def test_the_axes_of_an_affect_grid_both_offer_cannot_tell_or_neither():
    one = (VALENCE_LINE, f"    cannot_tell: true\n{VALENCE_LINE}")
    other = (AROUSAL_LINE, f"    cannot_tell: true\n{AROUSAL_LINE}")
    assert "found 'cannot_tell' of one axis" in refused(with_tasks(BOTH_AXES, one))
    study.parse(with_tasks(BOTH_AXES, one, other), path="s.yaml")


def test_an_affect_grid_of_points_has_a_middle():
    before, intensity, valence, arousal, naturalness = with_tasks(BOTH_AXES).split("kind: vas")

    def of(points: int) -> str:
        likert = f"kind: likert\n    points: {points}"
        text = "kind: vas".join((before, intensity)) + likert + likert.join((valence, arousal))
        return f"{text}kind: vas{naturalness}".replace("zero: 50", f"zero: {(points + 1) / 2}")

    assert "found a square of 8 points" in refused(of(8))
    study.parse(of(9), path="s.yaml")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("disclosure: after", "found 'after' without a debriefing"),
        ("practice: {feedback: true}", "found it without practice trials"),
        ("practice: {files: [a.png, a.png]}", "found 'a.png' again"),
        ("questionnaires: [{id: q, when: before, title: {en: T, ko: T, ja: T}, questions: []}]", "questions"),
        ("recruitment: {route: panel}", "found a panel without 'complete_url'"),
        ("recruitment: {code: fixed}", "found 'fixed' without 'fixed_code'"),
        ("recruitment: {fixed_code: A1}", "found it without 'code: fixed'"),
        ("recruitment: {complete_url: 'https://x.org/?id={pid}'}", "found {pid}; needed one of code"),
        ("recruitment: {complete_url: 'javascript:alert(1)'}", "complete_url"),
        ("resume: {policy: sometimes}", "policy"),
        ("erasure: {days: -1}", "days"),
    ],
)
def test_a_part_that_lacks_what_it_needs_is_refused(more, words):
    assert words in refused(variants.one_block() + f"\n{more}\n")


@pytest.mark.parametrize(
    ("found", "needed", "words"),
    [
        ("ratings_per_stimulus: 20", "ratings_per_stimulus: 20\n  assignment: least-precise", "half-width"),
        (
            "ratings_per_stimulus: 20",
            "ratings_per_stimulus: 20\n  most_ratings: 5",
            "20 (ratings_per_stimulus)",
        ),
        (
            "ratings_per_stimulus: 20",
            "ratings_per_stimulus: 4\n  assignment: least-precise\n  half_width: 0.1",
            "found 4 with 'least-precise'; needed 5 or more",
        ),
        (
            "ratings_per_stimulus: 20",
            "ratings_per_stimulus: 2\n  assignment: least-precise\n  half_width: 0.1\n  most_ratings: 3",
            "write 'most_ratings: 5'",
        ),
        ("attention: {instructed: 0}", "attention: {gold: [{file: a.png, answer: hapy}]}", "'happy'"),
        ("size_px: 400", "size_deg: 8", "needed a calibrated screen"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(found, needed, words):
    assert words in refused(variants.one_block((found, needed)))


def test_the_scale_of_the_pairs_is_asked_of_single_pictures_only_without_pairs():
    own = "  same_identity: {kind: vas, question: {en: Same, ko: Same, ja: Same}, source: ours, "
    own += "status: draft, polarity: unipolar, zero: 0, "
    own += "anchors: {low: {en: A, ko: A, ja: A}, high: {en: B, ko: B, ja: B}}}"
    ask = ("ask: [emotion,", "ask: [same_identity, emotion,")
    scales = ("\nscales:\n", f"\nscales:\n{own}\n")
    sets = (ONE_SET, ONE_SET.replace("[emotion,", "[same_identity, emotion,"))
    study.parse(variants.one_block(ask, scales, sets), path="s.yaml")
    pairs = ("per_participant: 0}", "per_participant: 2}")
    said = refused(variants.one_block(ask, scales, sets, pairs))
    assert "found 'same_identity', which the identity pairs ask" in said


@pytest.mark.parametrize(
    "more",
    [
        "recruitment: {external_id: [a], keep: [b]}",
        "recruitment: {external_id: {a: b}, keep: [b]}",
        "questionnaires: [{id: q, when: before, title: {}, questions: [{id: a, kind: [], text: {}}]}]",
        "questionnaires: [{id: q, when: before, title: {}, questions: [{id: a, kind: {}, text: {}}]}]",
    ],
)
def test_a_list_or_mapping_in_the_place_of_a_word_is_refused(more):
    assert "s.yaml:" in refused(variants.one_block() + f"\n{more}\n")


def test_axes_whose_kind_is_a_list_are_refused():
    assert "needed the axes of a square" in refused(with_tasks(BOTH_AXES).replace("kind: vas", "kind: [vas]"))


def test_a_timed_exposure_shows_one_picture():
    timed = variants.one_block(
        ("size_px: 400", "size_px: 400\n  exposure: {duration_ms: 200}"),
        ("ratings_per_stimulus: 20", "ratings_per_stimulus: 20\n  show: [reference, target]"),
    )
    assert "found a timed exposure of two pictures" in refused(timed)


def test_a_language_without_a_catalogue_is_refused_with_those_that_have_one():
    said = refused(variants.one_block(("languages: [en, ko, ja]", "languages: [en, ko, xx]")))
    assert "found 'xx'" in said
    assert "en, ja, ko" in said
