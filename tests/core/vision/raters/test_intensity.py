"""intensity: each measure against numpy's own arithmetic, and silence where there is nothing to measure."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.faces import demo, emotions, render
from core.records import Score
from core.vision import detect
from core.vision.action_units import NON_GAZE
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe
from core.vision.rater import Compute, Declaration, Opinion
from core.vision.raters import action_units, intensity
from core.vision.raters.intensity import Derived
from core.vision.sight import Sight

BY_ID = {entry.declaration.rater_id: entry for entry in intensity.ENTRIES}
UNIT = st.floats(-1, 1)


def loaded(rater_id: str) -> Derived:
    found = BY_ID[rater_id].load([], Compute())
    assert isinstance(found, Derived)
    return found


def said(valence: float, arousal: float) -> Opinion:
    return Opinion((Score("emotion", label="sad"), Score("valence", valence), Score("arousal", arousal)))


def moved(**coefficients: float) -> Opinion:
    scores = tuple(Score(f"blendshape_{name}", value) for name, value in coefficients.items())
    return Opinion((Score("au12", 0.4), *scores))


def value(opinion: Opinion) -> float:
    (score,) = opinion.scores
    assert score.scale_id == "intensity"
    assert score.value is not None
    return score.value


@pytest.mark.parametrize("rater_id", ["emonet-8-distance", "hsemotion-distance"])
@given(here=st.tuples(UNIT, UNIT), there=st.tuples(UNIT, UNIT))
def test_distance_is_the_norm_of_the_difference(
    rater_id: str, here: tuple[float, float], there: tuple[float, float]
) -> None:
    found = value(loaded(rater_id).derive(said(*here), said(*there)))
    assert found == pytest.approx(np.linalg.norm(np.subtract(here, there)), abs=1e-12)
    assert 0 <= found <= 2 * np.sqrt(2)
    assert found == pytest.approx(value(loaded(rater_id).derive(said(*there), said(*here))), abs=1e-12)


@pytest.mark.parametrize("rater_id", ["emonet-8-length", "hsemotion-length"])
@given(here=st.tuples(UNIT, UNIT))
def test_length_is_the_norm_and_asks_for_no_reference(rater_id: str, here: tuple[float, float]) -> None:
    found = value(loaded(rater_id).derive(said(*here), None))
    assert found == pytest.approx(np.linalg.norm(here), abs=1e-12)


def test_blendshape_change_is_the_mean_absolute_difference_without_the_gaze() -> None:
    here = moved(mouth_smile_left=0.9, jaw_open=0.1, eye_look_up_left=1.0, eye_blink_left=0.2, neutral=0.5)
    there = moved(jaw_open=0.4, mouth_smile_left=0.1, eye_look_up_left=0.0, eye_blink_left=0.2, neutral=0.0)
    found = value(loaded("blendshape-change").derive(here, there))
    assert found == pytest.approx((0.8 + 0.3 + 0.0) / 3)


def test_blendshape_change_of_drawn_faces_grows_with_the_expression(
    folders: list[Path], yunet: Detector, landmarker: MediaPipe
) -> None:
    # The truth is the renderer's: the same person with a quarter, half and all of one prototype.
    model = action_units.load(folders, Compute())
    sitter = render.Sitter(demo.cast(1)[0])

    def opinion(emotion: str, share: float) -> Opinion:
        units = {unit: share * strength for unit, strength in emotions.PROTOTYPES[emotion].items()}
        pixels = sitter.portrait(units)
        face = detect.face(pixels, yunet)
        assert face is not None
        return model.rate([model.prepare(Sight(pixels, face, landmarker))])[0]

    neutral = opinion("neutral", 1)
    measured = {f"blendshape_{action_units.snake(name)}" for name in NON_GAZE}
    assert set(intensity.blendshapes(neutral)) == measured
    measure = loaded("blendshape-change")
    found = [value(measure.derive(opinion("happy", share), neutral)) for share in (0.25, 0.5, 1.0)]
    assert found == sorted(found)
    assert found[2] > 2 * found[0] > 0


@pytest.mark.parametrize("source", ["emonet-8", "hsemotion", "deepface-emotion", "mini-xception"])
def test_not_neutral_is_what_is_left_of_neutral(source: str) -> None:
    opinion = Opinion((Score("emotion", label="sad"),), {"neutral": 0.3, "sad": 0.7})
    assert value(loaded(f"{source}-not-neutral").derive(opinion, None)) == pytest.approx(0.7)


@pytest.mark.parametrize("rater_id", [name for name in BY_ID if loaded(name).relative])
def test_the_neutral_itself_is_at_zero_and_no_reference_is_said(rater_id: str) -> None:
    measure = loaded(rater_id)
    own = Opinion((*said(0.2, -0.4).scores, *moved(jaw_open=0.3).scores))
    assert value(measure.derive(own, own)) == 0
    without = measure.derive(own, None)
    assert without.abstains
    assert "no reference is known" in without.reason


@pytest.mark.parametrize("rater_id", BY_ID)
def test_where_the_source_is_silent_so_is_the_measure_and_says_why(rater_id: str) -> None:
    measure = loaded(rater_id)
    silent = Opinion(reason="no landmarks")
    own = Opinion((*said(0.2, -0.4).scores, *moved(jaw_open=0.3).scores), {"neutral": 1.0})
    assert measure.derive(silent, own).reason == f"{measure.source} says nothing of this face: no landmarks"
    if measure.relative:
        reason = measure.derive(own, silent).reason
        assert reason == f"{measure.source} says nothing of the reference: no landmarks"


@pytest.mark.parametrize("declared", [one.declaration for one in BY_ID.values()], ids=lambda d: d.rater_id)
def test_every_measure_is_its_own_rater_of_intensity_with_a_zero(declared: Declaration) -> None:
    (gives,) = declared.gives
    assert (gives.scale_id, gives.low, gives.zero) == ("intensity", 0, 0)
    assert gives.units
    assert gives.high is not None
    full = loaded(declared.rater_id)
    own = Opinion((*said(1, 1).scores, *moved(jaw_open=1).scores), {"neutral": 0.0})
    far = Opinion((*said(-1, -1).scores, *moved(jaw_open=0).scores), {"neutral": 1.0})
    assert value(full.derive(own, far)) == pytest.approx(gives.high)
    assert full.derive(own, far).scores[0].scale_max == gives.high


def test_a_measure_is_bound_by_the_licence_of_the_weights_that_it_works_on() -> None:
    assert "NC-ND" in BY_ID["emonet-8-distance"].declaration.licence
    assert BY_ID["blendshape-change"].declaration.licence == "Apache-2.0"


def test_the_primary_measure_comes_first_and_the_weakest_last() -> None:
    assert list(BY_ID) == [
        "emonet-8-distance",
        "hsemotion-distance",
        "blendshape-change",
        "emonet-8-length",
        "hsemotion-length",
        "emonet-8-not-neutral",
        "hsemotion-not-neutral",
        "deepface-emotion-not-neutral",
        "mini-xception-not-neutral",
    ]
