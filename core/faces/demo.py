"""The demo study's stimuli: eight people, six expressions each."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.faces import emotions, identity, render
from core.faces.identity import Identity

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
COLUMNS = (
    "file",
    "identity",
    "intended_emotion",
    "reference",
    "generator",
    "generator_version",
    "prompt",
    "variant",
    "publishable",
    "gender",
    "age_group",
    "ethnicity",
)
# A cast that differs as people do; the seed decides everything else about them.
_CAST = (
    ("female", 27, "east_asian", "bob", "none", False),
    ("male", 34, "african", "crop", "none", False),
    ("female", 46, "european", "long", "none", False),
    ("male", 67, "european", "receding", "full", True),
    ("female", 30, "african", "curly", "none", False),
    ("male", 41, "middle_eastern", "short", "stubble", False),
    ("female", 70, "south_asian", "bun", "none", False),
    ("male", 23, "latin_american", "quiff", "none", False),
)
_QUALITIES = (93, 90, 86, 80)
_BYTES = 60_000  # of a picture: participants may be on slow lines


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of the demo and its line in the manifest."""

    file: str
    row: tuple[str, ...]
    content: bytes


def cast(seed: int) -> tuple[Identity, ...]:
    """The demo's people."""
    rng = np.random.default_rng(seed)
    return tuple(
        identity.draw(rng, gender=g, age=age, ethnicity=e, hair_style=hair, beard=beard, glasses=glasses)
        for g, age, e, hair, beard, glasses in _CAST
    )


def write(folder: Path, *, seed: int) -> None:
    """Draw the demo's pictures and manifest.csv into `folder`, all or nothing.

    Does nothing when the folder already holds a complete demo of this seed and version.
    """
    if _complete(folder, seed):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _fill(made, seed)
        made.chmod(0o755)
        _swap(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def shots(seed: int) -> Iterator[Shot]:
    """Every picture of the demo, one at a time."""
    rng = np.random.default_rng((seed, 1))
    for number, who in enumerate(cast(seed), start=1):
        sitter, name = render.Sitter(who), f"id{number:02d}"
        for emotion in EMOTIONS:
            units = emotions.prescribe(emotion, rng)
            file = f"{name}_{emotion}.jpg"
            row = _row(who, name, emotion, file, emotions.in_words(units), seed)
            yield Shot(file, row, _encoded(sitter.portrait(units)))


def _row(who: Identity, name: str, emotion: str, file: str, prompt: str, seed: int) -> tuple[str, ...]:
    reference = "" if emotion == "neutral" else f"{name}_neutral.jpg"
    version = f"{render.VERSION} seed {seed}"
    about = (who.gender, who.age_group, who.ethnicity)
    return (file, name, emotion, reference, "facenorm-faces", version, prompt, "1", "true", *about)


def _encoded(pixels: render.Pixels) -> bytes:
    """The picture as JPEG, at the first quality that keeps it light."""
    content = b""
    for quality in _QUALITIES:
        sink = io.BytesIO()
        Image.fromarray(pixels).save(sink, "JPEG", quality=quality, optimize=True, subsampling=0)
        content = sink.getvalue()
        if len(content) <= _BYTES:
            break
    return content


def _fill(folder: Path, seed: int) -> None:
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as sink:
        table = csv.writer(sink, lineterminator="\n")
        table.writerow(COLUMNS)
        for shot in shots(seed):
            (folder / shot.file).write_bytes(shot.content)
            table.writerow(shot.row)


def _swap(made: Path, folder: Path) -> None:
    """Put the finished folder in place; an older demo there goes first."""
    if folder.exists():
        old = made.with_name(made.name + "-old")
        folder.rename(old)
        os.replace(made, folder)
        shutil.rmtree(old)
    else:
        os.replace(made, folder)


def _complete(folder: Path, seed: int) -> bool:
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return False
    with manifest.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    wanted = f"{render.VERSION} seed {seed}"
    return len(rows) == len(_CAST) * len(EMOTIONS) and all(
        row.get("generator_version") == wanted and (folder / row["file"]).is_file() for row in rows
    )
