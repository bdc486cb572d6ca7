"""Participant pages, run by AppTest on a real database."""

import json
import random
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import cookies, i18n, plan, stimuli
from core import study as study_files
from core.records import Answer, ConsentGiven, Evidence, Response
from core.settings import PROJECT
from db import codes, engine, external, questionnaires, sessions, studies
from db.schema import session as session_table
from db.schema import tally
from db.statements import now
from pages.api import store
from pages.ui import session
from tests import storing, variants

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
            storing.store(conn, Answer(trial.trial_id, 1, (label, *values), Evidence(True)))


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
        questionnaires.save(conn, begun.session_id, None, {"age": 34})
    assert 'value="34"' in markup(visit())


def past_about_you(installation, begun):
    with engine.writing(installation) as conn:
        questionnaires.save(conn, begun.session_id, None, {"age": 34, "gender": "man"})


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


SEED = "seed: 2026"


@pytest.fixture
def recruited(installation, tmp_path, monkeypatch):
    """Open the demo with these settings of recruitment, and begin, and end, a session of it."""

    def make(settings, *, outcome=None, kind="human", external_id=None, changes=()):
        folder = tmp_path / "faces"
        folder.mkdir(exist_ok=True)
        version = load(installation, folder, (SEED, f"{SEED}\n{settings}"), *changes)
        if outcome is None:
            return None
        parsed, rng = study_files.from_json(version.content), random.Random(1)
        with engine.writing(installation) as conn:
            shown = studies.stimuli(conn, version.config_hash)
            begun, token = sessions.begin(
                conn,
                config_hash=version.config_hash,
                kind=kind,
                phase="live",
                language="en",
                nonce="nonce-of-this-test",
                consents=[],
                draw=lambda places: plan.build(parsed, shown, places, rng=rng),
                option_order={},
                utc_offset_min=0,
            )
            if external_id:
                external.add(conn, begun, external_id, {"sub": "s&1"}, salt="0" * 32)
            ended = begun if outcome == "running" else sessions.end(conn, begun.session_id, outcome)
        monkeypatch.setattr(
            session, "_cookies", lambda: {f"facenorm-{cookies.session_key('demo', kind)}": token}
        )
        return ended

    return make


def test_a_fixed_code_is_the_same_for_all_and_leads_back(recruited):
    ended = recruited(
        "recruitment: {route: prolific, code: fixed, fixed_code: C1&2, complete_url: 'https://x.example/?cc={code}'}",
        outcome="complete",
        external_id="abc",
    )
    shown = markup(visit())
    assert "C1&amp;2" in shown
    assert ended.completion_code not in shown
    assert 'href="https://x.example/?cc=C1%262"' in shown
    assert 'data-after="20"' in shown


def test_a_code_of_the_pool_is_given_once(installation, recruited):
    ended = recruited("recruitment: {route: codes, code: pool}", outcome="complete")
    with engine.writing(installation) as conn:
        codes.load(conn, "demo", ["POOL-1", "POOL-2"])
    page = visit()
    page.run()
    again = visit()
    assert "POOL-1" in markup(page)
    assert "POOL-1" in markup(again)
    with engine.reading(installation) as conn:
        assert codes.left(conn, "demo") == 1
        assert codes.held(conn, ended.session_id) == "POOL-1"


def test_an_empty_pool_names_the_contact_and_is_logged(recruited, caplog):
    ended = recruited("recruitment: {route: codes, code: pool}", outcome="complete")
    shown = markup(visit())
    assert i18n.words("en")["done.empty"].format(contact="faces@example.org") in shown
    assert ended.completion_code in shown
    assert "no completion code left" in caplog.text
    assert ended.session_id not in caplog.text


def test_a_preview_takes_no_code_from_the_pool(installation, recruited):
    recruited("recruitment: {route: codes, code: pool}", outcome="complete", kind="preview")
    with engine.writing(installation) as conn:
        codes.load(conn, "demo", ["POOL-1"])
        link = studies.make_link(conn, "demo", "preview")
    shown = markup(visit(link=link))
    assert i18n.words("en")["done.preview"] in shown
    assert "POOL-1" not in shown


PANEL = (
    "recruitment: {route: panel, keep: [sub], complete_url: 'https://x.example/c?id={external_id}&s={sub}', "
    "screen_out_url: 'https://x.example/s?id={external_id}', quota_url: 'https://x.example/q?id={external_id}'}"
)


def test_who_was_screened_out_goes_where_the_panel_wants_them(recruited):
    recruited(PANEL, outcome="screened_out", external_id="a b")
    shown = markup(visit())
    assert i18n.words("en")["done.screened_out.text"] in shown
    assert 'href="https://x.example/s?id=a%20b"' in shown
    assert 'id="code"' not in shown


def test_nobody_is_sent_away_before_the_debriefing_is_read(recruited):
    told = "disclosure: after\ndebriefing: {en: 'No person.', ko: 'No.', ja: 'No.'}"
    recruited(f"{PANEL}\n{told}", outcome="screened_out", external_id="a b")
    page = visit()
    assert 'href="https://x.example/s?id=a%20b"' in markup(page)
    assert "data-after" not in markup(page)
    assert "No person." in [part.value for part in page.markdown]


