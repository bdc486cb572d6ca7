"""`facenorm identity` on real faces with MobileFaceNet's real weights, and on files that are broken."""

from __future__ import annotations

import csv
import os
import re
import shutil
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.metrics import roc_auc_score

from core.cli import identity as command
from core.cli.identity import identity
from core.errors import FacenormError
from core.identity import tables
from core.vision import align, registry
from core.vision.rater import Declaration, Entry, Opinion

# Who is on which picture, as the folder's description has it; the first is taken as the neutral.
PEOPLE = {"p1": ("img5", "img6", "img10", "img11"), "p2": ("img3", "img12"), "p3": ("img8", "img9")}


class Thumbnail:
    """A rater of one's own: the face's own pixels, 16 x 16, as its embedding."""

    declaration = Declaration(
        "thumbnail", "16 x 16 pixels", "1", (), (), "GPL-3.0", "none", "nothing", "knows light, not people",
        dimensions=256, threshold=0.1,
    )  # fmt: skip
    weights_sha256 = ""

    def prepare(self, sight):
        return align.square(sight.image, sight.face, scale=1.0, size_px=16).mean(axis=2).ravel()

    def rate(self, prepared):
        centred = [row - row.mean() for row in prepared]
        return tuple(Opinion(embedding=np.float32(row / np.linalg.norm(row))) for row in centred)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests keep embeddings, so that each face is embedded once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def run(data: Path, shared: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FACENORM_DATA", str(data))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")
    monkeypatch.setenv("FACENORM_MODELS", os.pathsep.join([str(data / "models"), str(shared / "models")]))
    own = Entry(Thumbnail.declaration, lambda _folders, _compute: Thumbnail())
    monkeypatch.setattr(registry, "RATERS", MappingProxyType({**registry.RATERS, "thumbnail": own}))

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(identity, [*map(str, arguments)])
        if isinstance(result.exception, FacenormError):
            assert code == 1, result.exception
            return result
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run


@pytest.fixture
def portraits(shared: Path, tmp_path: Path) -> Path:
    """Eight portraits of three people, a couple, two files that are no pictures, and the manifest."""
    folder = tmp_path / "portraits"
    folder.mkdir()
    rows = ["file,identity,intended_emotion,reference,gender"]
    for person, names in PEOPLE.items():
        for name in names:
            shutil.copy(shared / "faces" / f"{name}.jpg", folder)
            reference = "" if name == names[0] else f"{names[0]}.jpg"
            rows.append(f"{name}.jpg,{person},{'happy' if reference else 'neutral'},{reference},x")
    shutil.copy(shared / "faces" / "couple.jpg", folder)
    (folder / "broken.jpg").write_bytes((folder / "img6.jpg").read_bytes()[:2000])
    rows.append("broken.jpg,p1,happy,img5.jpg,x")
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def arguments(portraits: Path, out: Path, *more: object) -> tuple[object, ...]:
    return (portraits, "--manifest", portraits / "manifest.csv", "--out", out, *more)


def test_one_person_is_told_from_another_on_real_faces(run, portraits, tmp_path):
    said = run(*arguments(portraits, tmp_path / "out")).output
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == set(tables.FILES)
    for name, columns in tables.FILES.items():
        assert (out / name).read_text(encoding="utf-8").splitlines()[0] == ",".join(columns)

    edits = [row for row in rows(out / "identity.csv") if not row["reason"]]
    assert len(edits) == 5
    for row in edits:
        assert row["rank1"] == "true"  # right for all
        assert float(row["margin"]) > 0.2
        assert 0.4 < float(row["similarity"]) < 0.9  # known: one person .47 to .87
        assert float(row["percentile"]) == 100
        assert row["verdict"] == row["threshold"] == ""  # its authors give no threshold

    pairs = rows(out / "pairs.csv")
    assert len(pairs) == 9 * 8 // 2
    same = {way: [float(row["similarity"]) for row in pairs if row["same_identity"] == way]
            for way in ("true", "false", "")}  # fmt: skip
    assert len(same["true"]) == 6 + 1 + 1
    assert len(same[""]) == 8  # the couple has no row in the manifest
    assert max(same["false"]) < 0.25
    assert min(same["true"]) > 0.45

    first, *others = rows(out / "summary.csv")
    assert (first["compared"], first["impostors"], first["headline"]) == ("reference", "matched", "true")
    assert (first["n_within"], first["n_between"], first["auc"], first["eer"]) == ("5", "10", "1.0", "0.0")
    assert first["auc_low"] == ""  # three identities allow no interval
    assert float(first["d_prime"]) > 4
    whole = next(row for row in others if (row["compared"], row["impostors"]) == ("all_pairs", "all"))
    truth = [1] * len(same["true"]) + [0] * len(same["false"])
    assert float(whole["auc"]) == pytest.approx(roc_auc_score(truth, same["true"] + same["false"]))
    confounded = next(row for row in others if row["compared"] == "edited_neutral")
    assert confounded["auc"] == ""
    assert "0 pairs of one identity" in confounded["note"]
    assert "confounded" in first["note"]
    assert "0 nearer to another identity's neutral" in said


