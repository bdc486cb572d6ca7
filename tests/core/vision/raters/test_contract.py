"""What every rater keeps to: those of the registry, and whatever module lies beside them.

A new rater needs no line here. Where its weights are not here, it runs on generated ones if
stand_ins.GENERATED has them, and is skipped with the reason if not.
"""

import importlib
import math
import pickle
import pkgutil
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core import codes
from core.errors import ModelError
from core.records import Face, Score
from core.vision import detect, image, raters, registry, weights
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe
from core.vision.rater import Comparer, Compute, Declaration, Deriver, Entry, Gives, Opinion, Rater
from core.vision.sight import Sight
from tests.core.vision import stand_ins

SAME = 1e-4  # of a batch and its single faces: sums of float32 in another order
PORTRAITS = ("emonet_example.png", "img11.jpg", "img5.jpg")


def _all() -> dict[str, Entry]:
    names = (module.name for module in pkgutil.iter_modules(raters.__path__, f"{raters.__name__}."))
    entries = (one for name in names for one in getattr(importlib.import_module(name), "ENTRIES", ()))
    return {entry.declaration.rater_id: entry for entry in entries} | dict(registry.RATERS)


ENTRIES = _all()


def of_kind(kind: str) -> list[str]:
    return [rater_id for rater_id, entry in ENTRIES.items() if entry.kind == kind]


def loaded(rater_id: str, folders: list[Path], empty: Path) -> Rater | Comparer | Deriver:
    """The rater with its real weights, or with generated ones."""
    try:
        return ENTRIES[rater_id].load(folders, Compute())
    except ModelError as error:
        if rater_id not in stand_ins.GENERATED:
            pytest.skip(f"no weights, and no generated ones: {str(error).splitlines()[0]}")
    return stand_ins.GENERATED[rater_id](empty)


@pytest.fixture(scope="module")
def sights(faces: dict[str, bytes], yunet: Detector, landmarker: MediaPipe) -> list[Sight]:
    return [sight(image.read(faces[name]), yunet, landmarker) for name in PORTRAITS]


def sight(pixels: np.ndarray, detector: Detector, landmarker: MediaPipe) -> Sight:
    face = detect.face(pixels, detector)
    assert face is not None
    return Sight(pixels, face, landmarker)


@pytest.fixture(scope="module")
def nobody() -> Sight:
    """Noise that a detector took for a face, without landmarks."""
    pixels = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    face = Face(40, 40, 80, 80, None, (), "none", "0", "largest of 1", 1)
    return Sight(pixels, face)


