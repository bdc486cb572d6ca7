"""Researcher pages, run by AppTest on a real database."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import cookies, plan, simulate, stimuli
from core import study as study_files
from core.records import AiResult, Score
from db import ai, ai_runs, audit, engine, researchers, sessions, studies, tables
from pages import login
from pages.api import store
from pages.ui import processes, results, session
from tests import storing, variants

PASSWORD = "three quiet brown horses"
EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An empty database of its own."""
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")
    monkeypatch.setenv("FACENORM_MODELS", str(tmp_path / "models"))
    (tmp_path / "data").mkdir()
    # AppTest has no browser, and so neither cookies nor an address.
    monkeypatch.setattr(session, "_cookies", dict)
    store.engine.cache_clear()
    st.cache_resource.clear()
    st.cache_data.clear()
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
        token = researchers.change_password(conn, token, PASSWORD).token
    monkeypatch.setattr(session, "_cookies", lambda: {cookies.LOGIN: token})
    return token


@pytest.fixture
def study_file(tmp_path):
    """The demo study with two identities in place of eight."""
    folder = tmp_path / "faces"
    folder.mkdir()
    rng = np.random.default_rng(1)
    rows = ["file,identity,intended_emotion"]
    for identity in ("id01", "id02"):
        for emotion in EMOTIONS:
            name = f"{identity}_{emotion}.png"
            Image.fromarray(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)).save(folder / name)
            rows.append(f"{name},{identity},{emotion}")
    (folder / "manifest.csv").write_text("\n".join(rows))
    text = variants.one_block()
    path = tmp_path / "demo.yaml"
    path.write_text(
        text.replace("folder: ../demo", f"folder: {folder}").replace(
            "per_participant: 24", "per_participant: 12"
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture
def version(installation, study_file):
    """The study, loaded and open."""
    parsed = study_files.read(study_file)
    gathered = stimuli.gather(parsed, study_file.parent)
    with engine.writing(installation) as conn:
        loaded = studies.load(
            conn,
            study_id=parsed.study,
            config_hash=study_files.config_hash(parsed, gathered.stimuli),
            title=parsed.title["en"],
            content=study_files.to_json(parsed),
            source_yaml=study_file.read_text(encoding="utf-8"),
            stimuli=gathered.stimuli,
            pictures=gathered.pictures(),
        )
        return studies.open_(conn, loaded.config_hash, phase="live")


def take_part(installation, version, participants, kind="human"):
    parsed = study_files.from_json(version.content)
    with engine.reading(installation) as conn:
        shown = studies.stimuli(conn, version.config_hash)
    by_id = {stimulus.stimulus_id: stimulus for stimulus in shown}
    for number, rater in enumerate(simulate.raters(participants, seed=7, study=parsed)):
        rng = random.Random(number)
        with engine.writing(installation) as conn:
            begun, _token = sessions.begin(
                conn,
                config_hash=version.config_hash,
                kind=kind,
                phase="live",
                language="en",
                nonce=f"{kind}-nonce-{number:04d}",
                consents=(),
                draw=lambda places, rng=rng: plan.build(parsed, shown, places, rng=rng),
                option_order=plan.option_order(parsed, rng=rng),
                counting=plan.counting(parsed),
                utc_offset_min=0,
            )
            for trial in sessions.trials(conn, begun.session_id):
                answer = simulate.respond(rater, parsed, trial, by_id, rng=rng)
                storing.store(conn, answer)
            sessions.complete(conn, begun.session_id)


def rate_by_ai(installation, version, *, only=None, **make):
    """A model that is right about every face but the sad ones, in which it finds no face.

    only: how many of the faces it rates; make: another version or weights of it.
    """
    with engine.writing(installation) as conn:
        shown = studies.stimuli(conn, version.config_hash)[:only]
        run_id = ai_runs.begin(
            conn, config_hash=version.config_hash, raters=["mini-xception"], detector="yunet",
            settings={}, versions={}, total=len(shown), who="ada", host="here",
        )  # fmt: skip
        for number, stimulus in enumerate(shown):
            for result in opinions(stimulus, 0.5 + number / 100):
                ai.save(conn, run_id, replace(result, **make), settings_hash="0" * 64)
        ai_runs.progress(conn, run_id, done=len(shown))
        ai_runs.finish(conn, run_id)


def opinions(stimulus, intensity):
    about = {
        "served_sha256": stimulus.served_sha256, "rater_version": "1", "weights_sha256": "f" * 64,
        "detector": "yunet",
    }  # fmt: skip
    names = ("mini-xception", "mini-xception-not-neutral")
    if stimulus.intended_emotion == "sad":
        blind = {"status": "no_face", "reason": "the detector found no face"}
        return [AiResult(**about, **blind, rater_id=name) for name in names]
    shares = {stimulus.intended_emotion: 0.9, "fear": 0.1}
    label, number = Score("emotion", label=stimulus.intended_emotion), Score("intensity", intensity)
    return [
        AiResult(**about, rater_id=names[0], status="ok", reason="", scores=(label,), probabilities=shares),
        AiResult(**about, rater_id=names[1], status="ok", reason="", scores=(number,)),
    ]


def show(name, **query):
    """Run one page as the browser would, with its query parameters."""

    def script(name):
        import importlib

        importlib.import_module(f"pages.{name}").render()

    at = AppTest.from_function(script, kwargs={"name": name}, default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def said(at):
    """All the words on a page."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "code")
    words = "\n".join(str(element.value) for kind in kinds for element in getattr(at, kind))
    return re.sub(r"\\([^\w\s])", r"\1", words)


# ---- the way in


@pytest.mark.parametrize("page", ["studies", "ai_ratings", "dashboard", "export"])
def test_a_page_shows_a_stranger_only_the_login(installation, version, page):
    at = show(page)
    assert [title.value for title in at.title] == ["Researcher login"]
    assert not at.button
    assert not at.selectbox


def test_a_one_time_password_must_be_replaced_before_anything_else(installation, monkeypatch):
    with engine.writing(installation) as conn:
        password = researchers.set_one_time(conn, "ada")
    token = researchers.log_in(installation, "ada", password).token
    monkeypatch.setattr(session, "_cookies", lambda: {cookies.LOGIN: token})
    assert [title.value for title in show("studies").title] == ["Choose your password"]


def test_the_login_page_says_in_words_what_was_wrong(installation):
    assert "The name or the password is wrong." in show("login", problem="wrong").error[0].value
    for number, words in (("7", "wait 7 minutes,"), ("1", "wait 1 minute,")):
        assert words in show("login", problem="wait", minutes=number).error[0].value


@pytest.mark.parametrize("minutes", ["", "0", "-1", "16", "9" * 5000, "٣", "1 to ring 555-0100"])
def test_a_wait_that_is_none_of_ours_is_the_longest(minutes):
    assert "wait 15 minutes, then" in login.problem("wait", minutes)


@pytest.mark.parametrize("code", ["Your account was moved to evil.example", "{minutes}", "", "Wrong"])
def test_an_address_cannot_put_words_on_the_login_page(installation, code):
    at = show("login", problem=code)
    assert not at.error
    assert "evil" not in said(at)


def test_the_form_asks_for_as_long_a_password_as_the_database():
    form = login._NEW
    assert form.count(f'minlength="{researchers.SHORTEST_PASSWORD}"') == 2
    assert f"At least {researchers.SHORTEST_PASSWORD} characters" in form


def test_who_is_logged_in_can_change_the_password_or_leave(researcher):
    assert "ada" in said(show("login"))


# ---- studies


def test_without_a_study_every_page_says_where_to_load_one(researcher):
    for page in ("studies", "ai_ratings", "dashboard", "export"):
        assert "There is no study yet" in said(show(page))


def test_checking_a_study_shows_its_warnings_and_stores_nothing(researcher, installation, study_file):
    at = show("studies")
    at.text_input[0].set_value(str(study_file))
    at.button[0].click().run()
    assert "Usable: 12 stimuli to rate" in said(at)
    assert "draft" in said(at)
    with engine.reading(installation) as conn:
        assert studies.listing(conn) == ()


def test_loading_a_study_stores_and_records_it(researcher, installation, study_file):
    at = show("studies")
    at.text_input[0].set_value(str(study_file))
    at.button[1].click().run()
    with engine.reading(installation) as conn:
        assert [(v.study_id, v.state) for v in studies.listing(conn)] == [("demo", "loaded")]
        assert [(entry.who, entry.what) for entry in audit.read(conn)] == [("ada", "study loaded")]


@pytest.mark.parametrize("button", [0, 1])
def test_a_study_that_nobody_could_begin_is_neither_called_usable_nor_stored(
    researcher, installation, study_file, button
):
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text.replace("per_participant: 12", "per_participant: 13"), encoding="utf-8")
    at = show("studies")
    at.text_input[0].set_value(str(study_file))
    at.button[button].click().run()
    assert "needed at most the 12 rated stimuli" in at.error[0].value
    assert not at.success
    with engine.reading(installation) as conn:
        assert studies.listing(conn) == ()


@pytest.mark.parametrize(("path", "words"), [("", "give the path"), ("/nowhere.yaml", "give the path")])
def test_a_file_that_is_not_there_is_said_in_words(researcher, path, words):
    at = show("studies")
    at.text_input[0].set_value(path)
    at.button[0].click().run()
    assert words in at.error[0].value


def test_a_broken_study_names_line_and_mend(researcher, tmp_path):
    (tmp_path / "broken.yaml").write_text("study: Not A Slug\n")
    at = show("studies")
    at.text_input[0].set_value(str(tmp_path / "broken.yaml"))
    at.button[0].click().run()
    assert "broken.yaml:1" in said(at)


def test_opening_and_closing_are_recorded_with_the_name(researcher, installation, version):
    at = show("studies")
    at.button(key=f"close-{version.config_hash}").click().run()
    at = show("studies")
    at.radio(key=f"phase-{version.config_hash}").set_value("pilot")
    at.button(key=f"open-{version.config_hash}").click().run()
    with engine.reading(installation) as conn:
        opened = studies.open_version(conn, "demo")
        entries = [(entry.who, entry.what) for entry in audit.read(conn)]
    assert opened.phase == "pilot"
    assert entries == [("ada", "study opened"), ("ada", "study closed")]


def test_an_open_study_has_a_link_per_language_and_a_preview(researcher, installation, version):
    links = [code.value for code in show("studies").code]
    assert [link.rpartition("lang=")[2] for link in links[:-1]] == ["en", "ko", "ja"]
    token = links[-1].rpartition("link=")[2]
    with engine.reading(installation) as conn:
        assert studies.link_kind(conn, "demo", token) == "preview"


# ---- AI ratings


def test_missing_weights_are_named_with_size_licence_command_and_place(researcher, version, tmp_path):
    at = show("ai_ratings")
    words = said(at)
    assert "fer2013_mini_XCEPTION.102-0.66.hdf5" in words
    assert "0.87 MB" in words
    assert "MIT" in words
    assert "facenorm models fetch mini-xception" in words
    assert str(tmp_path / "models") in words
    assert next(button for button in at.button if button.label == "Start rating").disabled


def chosen_detector(at):
    return next(element.value for element in at.get("button_group") if element.label == "Face detector")


def test_a_fresh_installation_is_asked_only_for_what_the_command_needs_by_default(researcher, version):
    at = show("ai_ratings")
    assert chosen_detector(at) == "haar"
    assert "facenorm models fetch haar-frontalface" in said(at)
    assert "facenorm models fetch yunet" not in said(at)


def test_with_the_weights_in_place_a_run_can_start(researcher, version, shared, monkeypatch):
    monkeypatch.setenv("FACENORM_MODELS", str(shared / "models"))
    at = show("ai_ratings")
    assert chosen_detector(at) == "yunet"  # the first whose file is there
    assert not next(button for button in at.button if button.label == "Start rating").disabled


def test_a_run_leaves_its_record_and_every_result_with_its_reason(researcher, installation, version):
    rate_by_ai(installation, version)
    at = show("ai_ratings")
    assert "12 of 12 rated" in said(at)
    assert "ada" in said(at)
    counted = next(shown.value for shown in at.dataframe if "faces by" in shown.value)
    assert counted[["rater", "ok", "no face"]].to_numpy().tolist() == [
        ["mini-xception", 10, 2],
        ["mini-xception-not-neutral", 10, 2],
    ]
    table = next(shown.value for shown in at.dataframe if "face" in shown.value)
    assert sorted(set(table["status"])) == ["no face", "ok"]
    assert set(table.loc[table["status"] == "no face", "reason"]) == {"the detector found no face"}
    assert table["face"].str.match(r"/api/stimuli/[0-9a-f]{64}").all()


def test_a_rater_can_be_fitted_where_faces_are_embedded(researcher, installation, version, monkeypatch):
    rate_by_ai(installation, version)
    assert "It has learned from these people" not in said(show("ai_ratings"))
    with engine.writing(installation) as conn:
        run_id = ai_runs.begin(
            conn, config_hash=version.config_hash, raters=["mobilefacenet"], detector="yunet",
            settings={}, versions={}, total=1, who="ada", host="here",
        )  # fmt: skip
        shown = studies.stimuli(conn, version.config_hash)[0]
        vector = np.array([1, 0], np.float32)
        embedded = AiResult(
            shown.served_sha256, "mobilefacenet", "1", "f" * 64, "yunet", "ok", "", embedding=vector
        )
        ai.save(conn, run_id, embedded, settings_hash="0" * 64)
    at = show("ai_ratings")
    assert "It has learned from these people" in said(at)
    started = []
    monkeypatch.setattr(processes, "start", lambda *given: started.append(given))
    next(button for button in at.button if button.label == "Fit").click().run()
    fit = ("--embedding", "mobilefacenet", "--detector", "yunet", "--scales", "naturalness", "--who", "ada")
    assert started == [("fit-demo", "fit", "demo", *fit)]


# ---- dashboard


def test_an_empty_dashboard_says_what_is_missing_and_shows_no_number(researcher, version):
    at = show("dashboard")
    words = said(at)
    assert "No model has rated these faces yet" in words
    assert "Nobody has said yet which emotion they see" in words
    assert "Nobody has answered 'valence' yet" in words
    assert "There are no usable ratings yet" in words
    assert not at.dataframe


def test_one_rater_gives_norms_but_no_agreement(researcher, installation, version):
    take_part(installation, version, 1)
    at = show("dashboard")
    assert "two raters" in said(at)
    assert "alpha" not in {column for frame in at.dataframe for column in frame.value.columns}
    assert at.dataframe[-1].value["n"].sum() == 12


def test_simulated_answers_are_offered_and_shown_only_when_asked(researcher, installation, version):
    take_part(installation, version, 3, kind="simulated")
    at = show("dashboard")
    assert "3 simulated participants have" in at.info[0].value
    assert "Nobody has answered 'valence' yet" in said(at)
    at = show("dashboard", simulated="true")
    assert "Simulated data" in at.warning[0].value
    assert at.dataframe[-1].value["n"].sum() == 36


def test_the_dashboard_counts_what_the_database_holds(researcher, installation, version):
    take_part(installation, version, 6)
    rate_by_ai(installation, version)
    at = show("dashboard")
    metrics = {metric.label: metric.value for metric in at.metric}
    assert (metrics["Consented and began"], metrics["Finished"]) == ("6", "6")
    norms = at.dataframe[-1].value
    assert norms["n"].tolist() == [6] * 12
    with installation.connect() as conn:
        hits = conn.exec_driver_sql(
            "SELECT avg(r.label = s.intended_emotion) FROM response r JOIN stimulus s USING (stimulus_id)"
            " WHERE r.scale_id = 'emotion' GROUP BY s.position ORDER BY s.position"
        ).scalars()
        assert (norms["H"] / 100).tolist() == pytest.approx(list(hits))
    assert "Units or zero differ" in said(at)
    assert "CCC" not in metrics


@pytest.fixture
def whole_design(study_file):
    """The study with the demo's own task sets, checks, repeats and pairs."""
    text = variants.DEMO.read_text(encoding="utf-8")
    text = text.replace("folder: ../demo", f"folder: {study_file.parent / 'faces'}")
    text = text.replace("per_participant: 24", "per_participant: 8")
    study_file.write_text(
        text.replace("    option_order: random\n", "    cannot_tell: true\n"), encoding="utf-8"
    )
    return study_file


def test_the_dashboard_knows_task_sets_pairs_and_every_end(researcher, installation, whole_design, version):
    take_part(installation, version, 5)
    with engine.writing(installation) as conn:
        begun = [one.session_id for one in tables.participants(conn, "demo")]
        conn.exec_driver_sql("UPDATE session SET outcome = NULL, completed_at = NULL")
        sessions.end(conn, begun[0], "stopped")
        sessions.end(conn, begun[1], "screened_out")
        sessions.end(conn, begun[2], "complete")
        sessions.tally(conn, version.config_hash, "full")
        conn.exec_driver_sql(
            f"UPDATE session SET last_seen_at = '2026-01-01T00:00:00.000Z' WHERE session_id = '{begun[3]}'"
        )
    at = show("dashboard")
    metrics = {metric.label: metric.value for metric in at.metric}
    ends = ("Finished", "Under way", "Left", "Stopped", "Screened out", "Came when full")
    assert [metrics[name] for name in ends] == ["1"] * 6
    assert "Deleted" not in metrics
    words = said(at)
    assert "The same person?" in words
    assert "Rated twice by the same person, for retest reliability: " in words
    told = re.search(r"expression (\d) to (\d), median", words)
    assert told, words
    assert told.groups() == ("3", "4")  # 5 people x 8 of 12 stimuli
    norms = at.dataframe[-1].value
    assert norms["n"].sum() == norms["naturalness n"].sum() == 5 * 8
    assert {"rated identity M", "rated identity n", "emotion can't tell"} <= set(norms.columns)
    assert "same_identity" not in set(at.dataframe[-2].value["scale"])


def test_results_of_one_rater_with_other_weights_are_another_model(researcher, installation, version):
    rate_by_ai(installation, version)
    at = show("dashboard")
    assert not [box for box in at.selectbox if box.label == "Model"]
    rate_by_ai(installation, version, only=5, weights_sha256="abcdef0123456789" * 4)
    next(button for button in at.button if button.label == "Refresh").click().run()
    box = next(box for box in at.selectbox if box.label == "Model")
    assert box.options == ["mini-xception 1 (abcdef) on yunet", "mini-xception 1 (ffffff) on yunet"]
    with engine.reading(installation) as conn:
        newest = results.models(tuple(ai.results(conn, version.config_hash, scales=["emotion"])))
    assert [len(model.results) for model in newest] == [5, 7]


def test_openings_are_called_what_they_are(researcher, installation, version):
    with engine.writing(installation) as conn:
        for _ in range(3):
            sessions.tally(conn, version.config_hash, "opened", kind="human", phase="live")
    at = show("dashboard")
    assert {metric.label: metric.value for metric in at.metric}["Openings of the page"] == "3"
    assert "neither people nor invitations" in said(at)


def test_a_snapshot_says_its_time_and_stays_for_a_minute(researcher, installation, version):
    at = show("dashboard")
    take_part(installation, version, 1)
    metrics = {metric.label: metric.value for metric in at.run().metric}
    assert metrics["Finished"] == "0"
    next(button for button in at.button if button.label == "Refresh").click().run()
    assert {metric.label: metric.value for metric in at.metric}["Finished"] == "1"
    assert f"As of {datetime.now(UTC):%Y-%m-%d}" in said(at)


# ---- export


def test_export_is_public_unless_asked_otherwise(researcher, version):
    at = show("export")
    assert at.radio[0].value == "public"
    words = " ".join(said(at).split())
    assert "only participants who agreed to share" in words
    assert "fewer than 5 of them share is blanked" in words
    assert "They and their sessions get fresh random ids" in words
    at.radio[0].set_value("private").run()
    assert "logged with your name" in said(at)
