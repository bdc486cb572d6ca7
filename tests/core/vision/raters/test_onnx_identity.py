"""Identity models in ONNX files: MobileFaceNet with its real weights on real people, and a lab's own."""

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ModelError
from core.settings import PROJECT
from core.vision import detect, image, mesh, weights
from core.vision.detect import Detector
from core.vision.rater import Compute, Rater
from core.vision.raters import onnx_identity as module
from core.vision.sight import Sight
from tests.core.vision import generated

# ../shared/README.md says who is who.
PEOPLE = {
    "img5.jpg": "a", "img6.jpg": "a", "img10.jpg": "a", "img11.jpg": "a",
    "img3.jpg": "b", "img12.jpg": "b",
    "img8.jpg": "c", "img9.jpg": "c",
    "emonet_example.png": "d",
}  # fmt: skip
DOCS = (PROJECT / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rater(folders: list[Path]) -> Rater:
    return module.ENTRIES[0].load(folders, Compute())


@pytest.fixture(scope="module")
def sights(faces: dict[str, bytes], yunet: Detector) -> list[Sight]:
    found = []
    for name in PEOPLE:
        pixels = image.read(faces[name])
        face = detect.face(pixels, yunet)
        assert face is not None
        found.append(Sight(pixels, face))
    return found


def similarities(rater: Rater, sights: list[Sight]) -> np.ndarray:
    opinions = rater.rate([rater.prepare(sight) for sight in sights])
    rows = np.array([opinion.embedding for opinion in opinions])
    return rows @ rows.T


def within_and_between(similar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    who = np.array(list(PEOPLE.values()))
    pairs = np.triu_indices(len(who), 1)
    same = (who[:, None] == who)[pairs]
    return similar[pairs][same], similar[pairs][~same]


def test_mobilefacenet_tells_real_people_apart(rater: Rater, sights: list[Sight]) -> None:
    similar = similarities(rater, sights)
    within, between = within_and_between(similar)
    assert (len(within), len(between)) == (8, 28)
    # Measured before this code was written: same person .47 to .87, different people -.13 to .22.
    assert 0.45 < within.min() < within.max() < 0.9
    assert -0.15 < between.min() < between.max() < 0.25
    who = np.array(list(PEOPLE.values()))
    nearest = np.argmax(similar - 2 * np.eye(len(who)), axis=1)
    several = np.isin(who, ["a", "b", "c"])  # d has one picture, so nobody to be found
    assert (who[nearest] == who)[several].all()


def test_mobilefacenet_on_the_landmarks_points_tells_them_apart_as_well(
    rater: Rater, sights: list[Sight], folders: list[Path]
) -> None:
    landmarker = mesh.open_landmarker(folders)
    bare = [Sight(sight.image, replace(sight.face, points=()), landmarker) for sight in sights]
    within, between = within_and_between(similarities(rater, bare))
    assert within.min() > between.max() + 0.2
    assert "landmarks were taken" in rater.rate([rater.prepare(bare[0])])[0].reason


def test_a_face_without_points_and_landmarks_is_an_abstention_among_the_others(
    rater: Rater, sights: list[Sight]
) -> None:
    bare = Sight(sights[1].image, replace(sights[1].face, points=(), detector="haar"))
    prepared = [rater.prepare(sight) for sight in (sights[0], bare, sights[2])]
    first, middle, last = rater.rate(prepared)
    assert middle.abstains
    assert "haar gives none" in middle.reason
    assert rater.rate([prepared[1]])[0].abstains
    assert first.embedding is not None
    assert last.embedding is not None
    alone = rater.rate([prepared[2]])[0].embedding
    np.testing.assert_allclose(last.embedding, alone, atol=1e-6)


def test_an_embedding_has_length_one_and_no_scores(rater: Rater, sights: list[Sight]) -> None:
    (opinion,) = rater.rate([rater.prepare(sights[0])])
    assert opinion.embedding is not None
    assert (opinion.embedding.dtype, opinion.embedding.shape) == (np.float32, (128,))
    assert np.linalg.norm(opinion.embedding) == pytest.approx(1, abs=1e-6)
    assert (opinion.scores, opinion.reason) == ((), "")


def mean_colour(folder: Path, name: str = "own.onnx", outputs: int = 3) -> Path:
    """A network whose embedding is the mean of each channel of what it is given."""

    class Mean(nn.Module):
        def forward(self, faces: torch.Tensor) -> torch.Tensor:
            return faces.mean(dim=(2, 3))[:, :outputs]

    return generated.export(Mean(), folder / name, (3, 16, 16), ["y"])


def own(folder: Path, **changed: object) -> Path:
    """A lab's file with one model, whose ONNX file lies in the folder."""
    path = mean_colour(folder)
    table = {
        "title": "Own", "file": path.name, "sha256": weights.checksum(path), "size_px": 16, "colour": "rgb",
        "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "alignment": "box", "dimensions": 3, "licence": "-",
        "citation": "-", "trained_on": "-", "limits": "-", **changed,
    }  # fmt: skip
    kept = {key: value for key, value in table.items() if value is not None}
    lines = (
        f"{key} = {str(value).lower() if isinstance(value, bool) else value!r}" for key, value in kept.items()
    )
    file = folder / "own.toml"
    file.write_text("\n".join(["[own]", *lines]), encoding="utf-8")
    return file


def loaded(folder: Path, **changed: object) -> Rater:
    return module.entries(str(own(folder, **changed)))[-1].load([folder], Compute())


def coloured(red: int, green: int, blue: int) -> Sight:
    picture = np.broadcast_to(np.uint8([red, green, blue]), (60, 60, 3))
    face = replace(generated.FACE, x=10, y=10, width=40, height=40)
    return Sight(np.ascontiguousarray(picture), face)


@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_a_lab_s_own_network_gets_its_colours_mean_and_std(tmp_path: Path, colour: str) -> None:
    rater = loaded(tmp_path, colour=colour, mean=[0.1, 0.2, 0.3], std=[1.0, 2.0, 4.0])
    (opinion,) = rater.rate([rater.prepare(coloured(255, 102, 51))])
    pixels = np.array([1.0, 0.4, 0.2])[:: 1 if colour == "rgb" else -1]
    expected = (pixels - [0.1, 0.2, 0.3]) / [1, 2, 4]
    np.testing.assert_allclose(opinion.embedding, expected / np.linalg.norm(expected), atol=1e-6)


def test_the_norm_is_a_score_of_its_own_where_it_says_quality(tmp_path: Path) -> None:
    rater = loaded(tmp_path, norm_is_quality=True)
    assert [gives.scale_id for gives in rater.declaration.gives] == ["quality"]
    bright, dim = rater.rate([rater.prepare(coloured(*[value] * 3)) for value in (255, 51)])
    assert bright.scores[0].value == pytest.approx(np.sqrt(3))
    assert dim.scores[0].value == pytest.approx(np.sqrt(3) / 5)
    np.testing.assert_allclose(bright.embedding, dim.embedding, atol=1e-6)
    assert rater.rate([rater.prepare(coloured(0, 0, 0))])[0].abstains


def test_another_file_is_another_version(tmp_path: Path) -> None:
    file = own(tmp_path)
    (entry,) = [entry for entry in module.entries(str(file)) if entry.declaration.rater_id == "own"]
    assert entry.declaration.version == f"1 {weights.checksum(tmp_path / 'own.onnx')[:12]}"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"colour": "grey"}, "colour"),
        ({"mean": [0.5]}, "mean"),
        ({"dimensions": None}, "dimensions"),
        ({"sha256": "abc"}, "sha256"),
        ({"sha256": None}, "both 'file' and 'sha256'"),
        ({"weights": "mobilefacenet"}, "either 'weights'"),
        ({"tresholdd": 1}, "tresholdd"),
    ],
)
def test_a_wrong_table_is_an_error_that_names_it(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelError, match=rf"own\.toml: \[own\].*{said}"):
        module.entries(str(own(tmp_path, **changed)))


