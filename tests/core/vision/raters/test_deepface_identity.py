"""DeepFace's identity models as raters, on generated weights: Facenet512 in its true architecture.

The others run on a network of one layer with the right shape at both ends: exporting the true ones takes
from 5 to 30 s each. What differs between models (size, class, dimensions) is in the adapter and tested.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from core.vision import deep, deepface_crop
from core.vision.rater import Compute, Rater
from core.vision.raters import deepface_identity as module
from core.vision.raters.deepface_identity import Model
from core.vision.sight import Sight
from tests.core.vision import generated
from tests.core.vision.deepface_oracle import Oracle, oracle

# Our ids, DeepFace's names, and the files with the real weights.
THEIRS = {
    "deepface-vgg-face": ("VGG-Face", "vgg_face_weights.onnx"),
    "deepface-facenet": ("Facenet", "facenet_weights.onnx"),
    "deepface-facenet512": ("Facenet512", "facenet512_weights.onnx"),
    "deepface-arcface": ("ArcFace", "arcface_weights.onnx"),
    "deepface-sface": ("SFace", "face_recognition_sface_2021dec.onnx"),
    "deepface-ghostfacenet": ("GhostFaceNet", "ghostfacenet_v1.onnx"),
}
MODELS = {model.declaration.rater_id: model for model in module.MODELS}
TRUE = "deepface-facenet512"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    folder = tmp_path_factory.mktemp("deepface")
    weights = folder / ".deepface/weights"
    weights.mkdir(parents=True)
    for rater_id, (_, file) in THEIRS.items():
        declared = MODELS[rater_id].declaration
        if rater_id == TRUE:
            generated.true(weights, file)
        elif rater_id == "deepface-sface":
            # Channels first, one face at a time, 128 numbers: MobileFaceNet's file has SFace's shape.
            (weights / file).symlink_to(shared / "models" / "MobileFaceNet.onnx")
        else:
            generated.thin(weights, file, size=MODELS[rater_id].size_px, outputs=declared.dimensions)
    return folder


@pytest.fixture(scope="module")
def raters(home: Path) -> dict[str, Rater]:
    folder = home / ".deepface/weights"
    return {
        rater_id: module.build(MODELS[rater_id], folder / file, Compute())
        for rater_id, (_, file) in THEIRS.items()
    }


@pytest.fixture(scope="module")
def deepface(home: Path) -> Iterator[Oracle]:
    with oracle(home) as opened:
        yield opened


def embeddings(rater: Rater, sights: list[Sight]) -> np.ndarray:
    opinions = rater.rate([rater.prepare(sight) for sight in sights])
    return np.array([opinion.embedding for opinion in opinions])


@pytest.mark.parametrize("rater_id", THEIRS)
def test_with_generated_weights_embeddings_equal_deepface_represent_on_the_same_crops(
    raters: dict[str, Rater], deepface: Oracle, sights: list[Sight], rater_id: str
) -> None:
    found = embeddings(raters[rater_id], sights)
    assert np.abs(found[0] - found[1]).max() > 1e-3  # what is compared depends on the face
    for row, sight in zip(found, sights, strict=True):
        crop = deepface_crop.upright(sight.image, sight.face) / 255  # as represent gets it from its detector
        expected = deepface.represent(crop, None, THEIRS[rater_id][0])
        np.testing.assert_allclose(row, expected, atol=2e-5)


@pytest.mark.parametrize("rater_id", THEIRS)
def test_with_generated_weights_they_equal_deepface_represent_on_the_whole_picture_with_our_face(
    raters: dict[str, Rater], deepface: Oracle, sights: list[Sight], rater_id: str
) -> None:
    found = embeddings(raters[rater_id], sights)
    for row, sight in zip(found, sights, strict=True):
        expected = deepface.represent(sight.image, sight.face, THEIRS[rater_id][0])
        # The crops differ by the rounding of source places to 1/32 pixel (test_deepface_crop).
        assert row @ expected > 0.9999


@pytest.mark.parametrize("rater_id", THEIRS)
def test_with_generated_weights_an_embedding_has_length_one_and_the_declared_dimensions(
    raters: dict[str, Rater], sights: list[Sight], rater_id: str
) -> None:
    rater = raters[rater_id]
    (opinion,) = rater.rate([rater.prepare(sights[0])])
    assert opinion.embedding is not None
    assert (opinion.embedding.dtype, opinion.embedding.shape) == (
        np.float32,
        (rater.declaration.dimensions,),
    )
    assert np.linalg.norm(opinion.embedding) == pytest.approx(1, abs=1e-6)
    assert (opinion.scores, opinion.reason, opinion.abstains) == ((), "", False)


def test_with_generated_weights_a_batch_says_what_single_faces_say(
    raters: dict[str, Rater], sights: list[Sight]
) -> None:
    for rater in raters.values():
        single = np.concatenate([embeddings(rater, [sight]) for sight in sights])
        np.testing.assert_allclose(embeddings(rater, sights), single, atol=1e-5)


@pytest.mark.parametrize("model", module.MODELS, ids=lambda model: model.declaration.rater_id)
def test_sizes_dimensions_thresholds_and_files_are_the_package_s_own(model: Model) -> None:
    name, file = THEIRS[model.declaration.rater_id]
    theirs = deep.load("deepface.modules.modeling").get_model_class("facial_recognition", name)
    assert (theirs.__name__, theirs.__module__.rsplit(".", 1)[1]) == (model.client, model.module)
    thresholds = deep.load("deepface.config.threshold").thresholds
    assert model.declaration.threshold == thresholds[name]["cosine"]
    asked = _constructed(theirs)
    assert asked["files"] == [file]
    assert (model.size_px, model.size_px) == asked["client"].input_shape
    assert model.declaration.dimensions == asked["client"].output_shape


def _constructed(theirs: Any) -> dict[str, Any]:
    """What the package's constructor asks for and sets, given a network of any shape."""
    files: list[str] = []

    def build_session(file_name: str, source_url: Any) -> None:
        files.append(file_name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{theirs.__module__}.build_session", build_session)
        client = theirs()
    return {"files": files, "client": client}


def test_without_points_the_face_is_not_turned_and_the_reason_says_so(
    raters: dict[str, Rater], sights: list[Sight]
) -> None:
    rater, sight = raters[TRUE], sights[0]
    bare = Sight(sight.image, replace(sight.face, points=()))
    (opinion,) = rater.rate([rater.prepare(bare)])
    assert "not turned upright" in opinion.reason
    assert not opinion.abstains


def test_a_black_face_that_gives_no_direction_is_an_abstention(tmp_path: Path, sights: list[Sight]) -> None:
    model = MODELS["deepface-ghostfacenet"]
    path = generated.thin(tmp_path, "ghostfacenet_v1.onnx", size=112, outputs=512)
    rater = module.build(model, path, Compute())
    black = replace(sights[0], image=np.zeros_like(sights[0].image))
    seen, unseen = rater.rate([rater.prepare(sights[0]), rater.prepare(black)])
    assert unseen.abstains
    assert "direction" in unseen.reason
    assert not seen.abstains


def test_eight_threads_share_one_network_and_leave_the_package_s_store_alone(
    raters: dict[str, Rater], deepface: Oracle, sights: list[Sight]
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    rater = raters["deepface-ghostfacenet"]
    deepface.stored["facial_recognition"].clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: embeddings(rater, sights), range(16)))
    assert all(np.array_equal(one, found[0]) for one in found)
    assert not deepface.stored["facial_recognition"]


def test_a_first_seen_file_is_found_by_its_name_and_recorded(home: Path) -> None:
    model = MODELS["deepface-ghostfacenet"]
    folder = home / ".deepface/weights"
    rater = module.load(model, [folder], Compute())
    assert rater.weights_sha256 == module.weights.checksum(folder / "ghostfacenet_v1.onnx")


def test_without_its_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    for entry in module.ENTRIES:
        with pytest.raises(ModelError, match=f"facenorm models fetch {entry.declaration.rater_id}"):
            entry.load([tmp_path], Compute())