def test_kept_parameters_go_back_and_a_forgotten_id_leaves_only_the_code(installation, recruited):
    ended = recruited(PANEL, outcome="complete", external_id="abc")
    assert 'href="https://x.example/c?id=abc&amp;s=s%261"' in markup(visit())
    with engine.writing(installation) as conn:
        external.mark_paid(conn, "demo", ended.session_id)
        external.forget(conn, {ended.config_hash: 0})
    shown = markup(visit())
    assert "x.example" not in shown
    assert ended.completion_code in shown


def test_a_lab_offers_the_next_participant_instead_of_a_way_back(recruited):
    recruited("recruitment: {route: lab, complete_url: 'https://x.example/'}", outcome="complete")
    shown = markup(visit())
    assert 'action="/api/next"' in shown
    assert 'data-after="60"' in shown
    assert "x.example" not in shown


def test_a_lab_asks_for_the_code_and_takes_it_into_the_form(recruited):
    recruited("recruitment: {route: lab}")
    page = visit()
    assert "<form" not in markup(page)
    page.button[0].click().run()
    assert page.error[0].value == i18n.words("en")["lab.code.missing"]
    page.text_input(key="lab.code").set_value("x" * 300)
    page.button[0].click().run()
    assert page.error[0].value == i18n.words("en")["lab.code.damaged"]
    page.text_input(key="lab.code").set_value(" p01 ")
    page.button[0].click().run()
    assert 'name="typed" value="P01"' in markup(page)


@pytest.mark.parametrize("problem", ["incomplete", "damaged"])
@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_a_link_that_cannot_be_used_says_whom_to_ask(installation, recruited, problem, language):
    recruited("recruitment: {route: prolific}")
    more = {"PROLIFIC_PID": "x" * 300} if problem == "damaged" else {}
    shown = markup(visit(lang=language, **more))
    assert i18n.words(language)[f"recruit.{problem}.title"] in shown
    assert "faces@example.org" in shown
    assert "<form" not in shown
    with engine.reading(installation) as conn:
        assert sessions.flow(conn, "demo").opened == 0


def test_a_worker_who_only_looks_can_read_and_not_begin(recruited):
    recruited("recruitment: {route: mturk}")
    shown = markup(visit(assignmentId="ASSIGNMENT_ID_NOT_AVAILABLE", hitId="h"))
    assert i18n.words("en")["recruit.unaccepted"] in shown
    assert "<form" not in shown


def test_the_link_goes_into_the_form_and_into_the_other_languages(recruited):
    recruited(PANEL)
    shown = markup(visit(id='a"b', sub="s&1", utm="x"))
    assert 'name="url.id" value="a&quot;b"' in shown
    assert 'name="url.sub" value="s&amp;1"' in shown
    assert "id=a%22b&amp;sub=s%261&amp;study=demo&amp;lang=ko" in shown
    assert "utm" not in shown


def test_a_full_study_thanks_counts_and_leads_back(installation, recruited):
    few = [
        ("ratings_per_stimulus: 20", "ratings_per_stimulus: 1"),
        ("per_participant: 3", "per_participant: 6"),
    ]
    recruited(PANEL, outcome="running", external_id="first", changes=few)
    page = visit(id="late")
    page.run()
    shown = markup(page)
    assert i18n.words("en")["recruit.full.text"] in shown
    assert 'href="https://x.example/q?id=late"' in shown
    assert "<form" not in shown
    with engine.reading(installation) as conn:
        assert conn.scalar(select(tally.c.n).where(tally.c.what == "full")) == 1
        assert sessions.flow(conn, "demo").opened == 0


def test_who_comes_back_without_a_cookie_is_known_by_the_id(recruited, monkeypatch):
    recruited(PANEL, outcome="complete", external_id="abc")
    monkeypatch.setattr(session, "_cookies", dict)
    shown = markup(visit(id="abc"))
    assert i18n.words("en")["recruit.ended.title"] in shown
    assert 'action="/api/return"' in shown
    assert 'name="url.id" value="abc"' in shown
    assert i18n.words("en")["welcome.begin"] in markup(visit(id="other"))


def test_the_cookie_of_another_participant_is_left_aside(recruited):
    ended = recruited(PANEL, outcome="complete", external_id="abc")
    assert ended.completion_code in markup(visit(id="abc"))
    assert ended.completion_code in markup(visit())
    assert ended.completion_code not in markup(visit(id="other"))


def test_the_page_for_stopping_promises_nothing_that_going_on_will_not_keep(installation, recruited):
    words = i18n.words("en")
    recruited("resume: {policy: refuse}", outcome="running")
    before = markup(visit(stop="1"))
    assert words["stop.on.text"] in before
    assert before.count('data-here="/api/here?at=demo"') == 2, "to go on, and to delete"
    with engine.writing(installation) as conn:
        conn.execute(update(session_table).values(last_seen_at=now() - timedelta(hours=1)))
    after = markup(visit(stop="1"))
    assert words["resume.refuse"] in after
    assert words["stop.on.text"] not in after
