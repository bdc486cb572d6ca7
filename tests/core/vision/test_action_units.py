"""action_units: names, signs and letters on real portraits and on their mirror images."""

import dataclasses

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

from core.vision import action_units, detect, image
from core.vision.action_units import BLENDSHAPES, GAZE, NON_GAZE, UNITS
from core.vision.detect import Detector
from core.vision.image import Pixels
from core.vision.mesh import MediaPipe, Mesh

TURNED_DEG = 15.0


def see(pixels: Pixels, landmarker: MediaPipe, yunet: Detector) -> Mesh:
    face = detect.face(pixels, yunet)
    assert face is not None
    found = landmarker.mesh(pixels, face)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def portraits(faces: dict[str, bytes]) -> dict[str, Pixels]:
    return {name: image.read(content) for name, content in faces.items() if name != "couple.jpg"}


@pytest.fixture(scope="module")
def meshes(portraits: dict[str, Pixels], landmarker: MediaPipe, yunet: Detector) -> dict[str, Mesh]:
    return {name: see(pixels, landmarker, yunet) for name, pixels in portraits.items()}


@pytest.fixture(scope="module")
def mirrored(portraits: dict[str, Pixels], landmarker: MediaPipe, yunet: Detector) -> dict[str, Mesh]:
    flipped = {name: np.ascontiguousarray(pixels[:, ::-1]) for name, pixels in portraits.items()}
    return {name: see(pixels, landmarker, yunet) for name, pixels in flipped.items()}


def test_the_names_are_those_that_the_model_gives(meshes: dict[str, Mesh]) -> None:
    given = meshes["img6.jpg"].blendshapes
    assert set(BLENDSHAPES) == set(given)
    assert len(BLENDSHAPES) == 52
    assert len(NON_GAZE) == 43
    assert set(NON_GAZE) | set(GAZE) | {action_units.RESTING} == set(given)
    assert not set(NON_GAZE) & set(GAZE)
    used = {f"{name}{side}" for unit in UNITS for name in unit.shapes for side in ("", "Left", "Right")}
    assert all(unit.shapes for unit in UNITS if unit.number != 25)
    assert (
        sum(name in given for name in used) == sum(len(unit.shapes) * (1 + unit.sided) for unit in UNITS) - 2
    )


@pytest.mark.parametrize("name", ["img3.jpg", "img6.jpg", "img8.jpg", "img9.jpg", "img12.jpg"])
def test_smiling_faces_pull_their_lip_corners(name: str, meshes: dict[str, Mesh]) -> None:
    found = action_units.intensities(meshes[name])
    assert found[12] > 0.3
    assert found[12] == max(found.values())


def test_lips_part_where_teeth_are_seen(meshes: dict[str, Mesh]) -> None:
    gaps = {name: action_units.intensities(mesh)[25] for name, mesh in meshes.items()}
    assert {name for name, gap in gaps.items() if gap > 0.3} == {"img8.jpg", "img9.jpg"}
    assert max(gap for name, gap in gaps.items() if name not in {"img8.jpg", "img9.jpg"}) < 0.1


def test_a_mirror_swaps_the_sides_of_the_face(meshes: dict[str, Mesh], mirrored: dict[str, Mesh]) -> None:
    here = np.array([list(action_units.asymmetries(mesh).values()) for mesh in meshes.values()])
    there = np.array([list(action_units.asymmetries(mesh).values()) for mesh in mirrored.values()])
    # The network was trained on both, but is no exact mirror of itself: sign and size, not digits.
    clear = np.abs(here - there) > 0.2
    assert clear.sum() >= 5
    assert (np.sign(here[clear]) == -np.sign(there[clear])).mean() > 0.9
    whole = [
        [list(action_units.intensities(mesh).values()) for mesh in seen.values()]
        for seen in (meshes, mirrored)
    ]
    assert np.abs(np.subtract(*whole)).mean() < 0.04


def test_a_mirror_turns_head_and_gaze_the_other_way(
    meshes: dict[str, Mesh], mirrored: dict[str, Mesh]
) -> None:
    for name, mesh in meshes.items():
        head, other = action_units.head(mesh), action_units.head(mirrored[name])
        assert head.yaw == pytest.approx(-other.yaw, abs=3)
        assert head.roll == pytest.approx(-other.roll, abs=2)
        assert head.pitch == pytest.approx(other.pitch, abs=3)