def test_a_broken_file_and_a_stranger_are_listed_and_stop_nothing(run, portraits, tmp_path):
    run(*arguments(portraits, tmp_path / "out"))
    found = {(row["stim_file"], row["status"]): row["reason"] for row in rows(tmp_path / "out/problems.csv")}
    assert set(found) == {("broken.jpg", "unreadable"), ("couple.jpg", "no_identity")}
    broken = next(r for r in rows(tmp_path / "out/identity.csv") if r["stim_file"] == "broken.jpg")
    assert (broken["similarity"], broken["rank1"]) == ("", "")
    assert broken["reason"] == "no face in this picture"


def test_two_models_are_compared_by_ranks_and_a_second_run_embeds_nothing(
    run, portraits, tmp_path, monkeypatch
):
    both = arguments(portraits, tmp_path / "out", "--models", "mobilefacenet, thumbnail", "--pairs", "within")
    first = run(*both).output
    assert "pairs.csv will have 16 rows (--pairs within)" in first
    assert {row["model"] for row in rows(tmp_path / "out/pairs.csv")} == {"mobilefacenet", "thumbnail"}
    assert {row["same_identity"] for row in rows(tmp_path / "out/pairs.csv")} == {"true"}
    told = rows(tmp_path / "out/robustness.csv")
    assert [row["statistic"] for row in told] == ["spearman", "mean_spearman", "kendall_w"]
    assert (told[0]["model_1"], told[0]["model_2"], told[0]["n_edits"]) == ("mobilefacenet", "thumbnail", "5")
    verdicts = [row for row in rows(tmp_path / "out/identity.csv") if row["threshold"]]
    assert {row["model"] for row in verdicts} == {"thumbnail"}
    for row in verdicts:
        if row["similarity"]:
            assert row["verdict"] == str(1 - float(row["similarity"]) <= 0.1).lower()
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    monkeypatch.setattr(command.rating, "carry_out", None)  # it must not be needed again
    run(*both)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_files_appear_together_or_not_at_all(run, portraits, tmp_path, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")
        yield

    monkeypatch.setattr(tables, "robustness_rows", full)
    result = run(*arguments(portraits, tmp_path / "out"), code=1)
    assert "No space left on device" in str(result.exception)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ("--models", "mini-xception"),
            "mini-xception gives no embedding; identity models are .*mobilefacenet",
        ),
        (("--models", "mobilfacenet"), "did you mean 'mobilefacenet'"),
        (("--detector", "yuunet"), "did you mean 'yunet'"),
    ],
)
def test_what_cannot_be_run_is_said(run, portraits, tmp_path, more, said):
    result = run(*arguments(portraits, tmp_path / "out", *more), code=1)
    assert re.search(said, str(result.exception))


def test_pictures_without_an_edit_are_no_comparison(run, portraits, tmp_path):
    (portraits / "manifest.csv").write_text("file,identity\nimg5.jpg,p1\nimg3.jpg,p2\n")
    result = run(*arguments(portraits, tmp_path / "out"), code=1)
    assert "no edit has a face, an identity and a reference" in str(result.exception)
    assert not (tmp_path / "out").exists()
