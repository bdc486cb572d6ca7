"""The page about identity, run by AppTest on stored embeddings."""

import re

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import cookies, stimuli
from core import study as study_files
from core.identity import gallery, report
from core.records import AiResult, Score
from db import ai, ai_runs, engine, researchers, studies
from pages.api import store
from pages.ui import identity_charts, identity_data, identity_tables, identity_words, session
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
PEOPLE = 6
STUDY_OF_MODEL = {"mobilefacenet": 1.3, "other-model": 1.6}  # how far its embeddings scatter


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An empty database of its own."""
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(session, "_cookies", dict)
    store.engine.cache_clear()
    st.cache_resource.clear()
    store.migrate()
    yield store.engine()
    store.engine().dispose()
    store.engine.cache_clear()


@pytest.fixture
def researcher(installation, monkeypatch):
    """A login whose cookie every page sees."""
    with engine.writing(installation) as conn:
        first = researchers.set_one_time(conn, "ada")
    token = researchers.log_in(installation, "ada", first).token
    with engine.writing(installation) as conn:
        token = researchers.change_password(conn, token, "three quiet brown horses").token
    monkeypatch.setattr(session, "_cookies", lambda: {cookies.LOGIN: token})


@pytest.fixture
def version(installation, tmp_path, request):
    """The demo study with six identities; `traits` and `again` add columns and an edited neutral."""
    options = getattr(request, "param", ())
    folder = tmp_path / "faces"
    folder.mkdir()
    rng = np.random.default_rng(1)
    rows = ["file,identity,intended_emotion,reference,variant" + (",gender" if "traits" in options else "")]
    for at in range(PEOPLE):
        names = [*EMOTIONS, *(["again"] if "again" in options else [])]
        for name in names:
            file = f"id{at}_{name}.png"
            Image.fromarray(rng.integers(0, 255, (72, 72, 3), dtype=np.uint8)).save(folder / file)
            emotion, edit = ("neutral", True) if name == "again" else (name, name != "neutral")
            gender = f",{'fm'[at % 2]}" if "traits" in options else ""
            rows.append(f"{file},id{at},{emotion},{f'id{at}_neutral.png' if edit else ''},{name}{gender}")
    (folder / "manifest.csv").write_text("\n".join(rows))
    text = variants.one_block().replace("folder: ../demo", f"folder: {folder}")
    (tmp_path / "demo.yaml").write_text(text, encoding="utf-8")
    parsed = study_files.read(tmp_path / "demo.yaml")
    gathered = stimuli.gather(parsed, tmp_path)
    with engine.writing(installation) as conn:
        return studies.load(
            conn,
            study_id=parsed.study,
            config_hash=study_files.config_hash(parsed, gathered.stimuli),
            title=parsed.title["en"],
            content=study_files.to_json(parsed),
            source_yaml=text,
            stimuli=gathered.stimuli,
            pictures=gathered.pictures(),
        )


def embed(installation, version, *, model="mobilefacenet", faceless=(), intensity=False):
    """Store embeddings around a centre of each identity; no face in the named files."""
    rng = np.random.default_rng(7)
    with engine.writing(installation) as conn:
        shown = studies.stimuli(conn, version.config_hash)
        run_id = ai_runs.begin(
            conn, config_hash=version.config_hash, raters=[model], detector="yunet", settings={},
            versions={}, total=len(shown), who="ada", host="here",
        )  # fmt: skip
        centres = {one.identity_id: rng.normal(size=24) for one in shown}
        for one in shown:
            row = centres[one.identity_id] + STUDY_OF_MODEL[model] * rng.normal(size=24)
            seen = one.stim_file not in faceless
            scores = (Score("intensity", float(rng.random()), None, 0, 1),) if intensity else ()
            result = AiResult(
                one.served_sha256, model, "1", "f" * 64, "yunet", "ok" if seen else "no_face", "",
                scores=scores if seen else (),
                embedding=np.float32(row / np.linalg.norm(row)) if seen else None,
            )  # fmt: skip
            ai.save(conn, run_id, result, settings_hash="0" * 64)
    return shown


def show(**query):
    def script():
        from pages import identity

        identity.render()

    at = AppTest.from_function(script, default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def said(at):
    words = [*at.markdown, *at.caption, *at.info, *at.warning]
    return "\n".join(str(element.value) for element in words)


def test_strangers_see_the_login(installation, version):
    at = show()
    assert not at.dataframe
    assert "Identity" not in [title.value for title in at.title]


def test_without_embeddings_it_says_where_they_come_from(researcher, version):
    assert "AI ratings" in show().info[0].value
    assert not show().dataframe


def test_the_summary_is_the_reports_and_the_notes_come_first(researcher, installation, version):
    shown = embed(installation, version)
    at = show()
    stored = identity_data.of_stimuli(shown)
    with engine.reading(installation) as conn:
        (model,) = identity_data.models(ai.embeddings(conn, version.config_hash), shown)
    told = report.compute("mobilefacenet", model.values, stored, seed=identity_data.SEED)
    row = at.dataframe[0].value.iloc[0]
    head = told.of("reference")
    assert row["model"] == "mobilefacenet"
    assert row["AUC"] == f"{head.auc.estimate:.3f}"
    assert row["AUC 95 %"] == f"{head.auc.low:.3f} to {head.auc.high:.3f}"
    assert (row["people"], row["within"]) == (PEOPLE, PEOPLE * 5)
    assert row["impostors"] == f"{PEOPLE * 5 * (PEOPLE - 1)} all"
    words = at.warning[0].value.replace("\\", "")
    assert report.CONFOUNDED in words
    assert identity_words.YARDSTICK in words
    assert "nearest neutral" in said(at)


def test_the_most_doubtful_edit_comes_first_with_three_faces(researcher, installation, version):
    shown = embed(installation, version, faceless=("id3_sad.png",))
    table = show().dataframe[-1].value
    assert len(table) == PEOPLE * 5
    assert table["file"][0] == "id3_sad.png"  # nothing is known of it
    assert table["notes"][0] == "no face in this picture"
    margins = table["margin"].dropna()
    assert margins.is_monotonic_increasing
    served = {f"/api/stimuli/{one.served_sha256}" for one in shown}
    assert set(table["reference"]) | set(table["edit"]) | set(table["nearest other"].dropna()) <= served
    assert identity_tables.TUNED in table.columns
    assert "tuned on other data" in identity_tables.TUNED


@pytest.mark.parametrize("version", [("traits", "again")], indirect=True)
def test_matched_impostors_lead_and_the_edited_neutral_can_be_chosen(researcher, installation, version):
    embed(installation, version)
    at = show()
    of_a_kind = PEOPLE * 6 * (PEOPLE // 2 - 1)
    assert at.dataframe[0].value["impostors"].tolist() == [f"{of_a_kind} matched"]
    assert "confounded" not in said(at)
    everybody = PEOPLE * 6 * (PEOPLE - 1)
    assert show(impostors="all").dataframe[0].value["impostors"].tolist() == [f"{everybody} all"]
    edited = show(compared="the edited neutral").dataframe[0].value
    assert edited["within"].tolist() == [PEOPLE * 5]
    assert show().dataframe[-1].value["to edited neutral"].notna().sum() == PEOPLE * 5


def test_two_models_are_shown_beside_each_other_and_compared_by_ranks(researcher, installation, version):
    for model in STUDY_OF_MODEL:
        embed(installation, version, model=model)
    at = show()
    assert at.dataframe[0].value["model"].tolist() == list(STUDY_OF_MODEL)
    agreement = at.dataframe[1].value
    assert agreement["statistic"].tolist() == ["Spearman's ρ", "mean of ρ", "Kendall's W"]
    assert agreement["edits"].tolist() == [PEOPLE * 5] * 3
    assert next(box for box in at.selectbox if box.label == "Model").options == list(STUDY_OF_MODEL)


def test_intensity_is_drawn_where_a_model_gave_it(researcher, installation, version):
    embed(installation, version)
    assert "Intensity by" not in [box.label for box in show().selectbox]
    embed(installation, version, intensity=True)
    st.cache_resource.clear()
    assert "Intensity by" in [box.label for box in show().selectbox]


def test_embeddings_that_allow_no_comparison_are_said(researcher, installation, version):
    neutrals = [f"id{at}_neutral.png" for at in range(PEOPLE)]
    embed(installation, version, faceless=neutrals)
    at = show()
    assert "no edit has a face" in said(at).replace("\\", "")
    assert not at.dataframe


def test_cards_escape_what_a_manifest_writes():
    made = [
        gallery.Picture("n.png", "<b>x</b>", "neutral"),
        gallery.Picture("e.png", "<b>x</b>", "happy", "n.png"),
        gallery.Picture("m.png", "y", "neutral"),
    ]  # fmt: skip
    told = report.compute("m", np.eye(3, dtype=np.float32), gallery.build(made))
    markup = identity_tables.cards(told.images, {})
    assert "&lt;b&gt;x&lt;/b&gt;, happy" in markup
    assert "<b>x" not in markup


def test_the_distributions_show_all_pairs():
    made = [gallery.Picture(f"{i}{e}", f"id{i}", e, f"{i}neutral" if e != "neutral" else None)
            for i in range(5) for e in EMOTIONS]  # fmt: skip
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 8))
    rows = np.float32(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    one = report.compute("m", rows, gallery.build(made)).of("reference")
    for trace in identity_charts.distributions(one).data:
        assert sum(trace.y[:-1]) == pytest.approx(1)
        n = int(re.search(r"n = ([\d,]+)", trace.name)[1].replace(",", ""))
        assert n in (one.n_within, one.n_between)