def test_turning_the_picture_clockwise_raises_roll_by_as_much(
    portraits: dict[str, Pixels], meshes: dict[str, Mesh], landmarker: MediaPipe, yunet: Detector
) -> None:
    for name in ("img6.jpg", "img11.jpg"):
        pixels = portraits[name]
        middle = (pixels.shape[1] / 2, pixels.shape[0] / 2)
        turn = cv2.getRotationMatrix2D(middle, -TURNED_DEG, 1)  # OpenCV's angles are anticlockwise
        turned = cv2.warpAffine(pixels, turn, pixels.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        before, after = (action_units.head(mesh) for mesh in (meshes[name], see(turned, landmarker, yunet)))
        assert after.roll - before.roll == pytest.approx(TURNED_DEG, abs=2)


def test_roll_is_the_slope_of_yunets_eyes(
    portraits: dict[str, Pixels], meshes: dict[str, Mesh], yunet: Detector
) -> None:
    for name, pixels in portraits.items():
        face = detect.face(pixels, yunet)
        assert face is not None
        (right_x, right_y), (left_x, left_y) = face.points[:2]
        slope = np.degrees(np.arctan2(left_y - right_y, left_x - right_x))
        assert action_units.head(meshes[name]).roll == pytest.approx(slope, abs=4)


def test_a_mirror_turns_a_clear_gaze_the_other_way(
    meshes: dict[str, Mesh], mirrored: dict[str, Mesh]
) -> None:
    both = [(action_units.gaze(mesh), action_units.gaze(mirrored[name])) for name, mesh in meshes.items()]
    clear = [(here, there) for here, there in both if abs(here.yaw) > 0.3]
    assert len(clear) >= 3
    assert all(np.sign(here.yaw) == -np.sign(there.yaw) for here, there in clear)
    assert np.mean([abs(here.yaw + there.yaw) for here, there in both]) < 0.25  # documented
    assert np.mean([abs(here.pitch - there.pitch) for here, there in both]) < 0.1


def test_yaw_ranks_as_the_place_of_yunets_nose_between_the_eyes(
    portraits: dict[str, Pixels], meshes: dict[str, Mesh], yunet: Detector
) -> None:
    found, expected = [], []
    for name, pixels in portraits.items():
        face = detect.face(pixels, yunet)
        assert face is not None
        points = np.array(face.points)
        down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
        across = np.array([down[1], -down[0]])  # to the picture's right
        expected.append((points[2] - points[:2].mean(axis=0)) @ across / (down @ down))
        found.append(action_units.head(meshes[name]).yaw)
    assert spearmanr(found, expected).statistic > 0.7


def test_looking_up_takes_the_forehead_back(meshes: dict[str, Mesh]) -> None:
    # The points' own depth, which the matrix of the pose does not contain; smaller is nearer.
    forehead, chin = 10, 152
    lean = [
        np.degrees(np.arctan2(*(mesh.points[forehead] - mesh.points[chin])[[2, 1]] * (1, -1)))
        for mesh in meshes.values()
    ]
    assert spearmanr([action_units.head(mesh).pitch for mesh in meshes.values()], lean).statistic > 0.8


def test_the_woman_of_the_couple_turns_right_and_looks_back(
    faces: dict[str, bytes], landmarker: MediaPipe, yunet: Detector
) -> None:
    # Seen by eye: her head is turned to the picture's right and tips left, her eyes are on the camera.
    pixels = image.read(faces["couple.jpg"])[:, :1000]
    mesh = see(pixels, landmarker, yunet)
    head, gaze = action_units.head(mesh), action_units.gaze(mesh)
    assert 10 < head.yaw < 40
    assert head.roll < -5
    assert gaze.yaw < -0.4


def test_gaze_looks_where_the_coefficients_say(meshes: dict[str, Mesh]) -> None:
    still = dict.fromkeys(BLENDSHAPES, 0.0)
    up = {**still, "eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0}
    right = {**still, "eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}
    looks = [
        action_units.gaze(dataclasses.replace(meshes["img6.jpg"], blendshapes=shapes))
        for shapes in (still, up, right)
    ]
    assert [(look.pitch, look.yaw) for look in looks] == [(0, 0), (1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("intensity", "letter"),
    [
        (0, ""),
        (0.09, ""),
        (0.1, "A"),
        (0.2, "B"),
        (0.35, "C"),
        (0.64, "C"),
        (0.65, "D"),
        (0.9, "E"),
        (1, "E"),
    ],
)
def test_letters_begin_where_the_documentation_says(intensity: float, letter: str) -> None:
    assert action_units.letter(intensity) == letter


def test_names_become_codes() -> None:
    codes = [action_units.snake(name) for name in BLENDSHAPES]
    assert action_units.snake("mouthSmileLeft") == "mouth_smile_left"
    assert action_units.snake("_neutral") == "neutral"
    assert len(set(codes)) == 52
