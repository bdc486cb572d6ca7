"""Action Unit proxies as a rater and a comparer, on real portraits."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import ModelError
from core.vision import action_units, detect, image, overlay
from core.vision.detect import Detector
from core.vision.mesh import MediaPipe
from core.vision.rater import Compute
from core.vision.raters import action_units as module
from core.vision.raters import intensity
from core.vision.sight import Sight


@pytest.fixture(scope="module")
def sights(faces: dict[str, bytes], landmarker: MediaPipe, yunet: Detector) -> dict[str, Sight]:
    found = {}
    for name in ("img5.jpg", "img6.jpg", "img8.jpg"):
        pixels = image.read(faces[name])
        face = detect.face(pixels, yunet)
        assert face is not None
        found[name] = Sight(pixels, face, landmarker)
    return found


@pytest.fixture(scope="module")
def rater(folders: list[Path]) -> module.Rater:
    return module.load(folders, Compute())


@pytest.fixture(scope="module")
def comparer(folders: list[Path]) -> module.Comparer:
    return module.load_change(folders, Compute())


@pytest.mark.parametrize("declared", [module.DECLARATION, module.CHANGE])
def test_the_declaration_calls_them_proxies(declared: module.Declaration) -> None:
    assert "prox" in declared.title.lower()
    assert "not FACS codes" in declared.limits
    assert "R2 .24" in declared.limits
    assert "FACS score" not in f"{declared.title} {declared.limits}"
    codes = [gives.scale_id for gives in declared.gives]
    assert len(set(codes)) == len(codes)
    for code in codes:
        assert len(code) <= 40
        assert code.replace("_", "").isalnum()
        assert code == code.lower()


def test_every_declared_scale_is_answered_within_its_bounds(
    rater: module.Rater, sights: dict[str, Sight]
) -> None:
    for opinion in rater.rate([rater.prepare(sight) for sight in sights.values()]):
        assert not opinion.abstains
        for score, gives in zip(opinion.scores, module.DECLARATION.gives, strict=True):
            assert score.scale_id == gives.scale_id
            assert (score.scale_min, score.scale_max) == (gives.low, gives.high)
            assert score.value is not None
            assert gives.low is not None
            assert gives.high is not None
            assert gives.low <= score.value <= gives.high


def test_values_stand_under_their_own_scales(rater: module.Rater, sights: dict[str, Sight]) -> None:
    mesh = sights["img8.jpg"].mesh
    assert mesh is not None
    found = {score.scale_id: score.value for score in rater.prepare(sights["img8.jpg"]).scores}
    shapes = mesh.blendshapes
    left, right = shapes["mouthSmileLeft"], shapes["mouthSmileRight"]
    assert found["blendshape_mouth_smile_left"] == left
    assert found["blendshape_neutral"] == shapes["_neutral"]
    assert found["au12"] == pytest.approx((left + right) / 2)
    assert found["au12_asymmetry"] == pytest.approx(left - right)
    assert found["au26"] == shapes["jawOpen"]
    assert found["head_yaw"] == action_units.head(mesh).yaw
    assert found["gaze_pitch"] == action_units.gaze(mesh).pitch
    assert sum(code.startswith("blendshape_") for code in found) == 52


def test_the_change_of_blendshapes_leaves_out_the_gaze_of_this_rater(
    rater: module.Rater, sights: dict[str, Sight]
) -> None:
    used = intensity.blendshapes(rater.prepare(sights["img5.jpg"]))
    assert set(used) == {f"blendshape_{action_units.snake(name)}" for name in action_units.NON_GAZE}


def test_without_landmarks_it_abstains_and_says_why(rater: module.Rater, sights: dict[str, Sight]) -> None:
    sight = sights["img5.jpg"]
    grey = np.full_like(sight.image, 128)
    for without, reason in (
        (Sight(sight.image, sight.face), module.NO_LANDMARKER),
        (Sight(grey, sight.face, sight.landmarker), module.NO_MESH),
    ):
        (opinion,) = rater.rate([rater.prepare(without)])
        assert opinion.abstains
        assert opinion.reason == reason


def test_a_picture_beside_itself_did_not_move(comparer: module.Comparer, sights: dict[str, Sight]) -> None:
    opinion = comparer.compare(sights["img6.jpg"], sights["img6.jpg"])
    assert [score.value for score in opinion.scores] == [0.0] * len(action_units.UNITS)
    with Image.open(io.BytesIO(opinion.pictures["overlay"])) as drawn:
        assert drawn.width == overlay.SIDE_PX


def test_changes_are_the_differences_of_the_proxies(
    rater: module.Rater, comparer: module.Comparer, sights: dict[str, Sight]
) -> None:
    here, there = (
        {score.scale_id: score.value or 0.0 for score in rater.prepare(sights[name]).scores}
        for name in ("img8.jpg", "img6.jpg")
    )
    opinion = comparer.compare(sights["img8.jpg"], sights["img6.jpg"])
    found = {score.scale_id: score.value for score in opinion.scores}
    assert found == {
        f"au{unit.number}_change": pytest.approx(here[f"au{unit.number}"] - there[f"au{unit.number}"])
        for unit in action_units.UNITS
    }
    backwards = comparer.compare(sights["img6.jpg"], sights["img8.jpg"]).scores
    assert [-(score.value or 0.0) for score in backwards] == pytest.approx(list(found.values()))


def test_a_comparison_without_landmarks_says_on_which_side(
    comparer: module.Comparer, sights: dict[str, Sight]
) -> None:
    sight = sights["img5.jpg"]
    without = Sight(np.full_like(sight.image, 128), sight.face, sight.landmarker)
    assert comparer.compare(without, sight).reason == module.NO_MESH
    opinion = comparer.compare(sight, without)
    assert opinion.abstains
    assert not opinion.pictures
    assert opinion.reason == f"the reference: {module.NO_MESH}"


@pytest.mark.parametrize("load", [module.load, module.load_change])
def test_without_its_weights_it_says_how_to_get_them(load: module.Entry, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facenorm models fetch face-landmarker"):
        load([tmp_path], Compute())


def test_it_knows_the_checksum_of_the_landmarker(rater: module.Rater, landmarker: MediaPipe) -> None:
    assert rater.weights_sha256 == landmarker.sha256


def test_a_unit_s_letter_stands_beside_its_number_and_beside_no_other_scale(
    faces: dict[str, bytes], folders: list[Path]
) -> None:
    from core.vision import action_units, rate

    (found,) = rate([faces["img9.jpg"]], ["action-units"], detector="yunet", folders=folders)
    units = {score.scale_id: score for score in found.scores if score.scale_id in {"au12", "au43", "au26"}}
    assert units["au12"].label in {"C", "D", "E"}  # a broad smile
    assert all((one.label or "") == action_units.letter(one.value or 0) for one in units.values())
    others = [score for score in found.scores if not score.scale_id.removeprefix("au").isdigit()]
    assert {score.label for score in others} == {None}
