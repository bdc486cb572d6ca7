"""Real faces beside a study's own on the researcher's pages, run by AppTest on stored results."""

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import cookies, loading, yardstick
from core import study as study_files
from core.identity import gallery, report
from core.records import AiResult, Score
from core.yardstick import Judged
from db import ai, ai_runs, engine, researchers, studies, yardsticks
from pages.api import store
from pages.ui import identity_data, identity_words, session
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
REAL = ("neutral", "happy", "sad")
PEOPLE = 6
OPTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # of mini-Xception
TITLE = "Portraits"


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An empty database of its own, with a researcher who is logged in."""
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")
    (tmp_path / "data").mkdir()
    store.engine.cache_clear()
    st.cache_resource.clear()
    store.migrate()
    with engine.writing(store.engine()) as conn:
        first = researchers.set_one_time(conn, "ada")
    token = researchers.log_in(store.engine(), "ada", first).token
    with engine.writing(store.engine()) as conn:
        token = researchers.change_password(conn, token, "three quiet brown horses").token
    monkeypatch.setattr(session, "_cookies", lambda: {cookies.LOGIN: token})
    yield store.engine()
    store.engine().dispose()
    store.engine.cache_clear()


def pictures(folder, rows, seed):
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for row in rows:
        colours = rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)
        Image.fromarray(colours).save(folder / row.split(",")[0])
    (folder / "manifest.csv").write_text("\n".join(["file,identity,intended_emotion", *rows]))


def load(installation, tmp_path, *, real=True, intended=True):
    """The demo study with six identities, and perhaps a yardstick of six people."""
    own = [f"id{at}_{name}.png,id{at},{name}" for at in range(PEOPLE) for name in EMOTIONS]
    pictures(tmp_path / "faces", own, 1)
    photographs = [
        f"p{at}_{name}.png,p{at},{name if intended else ''}" for at in range(PEOPLE) for name in REAL
    ]
    pictures(tmp_path / "real", photographs, 2)
    text = variants.one_block(("folder: ../demo", "folder: faces"))
    title = f"{{en: {TITLE}, ko: 초상, ja: 肖像}}"
    named = f"\nyardsticks: [{{id: real, title: {title}, manifest: real/manifest.csv}}]\n"
    (tmp_path / "demo.yaml").write_text(text + (named if real else ""), encoding="utf-8")
    found = loading.read(tmp_path / "demo.yaml")
    version = studies.store(
        installation,
        study_id=found.study.study,
        config_hash=study_files.config_hash(found.study, found.stimuli),
        title=found.title,
        content=study_files.to_json(found.study),
        source_yaml=found.source_yaml,
        stimuli=found.stimuli,
        pictures=found.pictures(),
        who="ada",
    )
    sets = [
        yardsticks.Yardstick(one.yardstick_id, one.title, str(one.manifest), one.stimuli, one.paths)
        for one in found.yardsticks
    ]
    yardsticks.store(installation, version.config_hash, sets, who="ada")
    return version, found.stimuli, sets[0].stimuli if sets else ()


def rate(installation, version, shown, *, lean, spread, seed=7):
    """Store what an emotion rater and an identity model might say; lean: how often the intention is found."""
    rng = np.random.default_rng(seed)
    centres = {one.identity_id: rng.normal(size=24) for one in shown}
    said = []
    with engine.writing(installation) as conn:
        run_id = ai_runs.begin(
            conn, config_hash=version.config_hash, raters=["mini-xception"], detector="yunet", settings={},
            versions={}, total=len(shown), who="ada", host="here",
        )  # fmt: skip
        for one in shown:
            weights = [lean if code == one.intended_emotion else 1.0 for code in OPTIONS]
            shares = dict(zip(OPTIONS, rng.dirichlet(weights).tolist(), strict=True))
            label = Score("emotion", label=max(shares, key=shares.get))
            row = centres[one.identity_id] + spread * rng.normal(size=24)
            vector = np.float32(row / np.linalg.norm(row))
            common = (one.served_sha256, "1", "f" * 64, "yunet", "ok", "")
            said += [
                AiResult(common[0], "mini-xception", *common[1:], (label,), shares),
                AiResult(common[0], "mobilefacenet", *common[1:], embedding=vector),
            ]
            for result in said[-2:]:
                ai.save(conn, run_id, result, settings_hash="0" * 64)
    st.cache_resource.clear()
    return said


def show_ratings():
    def script():
        from pages.ui import choose, yardstick

        yardstick.show(choose.current())

    return shown(script)


def show_identity(**query):
    def script():
        from pages import identity

        identity.render()

    return shown(script, **query)


def shown(script, **query):
    at = AppTest.from_function(script, default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def infos(at):
    return "\n".join(one.value.replace("\\", "") for one in at.info)


def by_hand(results, stimuli):
    of = {one.served_sha256: one for one in results if one.rater_id == "mini-xception"}
    judged = [Judged(one.identity_id, one.intended_emotion, of[one.served_sha256]) for one in stimuli]
    return yardstick.recognition(judged, OPTIONS)


def test_nothing_is_shown_before_a_model_has_said_anything(installation, tmp_path):
    load(installation, tmp_path)
    at = show_ratings()
    assert not at.dataframe
    assert not at.info


def test_a_study_without_a_yardstick_has_its_own_numbers_and_is_told_how_to_name_one(installation, tmp_path):
    version, own, _ = load(installation, tmp_path, real=False)
    rate(installation, version, own, lean=4, spread=1)
    at = show_ratings()
    assert identity_words.YARDSTICK in infos(at)
    assert "yardsticks:" in infos(at)
    assert at.dataframe[0].value["faces"].tolist() == ["this study"]


def test_accuracy_and_calibration_stand_side_by_side(installation, tmp_path):
    version, own, real = load(installation, tmp_path)
    said = rate(installation, version, own, lean=3, spread=1)
    said_of_real = rate(installation, version, real, lean=9, spread=1)
    at = show_ratings()
    accuracy, calibration, by_emotion, over_common = (one.value for one in at.dataframe)
    expected = [by_hand(said, own), by_hand(said_of_real, real)]
    for table in (accuracy, calibration, by_emotion, over_common):
        assert table["faces"].tolist() == ["this study", TITLE]
    assert [cell.split()[0] for cell in accuracy["accuracy (95 %)"]] == [
        f"{one.accuracy.h:.0%}" for one in expected
    ]
    low, high = 100 * expected[1].accuracy.low, expected[1].accuracy.high
    assert accuracy["accuracy (95 %)"][1].endswith(f"({low:.0f}-{high:.0%})")
    assert accuracy["pictures"].tolist() == [PEOPLE * len(EMOTIONS), PEOPLE * len(REAL)]
    assert accuracy["emotions"].tolist() == [6, 3]
    assert accuracy["by guessing"].tolist() == ["14%", "14%"]
    assert calibration["ECE (10 bins)"].tolist() == [f"{one.calibration.ece:.2f}" for one in expected]
    brier = expected[0].calibration.brier
    assert (
        calibration["Brier score (95 %)"][0] == f"{brier.estimate:.2f} ({brier.low:.2f} to {brier.high:.2f})"
    )
    assert by_emotion["angry"][1] == ""
    assert over_common["pictures"].tolist() == [PEOPLE * len(REAL)] * 2
    assert identity_words.YARDSTICK not in infos(at)


def test_a_yardstick_that_no_model_has_rated_is_said(installation, tmp_path):
    version, own, _ = load(installation, tmp_path)
    rate(installation, version, own, lean=4, spread=1)
    at = show_ratings()
    assert at.dataframe[0].value["faces"].tolist() == ["this study"]
    assert TITLE in infos(at)
    assert "rate the set" in infos(at)


def test_the_identity_page_shows_real_people_under_the_same_model(installation, tmp_path):
    version, own, real = load(installation, tmp_path)
    rate(installation, version, own, lean=4, spread=1.5)
    said = rate(installation, version, real, lean=4, spread=0.8)
    at = show_identity()
    table = at.dataframe[1].value
    assert table["faces"].tolist() == ["this study", TITLE]
    # Oracle: the report on the photographs alone, each with its person's neutral.
    made = [
        gallery.Picture(
            one.stim_file, one.identity_id, one.intended_emotion,
            None if one.intended_emotion == "neutral" else f"{one.identity_id}_neutral.png",
        )
        for one in real
    ]  # fmt: skip
    vectors = np.stack([one.embedding for one in said if one.embedding is not None])
    told = report.compute("m", vectors, gallery.build(made), seed=identity_data.SEED).of("reference")
    auc = told.auc
    assert table["AUC (95 %)"][1] == f"{auc.estimate:.3f} ({auc.low:.3f} to {auc.high:.3f})"
    assert [cell.split()[-1] for cell in table["mean within"]] == [str(PEOPLE * 5), str(PEOPLE * 2)]
    assert table["mean of impostors"][1] == f"{told.mean_between:.2f}, n = {told.n_between} all".replace(
        "-", "−"
    )
    assert identity_words.YARDSTICK not in at.warning[0].value.replace("\\", "")


def test_people_without_neutrals_are_compared_by_all_pairs_of_both_sets(installation, tmp_path):
    version, own, real = load(installation, tmp_path, intended=False)
    rate(installation, version, [*own, *real], lean=4, spread=1.5)
    table = show_identity().dataframe[1].value
    assert list(zip(table["faces"], table["compared with"], strict=True)) == [
        ("this study", "its reference"),
        ("this study", "all pairs of an identity"),
        (TITLE, "all pairs of an identity"),
    ]


def test_a_yardstick_without_embeddings_is_said_on_the_identity_page(installation, tmp_path):
    version, own, _ = load(installation, tmp_path)
    rate(installation, version, own, lean=4, spread=1.5)
    at = show_identity()
    assert "no picture of it has been embedded yet" in infos(at).lower()
    assert at.dataframe[1].value["faces"].tolist() == ["this study"]
