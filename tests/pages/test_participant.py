"""Participant pages, run by AppTest on a real database."""

import json
import random

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import i18n, plan, stimuli
from core import study as study_files
from core.records import Answer, ConsentGiven, Evidence, Response
from core.settings import PROJECT
from db import answers, engine, sessions, studies
from pages.api import store
from pages.ui import session
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
TRIALS = 3
GENDER = "sensitive: true\n    enabled: false\n    text:\n      en: What is your gender?"


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An empty database of its own."""
    monkeypatch.setenv("FACENORM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FACENORM_DATABASE_URL", "")
    (tmp_path / "data").mkdir()
    store.engine.cache_clear()
    store.migrate()
    monkeypatch.setattr(session, "_cookies", dict)
    yield store.engine()
    store.engine().dispose()
    store.engine.cache_clear()


def load(installation, folder, *changes):
    """Load and open the demo study with one person's faces and three trials."""
    rng = np.random.default_rng(1)
    rows = ["file,identity,intended_emotion"]
    for emotion in EMOTIONS:
        Image.fromarray(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)).save(folder / f"{emotion}.png")
        rows.append(f"{emotion}.png,id01,{emotion}")
    (folder / "manifest.csv").write_text("\n".join(rows))
    text = variants.one_block()
    usual = [("folder: ../demo", f"folder: {folder}"), ("per_participant: 24", f"per_participant: {TRIALS}")]
    for found, needed in [*usual, *changes]:
        assert found in text
        text = text.replace(found, needed)
    parsed = study_files.parse(text, path="demo.yaml")
    gathered = stimuli.gather(parsed, folder)
    with engine.writing(installation) as conn:
        version = studies.load(
            conn,
            study_id=parsed.study,
            config_hash=study_files.config_hash(parsed, gathered.stimuli),
            title=parsed.title["en"],
            content=study_files.to_json(parsed),
            source_yaml=text,
            stimuli=gathered.stimuli,
            pictures=gathered.pictures(),
        )
        return studies.open_(conn, version.config_hash, phase="live")


@pytest.fixture
def version(installation, tmp_path):
    """The demo study, and its question about gender turned on and required."""
    folder = tmp_path / "faces"
    folder.mkdir()
    return load(
        installation, folder, (GENDER, GENDER.replace("enabled: false", "enabled: true\n    required: true"))
    )


@pytest.fixture
def begin(installation, version, monkeypatch):
    """Begin a session whose cookie every page sees; AppTest has no browser to keep it."""

    def make(kind="human", language="en", *, sensitive=True):
        parsed = study_files.from_json(version.content)
        rng = random.Random(1)
        with engine.writing(installation) as conn:
            shown = studies.stimuli(conn, version.config_hash)
            begun, token = sessions.begin(
                conn,
                config_hash=version.config_hash,
                kind=kind,
                phase="live",
                language=language,
                nonce="nonce-of-this-test",
                consents=[ConsentGiven("sensitive_questions", False, sensitive, language, "1", "May we?")],
                draw=lambda places: plan.build(parsed, shown, places, rng=rng),
                option_order=plan.option_order(parsed, rng=rng),
                utc_offset_min=0,
            )
        monkeypatch.setattr(
            session, "_cookies", lambda: {"facenorm-demo": token, "facenorm-preview.demo": token}
        )
        return begun

    return make


def visit(**query):
    """Open the participant's page as the browser would, with this link."""
    page = AppTest.from_file(str(PROJECT / "pages" / "main.py"), default_timeout=60)
    for name, value in {"study": "demo", **query}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def elements(page):
    """The data of the page's own elements."""
    return [
        json.loads(element.proto.json or element.proto.mixed.json) for element in page.get("bidi_component")
    ]


def markup(page):
    return "".join(element.get("html", "") for element in elements(page))


def answer_all(installation, begun):
    with engine.writing(installation) as conn:
        for trial in sessions.trials(conn, begun.session_id):
            label = Response("emotion", "answered", label="happy", rt_first_ms=900.0, rt_submit_ms=3000.0)
            values = [
                Response(scale, "answered", value=40.0, rt_first_ms=1000.0, rt_submit_ms=3000.0)
                for scale in ("intensity", "valence", "arousal", "naturalness")
            ]
            answers.store(
                conn,
                begun.session_id,
                Answer(trial.trial_id, 1, (label, *values), Evidence(True)),
                back=False,
            )


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_welcome_asks_for_consent_in_each_language_and_stores_nothing(installation, version, language):
    page = visit(lang=language)
    page.run()  # a rerun is no second opening
    words = i18n.words(language)
    shown = markup(page)
    assert words["welcome.begin"] in shown
    assert words["welcome.decline"] in shown
    assert words["welcome.age"].format(age=18) in shown
    assert shown.count('type="checkbox"') == 6  # five consent items and the age
    assert shown.count(" required>") == 4
    assert {element["lang"] for element in elements(page)} == {language}
    with engine.reading(installation) as conn:
        flow = sessions.flow(conn, "demo")
    assert (flow.opened, flow.began) == (1, 0)


