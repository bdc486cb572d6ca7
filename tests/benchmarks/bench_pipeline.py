"""Facenorm's pipeline against the obvious loop over DeepFace and EmoNet, on 60 drawn faces of 1024 x 1024.

The loop: DeepFace.verify for each neutral-expression pair and model, DeepFace.analyze for each picture,
EmoNet one picture at a time. Both arms read the same files, use the same networks and average EmoNet over
the mirror image. The networks have their true architectures and generated weights: RetinaFace then finds
nobody, so both arms run it for its cost and take the face that YuNet found. SFace's architecture is not in
DeepFace: MobileFaceNet's file, of the same shape at both ends, stands for it in both arms.

Run: python tests/benchmarks/bench_pipeline.py [--identities 10] [--rounds 2] [--weights FOLDER]
The loop runs on the pictures of so many identities (2 if not said: all ten take a quarter of an hour), and
times are compared per picture; nothing is extrapolated. Where the machine has other work to do, wall times
say little: run it on one core (taskset -c 0) and compare CPU times, which are printed, too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("FACENORM_SHARED") or ROOT.parent / "shared")
sys.path.insert(0, str(ROOT))

from core.cli.rate import ALLOCATOR

SIDE_PX, IDENTITIES, CHUNK = 1024, 10, 16
MODELS = {  # DeepFace's name: our rater, the file
    "VGG-Face": ("deepface-vgg-face", "vgg_face_weights.onnx"),
    "Facenet": ("deepface-facenet", "facenet_weights.onnx"),
    "Facenet512": ("deepface-facenet512", "facenet512_weights.onnx"),
    "ArcFace": ("deepface-arcface", "arcface_weights.onnx"),
    "SFace": ("deepface-sface", "face_recognition_sface_2021dec.onnx"),
    "GhostFaceNet": ("deepface-ghostfacenet", "ghostfacenet_v1.onnx"),
}
EMOTION = "facial_expression_model_weights.onnx"


class Clock:
    """Wall and CPU seconds of what it surrounds, summed up."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def __enter__(self):
        self.began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall += time.perf_counter() - self.began[0]
        self.cpu += time.process_time() - self.began[1]


class Counted:
    """A session of onnxruntime that counts the pictures that pass."""

    def __init__(self, session, name, passes):
        self.session, self.name, self.passes = session, name, passes

    def get_inputs(self):
        return self.session.get_inputs()

    def get_outputs(self):
        return self.session.get_outputs()

    def run(self, outputs, inputs):
        self.passes[self.name] += len(next(iter(inputs.values())))
        return self.session.run(outputs, inputs)


def drawn(folder):
    """Ten people with six expressions each, as PNG files: by person, the neutral first."""
    import cv2
    import numpy as np

    from core.faces import demo, emotions, render

    people = [*demo.cast(1), *demo.cast(2)][:IDENTITIES]
    paths = []
    for number, who in enumerate(people):
        rng = np.random.default_rng(number)
        for emotion in demo.EMOTIONS:
            path = folder / f"{number:02}_{emotion}.png"
            if not path.exists():
                pixels = render.face(who, emotions.prescribe(emotion, rng), size=512)
                large = cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
                cv2.imwrite(str(path), large[..., ::-1])
            paths.append(path)
    return [paths[start : start + 6] for start in range(0, len(paths), 6)]


def generated_weights(home):
    """DeepFace's folder of weights, filled where a file is missing."""
    from deepface.models.facial_recognition.pytorch import VGGFace

    from tests.core.vision import generated

    folder = home / ".deepface" / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (EMOTION, *(file for _, file in MODELS.values()), "retinaface.onnx"):
        if (folder / file).exists():
            continue
        print(f"generating {file}", flush=True)
        made = Path(tempfile.mkdtemp(dir=home))
        if file == MODELS["SFace"][1]:
            path = made / file
            path.symlink_to(SHARED / "models" / "MobileFaceNet.onnx")
        elif file == "retinaface.onnx":
            path = generated.retinaface(made)
        elif file == "vgg_face_weights.onnx":
            network = VGGFace.VggFaceDescriptor(generated.filled(VGGFace.base_model()))
            path = generated.export(generated.ChannelsLast(network), made / file, (224, 224, 3), ["y"])
        else:
            path = generated.true(made, file)
        path.rename(folder / file)
    return folder


def print_of(pixels, border=0):
    """A few pixels by which a picture is known again."""
    return pixels[border : border + SIDE_PX : 61, border : border + SIDE_PX : 61].tobytes()


def found_by_yunet(paths):
    """The face of each picture, by its print in RGB."""
    from core import settings
    from core.vision import detect, image, registry

    yunet = registry.detector("yunet", [SHARED / "models", *settings.load().model_folders])
    faces = {}
    for path in paths:
        pixels = image.read(path.read_bytes())
        face = detect.face(pixels, yunet)
        if face is None:
            sys.exit(f"YuNet finds no face in {path.name}")
        faces[print_of(pixels)] = face
    return faces