def test_a_name_that_is_taken_or_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    file = own(tmp_path)
    file.write_text(file.read_text().replace("[own]", "[mobilefacenet]"))
    with pytest.raises(ModelError, match="mobilefacenet is there already"):
        module.entries(str(file))
    file.write_text("[own")
    with pytest.raises(ModelError, match="cannot be read as TOML"):
        module.entries(str(file))
    with pytest.raises(ModelError, match="cannot be read as TOML"):
        module.entries(str(tmp_path / "missing.toml"))


def test_a_network_that_is_missing_or_other_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="should give 5"):
        loaded(tmp_path, dimensions=5)
    entry = module.entries(str(own(tmp_path)))[-1]
    mean_colour(tmp_path, outputs=2)
    with pytest.raises(ModelError, match=r"own\.onnx is not own: found sha256"):
        entry.load([tmp_path], Compute())
    (tmp_path / "own.onnx").unlink()
    with pytest.raises(ModelError, match=r"needs the file own\.onnx"):
        entry.load([tmp_path], Compute())


def test_the_variable_names_the_file_and_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from core.vision.raters import deepface_attributes, deepface_emotion, deepface_identity\n"
        "from core.vision.raters import onnx_identity\n"
        "print([entry.declaration.rater_id for entry in onnx_identity.ENTRIES])\n"
        "print([name for name in ('torch', 'onnxruntime', 'deepface', 'mediapipe') if name in sys.modules])"
    )
    environment = {"PATH": "", "FACENORM_IDENTITY_MODELS": str(own(tmp_path))}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == ["['mobilefacenet', 'own']", "[]"]


def test_the_documented_examples_are_models(tmp_path: Path, sights: list[Sight]) -> None:
    # Generated weights: one layer of the right shape in place of AdaFace and MagFace.
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example is not None
    tables = tomllib.loads(example[1])
    assert set(tables) == {"adaface-ir101", "magface-ir100"}
    text = example[1]
    for name, table in tables.items():
        inner = nn.Sequential(nn.AvgPool2d(14), nn.Flatten(), nn.Linear(3 * 64, table["dimensions"]))
        path = generated.export(generated.filled(inner), tmp_path / table["file"], (3, 112, 112), ["y"])
        text = text.replace(table["sha256"], weights.checksum(path))
        assert name in DOCS
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    found = {entry.declaration.rater_id: entry for entry in module.entries(str(tmp_path / "own.toml"))}
    for name, scales in (("adaface-ir101", []), ("magface-ir100", ["quality"])):
        rater = found[name].load([tmp_path], Compute())
        (opinion,) = rater.rate([rater.prepare(sights[0])])
        assert opinion.embedding is not None
        assert opinion.embedding.shape == (rater.declaration.dimensions,)
        assert [score.scale_id for score in opinion.scores] == scales