def test_consent_with_blanks_is_marked_as_a_template(version):
    assert i18n.words("en")["welcome.template"] in markup(visit())


def test_a_problem_is_told_and_an_invented_one_is_not(version):
    assert i18n.words("en")["welcome.problem.consent"] in markup(visit(problem="consent"))
    assert 'role="alert"' not in markup(visit(problem="<script>"))


def test_words_of_a_study_cannot_become_markup(installation, tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    load(installation, folder, ("en: What do these faces show?", "en: <img src=x onerror=alert(1)>"))
    shown = markup(visit())
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


def test_declining_thanks_and_offers_the_way_back(version):
    shown = markup(visit(declined="1"))
    assert i18n.words("en")["welcome.declined.text"] in shown
    assert "<form" not in shown


def test_a_link_to_no_study_says_so(installation):
    assert i18n.words("en")["nostudy.title"] in markup(visit(study="unknown"))


def test_a_preview_says_that_it_does_not_count(installation, version):
    with engine.writing(installation) as conn:
        link = studies.make_link(conn, "demo", "preview")
    assert i18n.words("en")["welcome.preview"] in markup(visit(link=link))


def test_about_you_asks_what_is_on(begin):
    begin()
    shown = markup(visit())
    assert 'id="q-age"' in shown
    assert shown.count('name="gender"') == 5
    assert 'data-field="country"' not in shown, "a question that is off is not asked"


def test_about_you_comes_back_with_what_is_stored(installation, begin):
    begun = begin()
    with engine.writing(installation) as conn:
        sessions.save_about(conn, begun.session_id, "age", 34)
    assert 'value="34"' in markup(visit())


def past_about_you(installation, begun):
    with engine.writing(installation) as conn:
        sessions.save_about(conn, begun.session_id, "age", 34)
        sessions.save_about(conn, begun.session_id, "gender", "man")


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_instructions_show_the_keys_and_start_is_remembered(installation, begin, language):
    begun = begin(language=language)
    past_about_you(installation, begun)
    page = visit()
    assert "<kbd>Enter</kbd>" in markup(page)
    page.button(key="start").click().run()
    with engine.reading(installation) as conn:
        assert sessions.trials(conn, begun.session_id)
    assert "trials" in elements(page)[-1]


def rating(installation, begun):
    past_about_you(installation, begun)
    with engine.writing(installation) as conn:
        sessions.mark_instructions(conn, begun.session_id)
    return elements(visit())[-1]


def test_the_element_gets_the_stored_plan_and_no_file_name_or_emotion(installation, begin):
    begun = begin(language="ko")
    data = rating(installation, begun)
    with engine.reading(installation) as conn:
        planned = sessions.trials(conn, begun.session_id)
        served = {s.stimulus_id: s.served_sha256 for s in studies.stimuli(conn, begun.config_hash)}
    assert [trial["id"] for trial in data["trials"]] == [trial.trial_id for trial in planned]
    assert [trial["stimuli"][0]["src"] for trial in data["trials"]] == [
        f"/api/stimuli/{served[trial.shown[0].stimulus_id]}" for trial in planned
    ]
    assert ".png" not in json.dumps(data)
    assert "id01" not in json.dumps(data)
    assert data["words"]["trial.next"] == "다음"


def test_the_element_gets_scales_as_data(installation, begin):
    begun = begin()
    scales = rating(installation, begun)["scales"]
    assert list(scales) == ["emotion", "intensity", "valence", "arousal", "naturalness"]
    assert [option["code"] for option in scales["emotion"]["options"]] == list(begun.option_order["emotion"])
    assert scales["intensity"]["after"] == "emotion"
    assert scales["intensity"]["not_after"] == ["neutral", "other"]
    assert scales["valence"]["anchors"] == {"low": "Unpleasant", "middle": None, "high": "Pleasant"}


def test_the_code_appears_when_the_server_holds_every_answer(installation, begin):
    begun = begin()
    past_about_you(installation, begun)
    with engine.writing(installation) as conn:
        sessions.mark_instructions(conn, begun.session_id)
    page = visit()
    assert begun.completion_code not in markup(page)
    answer_all(installation, begun)
    page.run()
    assert begun.completion_code in markup(page)
    assert elements(page)[-1]["forget"] == begun.session_id
    with engine.reading(installation) as conn:
        assert sessions.flow(conn, "demo").completed == 1


def test_who_did_not_agree_to_sensitive_questions_is_not_asked_them(begin):
    begin(sensitive=False)
    shown = markup(visit())
    assert 'name="gender"' not in shown
    assert 'id="q-age"' in shown