class Priced:
    """DeepFace's RetinaFace for its cost; the answer is the known face."""

    def __init__(self, inner, faces, region):
        self.inner, self.faces, self.region = inner, faces, region

    def detect_faces(self, img):
        self.inner.detect_faces(img)
        border = img.shape[0] // 4  # DeepFace put black around the picture
        face = self.faces[print_of(img[..., ::-1], border)]
        right, left = ((int(x) + border, int(y) + border) for x, y in face.points[:2])
        box = (int(face.x) + border, int(face.y) + border, int(face.width), int(face.height))
        return [self.region(*box, left_eye=left, right_eye=right, confidence=0.9)]


def loop(people, faces, network, passes):
    """The time of the obvious loop, its models loaded before."""
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules import modeling

    clients = {name: modeling.build_model("facial_recognition", name) for name in MODELS}
    clients["emotion"] = modeling.build_model("facial_attribute", "Emotion")
    for name, client in clients.items():
        client.model = Counted(client.model, name, passes)
    detector = modeling.build_model("face_detector", "retinaface")
    detector.model.session = Counted(detector.model.session, "RetinaFace", passes)
    modeling.cached_models["face_detector"]["retinaface"] = Priced(detector, faces, FacialAreaRegion)

    clock = Clock()
    for neutral, *edits in people:
        with clock:
            _person(neutral, edits, faces, network)
        passes["EmoNet"] += 2 * (1 + len(edits))
    return clock


def _person(neutral, edits, faces, network):
    from deepface import DeepFace

    for edit in edits:
        for name in MODELS:
            DeepFace.verify(str(neutral), str(edit), name, detector_backend="retinaface")
    for path in (neutral, *edits):
        DeepFace.analyze(str(path), actions=["emotion"], detector_backend="retinaface", silent=True)
        _emonet(path, faces, network)


def _emonet(path, faces, network):
    """The mean over one picture and its mirror image."""
    import torch

    from core.vision import align, image
    from core.vision.raters import emonet

    pixels = image.read(path.read_bytes())
    face = faces[print_of(pixels)]
    centre = (face.x + face.width / 2, face.y + face.height / 2)
    side = (face.width + face.height) * emonet.CROP_SCALE
    crop = align.zero_bordered(pixels, centre, side, size_px=emonet.SIZE_PX)
    picture = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        return (network(picture) + network(picture.flip(3))) / 2


def models(folder, faces, network, passes):
    """Facenorm's detector and raters on the same weights."""
    from core.records import RaterKey
    from core.vision.deepface_detect import RetinaFace
    from core.vision.detect import Box, shrink
    from core.vision.models import Models
    from core.vision.rater import Compute
    from core.vision.raters import deepface_emotion, deepface_identity, emonet

    class Known(RetinaFace):
        """RetinaFace for its cost, at the scale where it finds portraits; the answer is the known face."""

        def detect(self, image):
            self._at_scale(shrink(image, self.longer_px[0])[0], 1.0)
            passes["RetinaFace"] += 1
            face = faces[print_of(image)]
            return (Box(face.x, face.y, face.width, face.height, face.score, face.points),)

    offered = {model.declaration.rater_id: model for model in deepface_identity.MODELS}
    raters = {
        rater_id: deepface_identity.build(offered[rater_id], folder / file, Compute(), "generated")
        for rater_id, file in MODELS.values()
    }
    raters["deepface-emotion"] = deepface_emotion.build(folder / EMOTION, Compute(), "generated")
    for name, rater in raters.items():
        rater.client.model = Counted(rater.client.model, name, passes)
    raters["emonet-8"] = emonet.Rater(emonet.EIGHT, network, "generated")
    keys = {name: RaterKey(name, "1", "generated", "retinaface") for name in raters}
    return Models(keys, Known(folder / "retinaface.onnx", "generated"), raters, {}, None)


def chunks(paths):
    return [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]


def pipeline(loaded, paths):
    """The time of Facenorm, from files to opinions."""
    from core.vision import run

    clock = Clock()
    for chunk in chunks(paths):
        with clock:
            tasks = [run.Task(path.name, path.read_bytes(), tuple(loaded.raters)) for path in chunk]
            looked = run.look(loaded, tasks)
        bad = [result for one in looked for result in one.results if result.status != "ok"]
        if bad:
            sys.exit(f"{bad[0].rater_id}: {bad[0].reason}")
    return clock


def forward_passes(loaded, folder, paths, faces):
    """Each network alone, on inputs made before: RetinaFace at its first scale, all raters in batches."""
    import numpy as np

    from core.vision import image, onnx
    from core.vision.deepface_detect import RetinaFace
    from core.vision.detect import shrink
    from core.vision.rater import Compute
    from core.vision.sight import Sight

    retinaface = onnx.session(folder / "retinaface.onnx", Compute()).inner
    clocks = {name: Clock() for name in ("RetinaFace", *loaded.raters)}
    for chunk in chunks(paths):
        pictures = [image.read(path.read_bytes()) for path in chunk]
        sights = [Sight(one, faces[print_of(one)]) for one in pictures]
        for one in pictures:
            small = shrink(one, RetinaFace.longer_px[0])[0][None].astype(np.float32)
            with clocks["RetinaFace"]:
                retinaface.run(None, {"x": small})
        for name, rater in loaded.raters.items():
            _alone(rater, [rater.prepare(sight) for sight in sights], clocks[name])
    return clocks