@pytest.fixture(scope="module", params=of_kind("model"))
def rater(
    request: pytest.FixtureRequest, folders: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Rater:
    return loaded(request.param, folders, tmp_path_factory.mktemp("generated"))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def prepared(rater: Rater, sights: list[Sight]) -> list[object]:
    return [rater.prepare(one) for one in sights]


@pytest.fixture(scope="module")
def opinions(rater: Rater, prepared: list[object]) -> tuple[Opinion, ...]:
    return rater.rate(prepared)


@pytest.fixture(scope="module", params=of_kind("comparison"))
def comparer(
    request: pytest.FixtureRequest, folders: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Comparer:
    return loaded(request.param, folders, tmp_path_factory.mktemp("generated"))  # type: ignore[return-value]


@pytest.fixture(params=of_kind("derived"))
def deriver(request: pytest.FixtureRequest) -> Deriver:
    return ENTRIES[request.param].load((), Compute())  # type: ignore[return-value]


@pytest.mark.parametrize("rater_id", ENTRIES)
def test_a_declaration_is_complete(rater_id: str) -> None:
    declared = ENTRIES[rater_id].declaration
    assert declared.rater_id == rater_id
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rater_id)
    for words in ("title", "version", "licence", "citation", "trained_on", "limits"):
        assert getattr(declared, words).strip(), words
    assert re.search(r"\b(19|20)\d\d\b", declared.citation), "a citation has a year"
    known = {entry.name for entry in weights.entries()}
    assert {*declared.weights, *declared.helpful} <= known
    assert declared.gives or declared.dimensions, "it gives nothing"
    assert declared.threshold is None or declared.dimensions, "a threshold is one of embeddings"


@pytest.mark.parametrize("rater_id", ENTRIES)
def test_each_scale_is_declared_with_its_labels_or_its_units(rater_id: str) -> None:
    given = ENTRIES[rater_id].declaration.gives
    assert len({one.scale_id for one in given}) == len(given)
    for one in given:
        assert one.units.strip(), one.scale_id
        _check_choice(one) if one.kind == "choice" else _check_number(one)


def _check_choice(gives: Gives) -> None:
    assert gives.labels
    assert len(set(gives.labels)) == len(gives.labels)
    assert gives.scale_id != "emotion" or set(gives.labels) <= set(codes.EMOTIONS)
    assert (gives.low, gives.high, gives.zero) == (None, None, None)


def _check_number(gives: Gives) -> None:
    assert len(set(gives.labels)) == len(gives.labels)
    bounds = [bound for bound in (gives.low, gives.zero, gives.high) if bound is not None]
    assert all(math.isfinite(bound) for bound in bounds)
    assert all(below <= above for below, above in pairwise(bounds))
    assert gives.low is None or gives.low != gives.high


def test_an_opinion_of_a_portrait_is_what_the_declaration_says(
    rater: Rater, opinions: tuple[Opinion, ...]
) -> None:
    assert len(opinions) == len(PORTRAITS)
    for opinion in opinions:
        assert not opinion.abstains, opinion.reason
        check(opinion, rater.declaration)


def test_weights_are_recorded_by_their_checksum(rater: Rater) -> None:
    pattern = r"[0-9a-f]{64}" if rater.declaration.weights else ""
    assert re.fullmatch(pattern, rater.weights_sha256)


def test_permuting_a_batch_permutes_its_opinions(
    rater: Rater, prepared: list[object], opinions: tuple[Opinion, ...]
) -> None:
    found = rater.rate(prepared[::-1])
    assert_same(found[::-1], opinions)


def test_a_batch_says_what_single_faces_say(
    rater: Rater, prepared: list[object], opinions: tuple[Opinion, ...]
) -> None:
    assert_same([rater.rate([one])[0] for one in prepared], opinions)


def test_what_is_prepared_survives_pickling(
    rater: Rater, prepared: list[object], opinions: tuple[Opinion, ...]
) -> None:
    (found,) = rater.rate([pickle.loads(pickle.dumps(prepared[0]))])
    assert_same([found], opinions[:1])


def test_of_what_is_no_face_it_says_something_valid_or_why_it_says_nothing(
    rater: Rater, nobody: Sight
) -> None:
    (opinion,) = rater.rate([rater.prepare(nobody)])
    check(opinion, rater.declaration)


def test_an_opinion_is_of_the_picture_and_not_of_its_place_in_the_batch(
    rater: Rater, prepared: list[object], opinions: tuple[Opinion, ...]
) -> None:
    found = rater.rate([prepared[0], prepared[0], prepared[1]])
    assert_same(found, [opinions[0], opinions[0], opinions[1]])


def test_a_comparison_is_what_the_declaration_says(
    comparer: Comparer, sights: list[Sight], nobody: Sight
) -> None:
    for shown, reference in ((sights[0], sights[1]), (sights[0], sights[0]), (nobody, sights[0])):
        opinion = comparer.compare(shown, reference)
        check(opinion, comparer.declaration)
        assert_same([comparer.compare(shown, reference)], [opinion])


def test_a_derived_rater_works_on_one_that_there_is(deriver: Deriver) -> None:
    source = ENTRIES[deriver.source]
    assert source.kind == "model"
    rng = np.random.default_rng(0)
    for _ in range(20):
        here, there = plausible(source.declaration, rng), plausible(source.declaration, rng)
        opinion = deriver.derive(here, there if deriver.relative else None)
        assert not opinion.abstains, opinion.reason
        check(opinion, deriver.declaration)


def test_a_derived_rater_says_why_it_says_nothing(deriver: Deriver) -> None:
    here = plausible(ENTRIES[deriver.source].declaration, np.random.default_rng(0))
    silent = Opinion(reason="the face is turned away")
    of_nothing = deriver.derive(silent, here if deriver.relative else None)
    assert of_nothing.abstains
    assert "the face is turned away" in of_nothing.reason
    if deriver.relative:
        for reference in (None, silent):
            opinion = deriver.derive(here, reference)
            assert opinion.abstains
            assert opinion.reason


def plausible(declaration: Declaration, rng: np.random.Generator) -> Opinion:
    """An opinion such as the declaration allows, drawn at random."""
    scores: list[Score] = []
    probabilities: dict[str, float] = {}
    for gives in declaration.gives:
        if gives.kind == "choice":
            drawn = rng.dirichlet(np.ones(len(gives.labels)))
            probabilities |= dict(zip(gives.labels, drawn.tolist(), strict=True))
            scores.append(Score(gives.scale_id, label=gives.labels[int(drawn.argmax())]))
        else:
            low, high = (
                (-1.0 if gives.low is None else gives.low),
                (1.0 if gives.high is None else gives.high),
            )
            value = float(rng.uniform(low, high))
            scores.append(Score(gives.scale_id, value, scale_min=gives.low, scale_max=gives.high))
    return Opinion(tuple(scores), probabilities)


def check(opinion: Opinion, declared: Declaration) -> None:
    """Whether an opinion is one that the declaration allows."""
    if opinion.abstains:
        assert opinion.reason, "it abstains without a word"
        assert not opinion.probabilities
        return
    by_scale = {gives.scale_id: gives for gives in declared.gives}
    assert [score.scale_id for score in opinion.scores] == list(by_scale)
    for score in opinion.scores:
        _check_score(score, by_scale[score.scale_id])
    _check_probabilities(opinion.probabilities, declared)
    _check_embedding(opinion, declared.dimensions)
    assert all(isinstance(content, bytes) and content for content in opinion.pictures.values())


RIGHT = Opinion(
    (Score("emotion", label="sad"), Score("valence", 0.5, scale_min=-1.0, scale_max=1.0)), {"sad": 1.0}
)
WRONG = {
    "no reason": Opinion(),
    "a scale is missing": replace(RIGHT, scores=RIGHT.scores[:1]),
    "an unknown label": replace(RIGHT, scores=(Score("emotion", label="cross"), RIGHT.scores[1])),
    "out of range": replace(RIGHT, scores=(RIGHT.scores[0], Score("valence", 1.5, None, -1.0, 1.0))),
    "no number": replace(RIGHT, scores=(RIGHT.scores[0], Score("valence", math.nan, None, -1.0, 1.0))),
    "another scale": replace(RIGHT, scores=(RIGHT.scores[0], Score("valence", 0.5, None, 0.0, 1.0))),
    "no sum of 1": replace(RIGHT, probabilities={"sad": 0.9}),
    "other labels": replace(RIGHT, probabilities={"happy": 1.0}),
    "an embedding": replace(RIGHT, embedding=np.ones(1, np.float32)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_check_itself_sees_what_is_wrong(wrong: str) -> None:
    gives = (
        Gives("emotion", "choice", units="probability", labels=("sad",)),
        Gives("valence", "number", units="-1 to 1", low=-1.0, high=1.0, zero=0.0),
    )
    declared = replace(next(iter(ENTRIES.values())).declaration, gives=gives, dimensions=0)
    check(RIGHT, declared)
    with pytest.raises(AssertionError):
        check(WRONG[wrong], declared)


def _check_score(score: Score, gives: Gives) -> None:
    if gives.kind == "choice":
        assert score.label in gives.labels
        assert score.value is None
        return
    assert score.label is None or score.label in gives.labels  # a word beside the number
    assert isinstance(score.value, float)  # not numpy's, which json refuses
    assert math.isfinite(score.value)
    assert (score.scale_min, score.scale_max) == (gives.low, gives.high)
    assert gives.low is None or score.value >= gives.low
    assert gives.high is None or score.value <= gives.high


def _check_probabilities(probabilities: Mapping[str, float], declared: Declaration) -> None:
    if probabilities:
        assert math.fsum(probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert all(isinstance(value, float) and 0 <= value <= 1 for value in probabilities.values())
        assert any(set(probabilities) == set(gives.labels) for gives in declared.gives)


def _check_embedding(opinion: Opinion, dimensions: int) -> None:
    assert (opinion.embedding is not None) == bool(dimensions)
    if opinion.embedding is not None:
        assert opinion.embedding.shape == (dimensions,)
        assert opinion.embedding.dtype == np.float32
        assert np.linalg.norm(opinion.embedding.astype(float)) == pytest.approx(1, abs=1e-5)


def assert_same(found: Sequence[Opinion], expected: Sequence[Opinion]) -> None:
    """The same opinions but for the last digits."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.reason == other.reason
        assert list(one.probabilities) == list(other.probabilities)
        assert [score.scale_id for score in one.scores] == [score.scale_id for score in other.scores]
        np.testing.assert_allclose(numbers(one), numbers(other), atol=SAME, rtol=SAME)


def numbers(opinion: Opinion) -> np.ndarray:
    scores = [math.nan if score.value is None else score.value for score in opinion.scores]
    embedding = () if opinion.embedding is None else opinion.embedding
    return np.array([*scores, *opinion.probabilities.values(), *embedding])
