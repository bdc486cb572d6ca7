"""DeepFace's confidence: what its own verify says of the same distances."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.vision import deep, deepface_confidence, registry
from core.vision.raters import deepface_identity


def test_every_deepface_model_has_its_name_and_threshold_there():
    raters = {entry.declaration.rater_id for entry in deepface_identity.ENTRIES}
    assert set(deepface_confidence.NAMES) == raters
    verification = deep.load("deepface.modules.verification")
    for rater_id, name in deepface_confidence.NAMES.items():
        assert registry.declaration(rater_id).threshold == verification.find_threshold(name, "cosine")


@pytest.mark.parametrize(("rater_id", "name"), deepface_confidence.NAMES.items())
def test_it_is_what_deepface_verify_returns_for_two_embeddings(rater_id, name, monkeypatch):
    verification = deep.load("deepface.modules.verification")
    # Of the network verify asks only how long an embedding is, where it is given embeddings.
    of_two = SimpleNamespace(output_shape=2)
    monkeypatch.setattr(verification.modeling, "build_model", lambda **_: of_two)
    confidence = deepface_confidence.of(rater_id, registry.declaration(rater_id).threshold)
    first = np.array([1.0, 0.0])
    for similarity in (0.97, 0.72, 0.5, 0.35, 0.1):
        second = np.array([similarity, (1 - similarity**2) ** 0.5])
        theirs = verification.verify(first.tolist(), second.tolist(), model_name=name, silent=True)
        assert confidence(similarity) == pytest.approx(theirs["confidence"], abs=0.02)
        assert (confidence(similarity) > 50) == theirs["verified"]


def test_other_models_have_none():
    assert deepface_confidence.of("mobilefacenet", None) is None
    assert deepface_confidence.of("deepface-arcface", None) is None