def _alone(rater, prepared, clock):
    """One rater's network on one chunk."""
    import numpy as np
    import torch

    from core.vision.raters import emonet

    if not isinstance(rater, emonet.Rater):
        batch = np.stack([getattr(one, "face", one) for one in prepared])
        with clock:
            rater.client.predict(batch)
        return
    for start in range(0, len(prepared), emonet.BATCH):
        one = emonet.inputs(prepared[start : start + emonet.BATCH])
        both = torch.cat((one, one.flip(3))).to(memory_format=torch.channels_last)
        with clock, torch.inference_mode():
            rater.network(both)


def report(name, clock, pictures, passes):
    """Print one arm; return its milliseconds for each picture, by the wall and by the CPU."""
    import numpy as np

    wall, cpu = (1000 * seconds / pictures for seconds in (clock.wall, clock.cpu))
    counts = ", ".join(f"{model} {count}" for model, count in sorted(passes.items()))
    print(f"{name}: {pictures} pictures in {clock.wall:.1f} s, each {wall:.0f} ms (CPU {cpu:.0f} ms)")
    print(f"  {sum(passes.values())} forward passes: {counts}", flush=True)
    return np.array([wall, cpu])


def measured(home, people_of_the_loop, people_of_ours, rounds):
    import torch

    from core.vision.networks.emonet import EmoNet
    from tests.core.vision import generated

    folder = generated_weights(home)
    pictures = home / "pictures"
    pictures.mkdir(exist_ok=True)
    people = drawn(pictures)
    paths = [path for person in people[:people_of_ours] for path in person]
    faces = found_by_yunet(paths)
    network = generated.filled(EmoNet(8)).eval()
    print(f"{len(paths)} pictures of {SIDE_PX} x {SIDE_PX}, {torch.get_num_threads()} threads", flush=True)

    theirs = None
    if people_of_the_loop:
        passes = Counter()
        clock = loop(people[:people_of_the_loop], faces, network, passes)
        theirs = report("the loop", clock, 6 * people_of_the_loop, passes)

    passes = Counter()
    loaded = models(folder, faces, network.to(memory_format=torch.channels_last), passes)
    counting = network.register_forward_hook(lambda _, given, __: passes.update(EmoNet=len(given[0])))
    pipeline(loaded, paths[:CHUNK])  # the first call of each network settles its memory
    passes.clear()
    clocks = [pipeline(loaded, paths)]
    counted = Counter(passes)
    counting.remove()
    alone = [forward_passes(loaded, folder, paths, faces)]
    for _ in range(rounds - 1):
        clocks.append(pipeline(loaded, paths))
        alone.append(forward_passes(loaded, folder, paths, faces))
    ours = report("Facenorm", min(clocks, key=lambda one: one.cpu), len(paths), counted)
    least = report_alone(alone, len(paths))
    times = ours / least
    print(f"Facenorm takes {times[0]:.2f} times the networks alone (CPU {times[1]:.2f})")
    if theirs is not None:
        times = theirs / ours
        print(f"Facenorm is {times[0]:.1f} times faster than the loop (CPU {times[1]:.1f})")


def report_alone(rounds, pictures):
    """Print each network's time alone, the best of the rounds; return their sums for each picture."""
    import numpy as np

    total = np.zeros(2)
    for name in rounds[0]:
        best = np.array([min(one[name].wall for one in rounds), min(one[name].cpu for one in rounds)])
        total += 1000 * best / pictures
        print(f"  {name:22} alone {1000 * best[0] / pictures:7.1f} ms a picture")
    print(f"  {'all networks':22} alone {total[0]:7.1f} ms a picture (CPU {total[1]:.0f} ms)")
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--identities", type=int, default=2, help="whose pictures the loop runs on; 0: no loop"
    )
    parser.add_argument("--ours", type=int, default=IDENTITIES, help="whose pictures Facenorm runs on")
    parser.add_argument("--rounds", type=int, default=2, help="of Facenorm; the best one counts")
    parser.add_argument("--weights", type=Path, default=Path(tempfile.gettempdir()) / "facenorm_generated")
    given = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        # glibc reads them before a process starts.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ALLOCATOR})
    given.weights.mkdir(parents=True, exist_ok=True)
    os.environ |= {"DEEPFACE_HOME": str(given.weights), "DEEPFACE_BACKEND_ENGINE": "onnx"}
    os.environ["DEEPFACE_LOG_LEVEL"] = "50"
    measured(given.weights, given.identities, max(given.ours, given.identities), given.rounds)


if __name__ == "__main__":
    main()
