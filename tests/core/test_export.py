"""Exports: every cell comes back, nobody is recognisable, and a million ratings need no more memory."""

import csv
import json
import re
import resource
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import export, norms, ratings
from core import study as studies
from core.errors import ExportError
from core.export import cells, codebook, fields, public, tally
from core.records import (
    AiResult,
    Participant,
    Picture,
    QuestionnaireAnswer,
    Score,
    Stimulus,
    StudyStimulus,
)
from core.study import Study
from core.study_design import IdentityPairs

PROJECT = Path(__file__).resolve().parents[2]

STUDY = """
study: faces
title: {en: Faces, ko: 얼굴}
contact: lab@example.org
languages: [en, ko]
consent:
  version: "1"
  intro: {en: Please read., ko: 읽어 주세요.}
  items:
    - id: part
      sensitive: true
      text: {en: I take part., ko: 참여합니다.}
about_you:
  - {id: age, kind: number, text: {en: Age, ko: 나이}, min: 18, max: 120}
  - id: gender
    kind: choice
    text: {en: Gender, ko: 성별}
    options: {woman: {en: woman, ko: 여성}, man: {en: man, ko: 남성}, other: {en: other, ko: 기타}}
  - {id: remarks, kind: text, text: {en: Remarks, ko: 의견}}
  - {id: diagnosis, kind: choice, sensitive: true, enabled: true, text: {en: Diagnosis, ko: 진단},
     options: {some: {en: some, ko: 있음}, none: {en: none, ko: 없음}}}
scales:
  emotion:
    kind: choice
    question: {en: Which emotion?, ko: 어떤 감정입니까?}
    source: Ekman (1992)
    status: published
    options: {happy: {en: happy, ko: 기쁨}, sad: {en: sad, ko: 슬픔}}
  valence:
    kind: vas
    question: {en: "How pleasant, if at all?", ko: "얼마나 유쾌합니까?"}
    source: Russell (1980)
    status: published
    polarity: bipolar
    zero: 50
    anchors: {low: {en: unpleasant, ko: 불쾌}, high: {en: pleasant, ko: 쾌}}
questionnaires:
  - id: habits
    when: after
    title: {en: Habits, ko: 습관}
    questions:
      - {id: hours, kind: number, min: 0, max: 24, text: {en: "Hours of films, about", ko: 영화 시간}}
      - {id: job, kind: choice, text: {en: Job, ko: 직업},
         options: {arts: {en: arts, ko: 예술}, trade: {en: trade, ko: 상업}}}
      - {id: why, kind: text, text: {en: Why, ko: 이유}}
      - {id: illness, kind: choice, sensitive: true, enabled: true, text: {en: Illness, ko: 질병},
         options: {some: {en: some, ko: 있음}, none: {en: none, ko: 없음}}}
      - id: mood
        kind: likert
        text: {en: I feel, ko: 기분}
        options: {low: {en: not at all, ko: 전혀}, high: {en: very, ko: 매우}}
        items: [{id: calm, text: {en: calm, ko: 차분한}}, {id: glad, text: {en: glad, ko: 기쁜}}]
ask: [emotion, valence]
stimuli: {folder: pictures, manifest: manifest.csv, emotions: [happy, sad]}
trials: {per_participant: 2, ratings_per_stimulus: 2}
"""
HASH = "d" * 64
MOMENT = datetime(2026, 11, 3, 4, 5, 6, 789000, tzinfo=UTC)
SECRETS = (
    "2026-11",
    "04:05:06",
    "session-",
    "trial-",
    "row-number-",
    "375x667",
    "1920x1080",
    "wrote to me",
    "=HYPERLINK",
    "private-person",
    "diagnosis",
    "remarks",
    "illness",
    "my cousin",
    "prolific-",
    "=2+3",
    "c4talogue",
)


@pytest.fixture(scope="module")
def study() -> Study:
    return studies.parse(STUDY, path="study.yaml")


def stimulus(number: int, **changed: object) -> StudyStimulus:
    picture = Stimulus(
        stimulus_id=f"stim{number}",
        stim_file=f"id{number}_happy.png",
        stim_sha256=f"{number:064x}",
        served_sha256=f"{number + 100:064x}",
        width_px=512,
        height_px=512,
        identity_id=f"id{number}",
        intended_emotion="happy",
        extra={"camera": "=cmd|' /C calc'!A0"},
    )
    return StudyStimulus("faces", 1, HASH, replace(picture, **changed), excluded=False, exclusion_reason=None)


STIMULI = (
    stimulus(1),
    stimulus(2, reference_file="private-person.png"),
    stimulus(3, stim_file="private-person.png", publishable=False),
)


def participant(number: int) -> Participant:
    return Participant(
        session_id=f"session-{number}",
        study_id="faces",
        study_version=1,
        config_hash=HASH,
        kind="human",
        phase="live",
        language="ko" if number % 2 else "en",
        utc_offset_min=540,
        began_at=MOMENT,
        completed_at=MOMENT if number else None,
        about={
            "age": 34.0 if number != 3 else 81.0,
            "gender": "woman" if number != 4 else "other",
            "remarks": '=HYPERLINK("x")',
            "diagnosis": "some",
        },
        consents={"part": True, "sharing": number != 5},
        excluded=number == 6,
        completion_code="AB23CD45",
        exclusion_reason="wrote to me, asked to be left out" if number == 6 else None,
        task_order=("faces", "feelings"),
        outcome="complete" if number else None,
        ended_at=MOMENT if number else None,
        returns=number % 2,
        catalogue_sha256="c4talogue",
        app="0.1.0+6f1c2a9e",
        px_per_cm=37.8,
        n_checks=2,
        n_checks_passed=number % 3,
        practice_attempts=1,
    )


PARTICIPANTS = tuple(participant(number) for number in range(16))


def said(number: int) -> Iterator[QuestionnaireAnswer]:
    """What one participant answered in the questionnaire; the one of session 4 has a rare job."""
    given = {
        ("hours", None): 2.0 if number % 2 else 3.0,
        ("job", None): "arts" if number == 4 else "trade",
        ("why", None): "=2+3, said my cousin",
        ("illness", None): "some",
        ("mood", "calm"): "low" if number == 2 else "high",
        ("mood", "glad"): None,
    }
    for (question_id, item_id), value in given.items():
        yield QuestionnaireAnswer(
            session_id=f"session-{number}",
            study_id="faces",
            study_version=1,
            config_hash=HASH,
            questionnaire_id="habits",
            question_id=question_id,
            item_id=item_id,
            value=value,
            saved_at=MOMENT,
        )


def rating(who: int, shown: int, scale: str) -> ratings.Row:
    face = STIMULI[shown].stimulus
    return {
        **dict.fromkeys(ratings.COLUMNS),
        "row_id": f"row-number-{who}-{shown}-{scale}",
        "study_id": "faces",
        "study_version": 1,
        "config_hash": HASH,
        "subject_id": f"session-{who}",
        "session_id": f"session-{who}",
        "rater_type": "human",
        "rater_id": f"session-{who}",
        "block": 1,
        "trial_id": f"trial-{who}-{shown}",
        "trial_index": shown + 1,
        "is_practice": False,
        "is_attention": False,
        "is_repeat": False,
        "stimulus_id": face.stimulus_id,
        "stim_file": face.stim_file,
        "stim_sha256": face.stim_sha256,
        "identity_id": face.identity_id,
        "intended_emotion": face.intended_emotion,
        "scale_id": scale,
        "scale_min": 0.0 if scale == "valence" else None,
        "scale_max": 100.0 if scale == "valence" else None,
        "response": who * 3.5 if scale == "valence" else None,
        "response_label": None if scale == "valence" else ("sad" if who % 3 == 0 else "happy"),
        "option_order": None if scale == "valence" else ("sad", "happy"),
        "rt_first_ms": 812.25,
        "rt_submit_ms": 1490.5,
        "onset_ok": True,
        "n_changes": 1,
        "blur_count": 0,
        "input_device": "touch",
        "viewport": "375x667@2" if who % 2 else "1920x1080@1",
        "saved_at_utc": "2026-11-03T04:05:06.789Z",
        "excluded": who == 6,
        "exclusion_reason": "wrote to me, asked to be left out" if who == 6 else None,
        "task": "all",
        "is_foil": False,
        "attempt": 1,
        "superseded": False,
        "revision": 1,
        "status": "answered",
        "decode_ms": 3.5,
        "paint_ms": 8.25,
        "frame_sd_ms": 0.75,
        "hidden_count": 0,
        "app": "6f1c2a9e",
    }


def all_ratings() -> Iterator[ratings.Row]:
    for who in range(len(PARTICIPANTS)):
        for shown in range(len(STIMULI)):
            yield from (rating(who, shown, scale) for scale in ("emotion", "valence"))


def all_ai_ratings() -> Iterator[ratings.Row]:
    shown = {one.stimulus.served_sha256: one.stimulus for one in STIMULI}
    results = (
        AiResult(
            served_sha256=served,
            rater_id="mini-xception",
            rater_version="1",
            weights_sha256="c" * 64,
            detector="yunet",
            status="ok",
            reason="",
            scores=(Score("emotion", label="happy"),),
            probabilities={"happy": 0.75},
        )
        for served in shown
    )
    return ratings.ai_rows(results, shown, study_id="faces", study_version=1, config_hash=HASH)


@pytest.fixture
def tables(study: Study) -> export.Tables:
    return export.Tables(
        study=study,
        ratings=all_ratings,
        ai_ratings=all_ai_ratings,
        participants=lambda: PARTICIPANTS,
        questionnaires=lambda: (answer for number in range(len(PARTICIPANTS)) for answer in said(number)),
        stimuli=lambda: STIMULI,
        external_ids={one.session_id: f"prolific-{one.session_id}" for one in PARTICIPANTS[:3]},
        sharing={one.session_id for one in PARTICIPANTS if one.consents["sharing"]},
        picture=lambda sha256: Picture(sha256, "image/png", b"\x89PNG" + sha256.encode()),
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# ---- cells


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd",
        "-x",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "  =1",
        "＝1+1",
        "＋1x",
        "－x",
        "＠x",
        "'=1",
        "\ufeff=1",
    ],
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str):
    assert export.escape(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["-0.4", "+3", "-1e-07", "happy", "감정", "無表情", "o'clock", "'quoted'", "a=b", ""]
)
def test_numbers_and_plain_texts_stay(text: str):
    assert export.escape(text) == text


@given(st.text(alphabet=st.sampled_from("=+-@'\t\r\n 1.e a＝감\ufeff"), max_size=8) | st.text())
def test_escaping_is_reversible(text: str):
    assert export.unescape(export.escape(text)) == text


@given(st.text())
def test_no_escaped_cell_begins_a_formula(text: str):
    cell = export.escape(text)
    first = cell.lstrip().lstrip("\ufeff")[:1]
    assert first not in set("=+-@＝＋－＠") or re.fullmatch(r"[+-](\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", cell)


@pytest.mark.parametrize("excel", [False, True])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5))
def test_texts_come_back_from_csv_and_pandas(tmp_path: Path, excel: bool, texts: list[str]):
    texts = ['새로\n고침, "따옴표"\r\n', "喜び;悲しみ", "=1", "NA", *texts]
    path = tmp_path / "sheet.csv"
    rows = [{"row_id": text, "response": -0.4} for text in texts]
    kinds = {"row_id": "text", "response": "number"}
    export.sheets.write(path, kinds, ratings.chunks(rows, ("row_id", "response")), excel=excel)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") == excel
    back = read(path)
    assert [export.unescape(row["row_id"]) for row in back] == texts
    assert {row["response"] for row in back} == {"-0.4"}
    frame = pd.read_csv(path, keep_default_na=False, na_values={"response": [""]}, encoding="utf-8-sig")
    assert [export.unescape(cell) for cell in frame["row_id"].astype(str)][:4] == texts[:4]
    assert frame["response"].dtype == "float64"


def test_missing_is_an_empty_cell_and_numbers_stay_exact():
    assert cells.formatter("number")([None, float("nan"), 0.1, -0.4]) == ["", "", "0.1", "-0.4"]
    assert cells.formatter("boolean")([True, False, None, 1, 0]) == ["true", "false", "", "true", "false"]
    assert cells.formatter("time")([MOMENT, "2026-11-03T04:05:06.789Z", None]) == [
        "2026-11-03T04:05:06.789Z",
        "2026-11-03T04:05:06.789Z",
        "",
    ]


# ---- the whole folder


def test_a_private_export_holds_everything(tmp_path: Path, tables: export.Tables):
    counts = export.write(tmp_path / "out", tables, public=False)
    assert counts["ratings.csv"] == 16 * 3 * 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [*fields.FILES, "codebook.csv", "stimuli"]
    )
    rows = read(tmp_path / "out/ratings.csv")
    assert tuple(rows[0]) == ratings.COLUMNS
    assert rows[0]["option_order"] == "sad|happy"
    assert rows[0]["saved_at_utc"] == "2026-11-03T04:05:06.789Z"
    people = read(tmp_path / "out/participants.csv")
    assert people[3]["about_age"] == "81"
    assert people[3]["about_remarks"] == '\'=HYPERLINK("x")'
    assert people[5]["consent_sharing"] == "false"
    stimuli = read(tmp_path / "out/stimuli.csv")
    assert [row["publishable"] for row in stimuli] == ["true", "true", "false"]
    assert stimuli[0]["extra_camera"].startswith("'=cmd")


def test_the_long_table_survives_its_file(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables, public=False)
    back = pd.read_csv(tmp_path / "out/ratings.csv", keep_default_na=False, na_values=[""])
    before = ratings.long(all_ratings())
    assert back["response"].equals(before["response"])
    assert (
        back["response_label"].fillna("").tolist() == before["response_label"].astype(str).fillna("").tolist()
    )
    assert back["excluded"].tolist() == before["excluded"].tolist()


def test_originals_leave_unchanged(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables, public=False)
    sha256 = STIMULI[0].stimulus.stim_sha256
    assert (tmp_path / "out/stimuli/id1_happy.png").read_bytes() == b"\x89PNG" + sha256.encode()


def test_two_versions_of_a_picture_keep_both_files(tmp_path: Path, tables: export.Tables):
    second = stimulus(9, stim_file="id1_happy.png")
    export.write(tmp_path / "out", replace(tables, stimuli=lambda: (*STIMULI, second)), public=False)
    assert (tmp_path / f"out/stimuli/id1_happy-{second.stimulus.stim_sha256[:8]}.png").is_file()


def test_a_picture_cannot_leave_its_folder(tmp_path: Path, tables: export.Tables):
    bad = stimulus(9, stim_file="../../evil.png")
    with pytest.raises(ExportError, match="leaves the folder"):
        export.write(tmp_path / "out", replace(tables, stimuli=lambda: (bad,)), public=False)
    assert list(tmp_path.iterdir()) == []


def test_norms_are_those_of_the_rows_in_the_file(tmp_path: Path, tables: export.Tables, study: Study):
    export.write(tmp_path / "out", tables, public=False)
    expected = norms.table(ratings.long(all_ratings()), study.scales)
    found = pd.read_csv(tmp_path / "out/norms.csv")
    assert found.columns.tolist() == expected.columns.tolist()
    assert found["valence_m"].tolist() == pytest.approx(expected["valence_m"].tolist(), rel=1e-12)
    assert found["emotion_h"].tolist() == pytest.approx(expected["emotion_h"].tolist(), rel=1e-12)
    assert set(found["emotion_n"]) == {15}  # 16 people, one excluded


@pytest.mark.parametrize("batch", [1, 40, 10_000])
def test_counted_norms_equal_those_of_the_long_table(study: Study, batch: int):
    counts = tally.Tally(batch=batch)
    for chunk in ratings.chunks(all_ratings(), ratings.COLUMNS):
        counts.add(chunk)
    expected = norms.table(ratings.long(all_ratings()), study.scales)
    pd.testing.assert_frame_equal(counts.norms(study.scales), expected, check_dtype=False, rtol=1e-12)


def test_foils_and_superseded_rows_are_in_the_file_but_not_in_the_norms(
    tmp_path: Path, tables: export.Tables
):
    changed = {1: {"is_foil": True}, 2: {"superseded": True}, 3: {"status": "cannot_tell", "response": None}}
    rows = [{**rating(who, 0, "valence"), **changed.get(who, {})} for who in range(1, 6)]
    export.write(tmp_path / "out", replace(tables, ratings=lambda: rows), public=False)
    (norm,) = read(tmp_path / "out/norms.csv")
    assert len(read(tmp_path / "out/ratings.csv")) == 5
    found = [norm[f"valence_{name}"] for name in ("n", "n_cannot_tell", "n_not_applicable", "m")]
    assert found == ["2", "1", "0", str((4 + 5) * 3.5 / 2)]
    assert norm["same_identity_n"] == "0"  # a scale that nobody rated


def test_a_label_of_an_earlier_version_is_counted(study: Study):
    counts = tally.Tally()
    rows = [
        {**rating(who, 0, "emotion"), "response_label": label} for who, label in enumerate(["awe", "happy"])
    ]
    for chunk in ratings.chunks(rows, ratings.COLUMNS):
        counts.add(chunk)
    table = counts.norms(study.scales)
    assert (table["emotion_n"][0], table["emotion_proportion_awe"][0]) == (2, 0.5)


def test_a_response_code_named_like_a_statistic_keeps_its_proportion(tmp_path: Path, tables: export.Tables):
    choice = tables.study.scales["emotion"]
    options = {"y": choice.options["happy"], "n": choice.options["sad"]}
    artificial = choice.model_copy(update={"options": options})
    pleasant = tables.study.scales["valence"]
    # The second name ends as if it were a share of the first one's.
    scales = {"artificial": artificial, "x_proportion": pleasant}
    changed = {"scales": scales, "ask": tuple(scales), "identity_pairs": IdentityPairs(per_participant=0)}
    study = tables.study.model_copy(update=changed)
    rows = [
        {**rating(who, 0, "emotion"), "scale_id": "artificial", "response_label": label}
        for who, label in enumerate("nyy")
    ] + [{**rating(who, 0, "valence"), "scale_id": "x_proportion"} for who in range(3)]
    export.write(tmp_path / "out", replace(tables, study=study, ratings=lambda: rows), public=False)
    (norm,) = read(tmp_path / "out/norms.csv")
    assert (norm["artificial_n"], norm["x_proportion_n"]) == ("3", "3")
    shares = [float(norm[f"artificial_proportion_{code}"]) for code in "yn"]
    assert shares == pytest.approx([2 / 3, 1 / 3], rel=1e-12)
    units = {row["column"]: row["units"] for row in read(tmp_path / "out/codebook.csv")}
    assert units["artificial_proportion_n"] == "proportion"
    assert units["x_proportion_n"] == "people"


def test_an_empty_study_gives_headers_alone(tmp_path: Path, tables: export.Tables):
    none = replace(tables, ratings=lambda: (), ai_ratings=lambda: (), participants=lambda: ())
    counts = export.write(tmp_path / "out", none)
    assert counts["ratings.csv"] == counts["norms.csv"] == counts["participants.csv"] == 0
    assert (tmp_path / "out/ratings.csv").read_text().strip() == ",".join(ratings.COLUMNS)


def test_where_nobody_agreed_there_are_headers_alone(tmp_path: Path, tables: export.Tables):
    counts = export.write(tmp_path / "out", replace(tables, sharing=(), ai_ratings=lambda: ()))
    assert counts["ratings.csv"] == counts["norms.csv"] == counts["questionnaires.csv"] == 0
    assert (tmp_path / "out/ratings.csv").read_text().strip() == ",".join(ratings.COLUMNS)


# ---- public


@pytest.fixture
def shared_folder(tmp_path: Path, tables: export.Tables) -> Path:
    export.write(tmp_path / "public", tables)
    return tmp_path / "public"


def test_nothing_private_is_in_a_public_export(shared_folder: Path):
    text = "".join(path.read_text(encoding="utf-8") for path in shared_folder.glob("*.csv"))
    data = text.replace((shared_folder / "codebook.csv").read_text(encoding="utf-8"), "")
    assert [secret for secret in SECRETS if secret in data] == []
    for number in range(16):
        assert f"session-{number}" not in text


def test_only_those_who_agreed_are_in_it(shared_folder: Path):
    people = {row["session_id"] for row in read(shared_folder / "participants.csv")}
    assert len(people) == 15
    assert {row["session_id"] for row in read(shared_folder / "ratings.csv")} == people
    assert set(pd.read_csv(shared_folder / "norms.csv")["valence_n"]) == {14}


def test_unpublishable_stimuli_stay_out_with_their_rows(shared_folder: Path):
    for file in ("ratings.csv", "norms.csv", "stimuli.csv", "ai_ratings.csv"):
        assert {row["stimulus_id"] for row in read(shared_folder / file)} == {"stim1", "stim2"}
    assert {row["reference_file"] for row in read(shared_folder / "stimuli.csv")} == {""}
    assert sorted(path.name for path in (shared_folder / "stimuli").iterdir()) == [
        "id1_happy.png",
        "id2_happy.png",
    ]


def test_ids_agree_inside_an_export(shared_folder: Path):
    rows = read(shared_folder / "ratings.csv")
    assert {row["subject_id"] for row in rows} == {
        row["subject_id"] for row in read(shared_folder / "participants.csv")
    }
    assert all(row["rater_id"] == row["subject_id"] for row in rows)
    assert len({row["row_id"] for row in rows}) == len(rows)
    assert set(Counter(row["trial_id"] for row in rows).values()) == {2}  # the two scales of a trial
    assert {row["rater_id"] for row in read(shared_folder / "ai_ratings.csv")} == {"mini-xception"}


def test_ids_of_two_exports_have_nothing_in_common(
    tmp_path: Path, tables: export.Tables, shared_folder: Path
):
    export.write(tmp_path / "again", tables)
    for column in ("row_id", "trial_id", "session_id", "subject_id"):
        one, other = (
            {row[column] for row in read(folder / "ratings.csv")}
            for folder in (shared_folder, tmp_path / "again")
        )
        assert one.isdisjoint(other)


def test_rows_do_not_tell_who_came_when(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables, key=b"fixed")
    rows = read(tmp_path / "out/ratings.csv")
    sessions = list(dict.fromkeys(row["session_id"] for row in rows))
    assert sessions == sorted(sessions)
    first = [row for row in rows if row["session_id"] == sessions[0]]
    assert [row["trial_index"] for row in first] == ["1", "1", "2", "2"]
    people = [row["session_id"] for row in read(tmp_path / "out/participants.csv")]
    assert people == sorted(people)


def test_devices_and_ages_are_classes(shared_folder: Path):
    assert {row["viewport"] for row in read(shared_folder / "ratings.csv")} == {"phone", "desktop"}
    people = read(shared_folder / "participants.csv")
    assert {row["about_age"] for row in people} == {"25-34", ""}  # the one of 81 is blank
    assert {row["about_gender"] for row in people} == {"woman", ""}  # the one "other" is blank


def test_questionnaires_leave_as_they_were_answered(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables, public=False)
    rows = read(tmp_path / "out/questionnaires.csv")
    assert len(rows) == 16 * 6
    own = {(row["question_id"], row["item_id"]): row for row in rows if row["session_id"] == "session-4"}
    assert own["hours", ""]["value"] == "3"
    assert own["mood", "glad"]["value"] == ""
    assert export.unescape(own["why", ""]["value"]) == "=2+3, said my cousin"
    assert own["job", ""]["saved_at_utc"] == "2026-11-03T04:05:06.789Z"


def test_of_questionnaires_only_what_identifies_nobody_is_shared(shared_folder: Path):
    rows = read(shared_folder / "questionnaires.csv")
    assert {row["question_id"] for row in rows} == {"hours", "job", "mood"}
    assert {row["saved_at_utc"] for row in rows} == {""}
    people = [row["session_id"] for row in read(shared_folder / "participants.csv")]
    assert list(dict.fromkeys(row["session_id"] for row in rows)) == people
    jobs = Counter(row["value"] for row in rows if row["question_id"] == "job")
    assert jobs == {"trade": 13, "": 2}  # the rare one; and what nobody shares with a rare combination
    # Lines of a Likert list are opinions, as ratings are: the single "low" stays.
    calm = Counter(row["value"] for row in rows if row["item_id"] == "calm")
    assert calm == {"high": 14, "low": 1}


def test_facts_of_questionnaires_are_shared_by_five_together_with_those_about_the_participant(
    shared_folder: Path,
):
    facts = {
        row["session_id"]: (row["language"], row["about_age"], row["about_gender"])
        for row in read(shared_folder / "participants.csv")
    }
    for row in read(shared_folder / "questionnaires.csv"):
        if not row["item_id"]:
            facts[row["session_id"]] += (row["value"],)
    assert all(n >= public.K for known, n in Counter(facts.values()).items() if any(known))


def test_external_ids_leave_only_where_a_private_export_asks_for_them(
    tmp_path: Path, tables: export.Tables, shared_folder: Path
):
    export.write(tmp_path / "asked", tables, public=False)
    asked = read(tmp_path / "asked/participants.csv")
    assert [row["external_id"] for row in asked][:4] == [f"prolific-session-{n}" for n in range(3)] + [""]
    export.write(tmp_path / "out", replace(tables, external_ids=None), public=False)
    assert "external_id" not in read(tmp_path / "out/participants.csv")[0]
    # That nothing of them is in a public one is held by the test of secrets.
    assert "external_id" not in read(shared_folder / "participants.csv")[0]


def test_how_sessions_went_is_shared_without_when_or_on_which_screen(
    tmp_path: Path, tables: export.Tables, shared_folder: Path
):
    export.write(tmp_path / "out", tables, public=False)
    private, shared = (read(folder / "participants.csv") for folder in (tmp_path / "out", shared_folder))
    kept = ("task_order", "disclosure", "n_checks", "practice_attempts", "app")
    assert {tuple(row[name] for name in kept) for row in shared} == {
        ("faces|feelings", "before", "2", "1", "0.1.0+6f1c2a9e")
    }
    assert Counter(row["outcome"] for row in shared) == {"complete": 14, "": 1}
    dropped = ("ended_at_utc", "catalogue_sha256", "px_per_cm")
    assert {tuple(row[name] for name in dropped) for row in shared} == {("", "", "")}
    assert [private[1][name] for name in dropped] == ["2026-11-03T04:05:06.789Z", "c4talogue", "37.8"]


def test_a_picture_that_may_not_be_published_is_not_named_beside_another(
    tmp_path: Path, tables: export.Tables
):
    hidden, shown = STIMULI[2].stimulus, STIMULI[1].stimulus
    pairs = [
        {
            **rating(1, 0, "valence"),
            "row_id": f"row-number-{side.stimulus_id}",
            "reference_stimulus_id": side.stimulus_id,
            "reference_identity_id": side.identity_id,
            "target_side": "left",
        }
        for side in (hidden, shown)
    ]
    export.write(tmp_path / "out", replace(tables, ratings=lambda: pairs))
    rows = read(tmp_path / "out/ratings.csv")
    assert [(row["reference_stimulus_id"], row["reference_identity_id"]) for row in rows] == [
        ("", ""),
        (shown.stimulus_id, shown.identity_id),
    ]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (17, "under 18"),
        (18, "18-24"),
        (24.9, "18-24"),
        (25, "25-34"),
        ("64", "55-64"),
        (65, "65 and over"),
        (104, "65 and over"),
        (None, None),
        ("old", None),
        (-1, None),
        (float("nan"), None),
        (400, None),
    ],
)
def test_ages_fall_into_bands(age: ratings.Value, band: str | None):
    assert public.age_band(age) == band


@pytest.mark.parametrize(
    ("viewport", "device"),
    [
        ("375x667@2", "phone"),
        ("844x390@3", "phone"),
        ("768x1024@2", "tablet"),
        ("1366x650@1", "desktop"),
        (None, None),
        ("Mozilla/5.0", None),
    ],
)
def test_windows_fall_into_classes(viewport: str | None, device: str | None):
    assert public.device(viewport) == device


FACTS = st.dictionaries(
    st.integers(0, 200).map(str),
    st.tuples(
        st.sampled_from(["en", "ko"]),
        st.sampled_from([None, "f", "m", "o"]),
        st.sampled_from(["18-24", "25-34"]),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(facts=FACTS, k=st.integers(1, 6))
def test_what_is_published_of_a_participant_is_shared_by_k(facts: dict[str, public.Facts], k: int):
    published = public.suppress(facts, k=k)
    assert published.keys() == facts.keys()
    for who, values in published.items():
        # Nothing is made up, only blanked.
        assert all(value in (None, true) for value, true in zip(values, facts[who], strict=True))
    classes = Counter(published.values())
    assert all(n >= k for values, n in classes.items() if any(value is not None for value in values))
    for size in (1, 2, 3):
        for chosen in combinations(range(3), size):
            parts = Counter(tuple(values[i] for i in chosen) for values in published.values())
            assert all(n >= k for values, n in parts.items() if None not in values)


@given(facts=FACTS)
def test_nothing_is_blanked_where_every_class_is_large(facts: dict[str, public.Facts]):
    many = {f"{who}-{copy}": values for who, values in facts.items() for copy in range(5)}
    assert public.suppress(many, k=5) == many


# ---- the folder appears whole or not at all


def test_a_folder_in_use_is_refused_or_replaced_on_request(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables)
    with pytest.raises(ExportError, match="give another folder or ask to replace it"):
        export.write(tmp_path / "out", tables)
    export.write(tmp_path / "out", tables, public=False, replace=True)
    assert len(read(tmp_path / "out/participants.csv")) == 16
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_an_export_is_ever_replaced(tmp_path: Path, tables: export.Tables):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    with pytest.raises(ExportError, match="holds no export"):
        export.write(tmp_path / "thesis", tables, replace=True)
    assert (tmp_path / "thesis/chapter.txt").read_text() == "years of work"


def test_a_failure_leaves_the_old_export_and_nothing_else(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables)
    before = (tmp_path / "out/ratings.csv").read_bytes()

    def broken() -> Iterator[ratings.Row]:
        yield next(all_ratings())
        raise ExportError("the database went away")

    with pytest.raises(ExportError, match="went away"):
        export.write(tmp_path / "out", replace(tables, ratings=broken), replace=True)
    assert (tmp_path / "out/ratings.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_way_is_named(tmp_path: Path, tables: export.Tables):
    (tmp_path / "out").write_text("")
    with pytest.raises(ExportError, match="is a file"):
        export.write(tmp_path / "out", tables)
    with pytest.raises(ExportError, match="cannot be written"):
        export.write(tmp_path / "out/below", tables)


def test_a_zip_holds_the_same_files(shared_folder: Path, tmp_path: Path):
    target = export.pack(shared_folder, tmp_path / "faces-public.zip")
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.read("faces-public/ratings.csv") == (shared_folder / "ratings.csv").read_bytes()
        assert "faces-public/stimuli/id1_happy.png" in archive.namelist()


def test_ai_ratings_alone_make_one_file(tmp_path: Path):
    assert export.ai_sheet(tmp_path / "ai.csv", all_ai_ratings(), excel=True) == 3
    assert tuple(read(tmp_path / "ai.csv")[0]) == ratings.AI_COLUMNS


# ---- codebook and docs


@pytest.mark.parametrize("is_public", [True, False])
def test_the_codebook_describes_every_column_of_every_file(
    tmp_path: Path, tables: export.Tables, is_public: bool
):
    export.write(tmp_path / "out", tables, public=is_public)
    described = [
        (row["file"], row["column"])
        for row in read(tmp_path / "out/codebook.csv")
        if not row["scale_id"] and not row["question_id"]
    ]
    headers = []
    for file in fields.FILES:
        with (tmp_path / "out" / file).open(encoding="utf-8", newline="") as lines:
            headers += [(file, column) for column in next(csv.reader(lines))]
    assert described == headers
    assert all(row["description"] and row["type"] for row in read(tmp_path / "out/codebook.csv"))


def test_the_codebook_holds_each_scale_with_its_words(tmp_path: Path, tables: export.Tables):
    export.write(tmp_path / "out", tables)
    emotion, valence, pairs = (row for row in read(tmp_path / "out/codebook.csv") if row["scale_id"])
    assert (emotion["codes"], emotion["labels_ko"]) == ("happy|sad", "기쁨|슬픔")
    assert (valence["question_en"], valence["anchor_low_ko"]) == ("How pleasant, if at all?", "불쾌")
    assert (valence["range"], valence["polarity"], valence["zero"]) == ("0 to 100", "bipolar", "50.0")
    assert (pairs["scale_id"], pairs["range"]) == ("same_identity", "1 to 7")


def test_the_codebook_holds_each_question_and_warns_of_what_may_identify(
    tmp_path: Path, tables: export.Tables
):
    export.write(tmp_path / "out", tables)
    rows = read(tmp_path / "out/codebook.csv")
    asked = {(row["question_id"], row["item_id"]): row for row in rows if row["questionnaire_id"] == "habits"}
    assert list(asked) == [
        *[(name, "") for name in ("hours", "job", "why", "illness")],
        ("mood", "calm"),
        ("mood", "glad"),
    ]
    assert asked["hours", ""]["question_en"] == "Hours of films, about"
    assert (asked["hours", ""]["type"], asked["hours", ""]["range"]) == ("number", "from 0 to 24")
    assert (asked["job", ""]["codes"], asked["job", ""]["labels_ko"]) == ("arts|trade", "예술|상업")
    line = asked["mood", "calm"]
    assert (line["question_ko"], line["instruction_en"], line["codes"]) == ("차분한", "I feel", "low|high")
    assert line["public"] == "as it is"
    free = [asked["why", ""], *(row for row in rows if row["column"] == "about_remarks")]
    assert all("may hold what identifies somebody" in row["description"] for row in free)
    assert {row["public"] for row in (*free, asked["illness", ""])} == {"left out"}


def test_the_documentation_lists_the_same_columns():
    text = (PROJECT / "docs/data.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+\.csv)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for file, described in fields.FILES.items():
        rows = re.findall(r"^\| `([^`]+)` \| (\w+) \|(.*)\|$", sections[file], re.MULTILINE)
        names = [name for name, _, _ in rows]
        new = [field for field in described if file == "ratings.csv" or field not in fields.RATINGS]
        assert names == [field.column for field in new]
        for field, (_, kind, rest) in zip(new, rows, strict=True):
            parts = [part.strip() for part in rest.split("|")]
            told = (field.kind, field.description, field.units, field.range, field.missing, field.public)
            assert (kind, *parts) == told
    for column in (*codebook.COLUMNS, *codebook.SCALE_COLUMNS, *codebook.QUESTION_COLUMNS, *codebook.WORDS):
        assert f"`{column}" in sections["codebook.csv"]


# ---- memory


def stream(n: int, folder: Path) -> dict[str, float]:
    """Export n synthetic ratings, 250 a session, and tell what it took.

    Public, since that streams the same rows and does more to them.
    """
    shown = [stimulus(number) for number in range(100)]
    bases = [
        {
            **rating(1, 0, "valence"),
            "stimulus_id": one.stimulus.stimulus_id,
            "stim_file": one.stimulus.stim_file,
        }
        for one in shown
    ]
    people = n // 250

    def rows() -> Iterator[ratings.Row]:
        for i in range(n):
            who = f"session-{i // 250}"
            trial = {
                "row_id": f"row-{i}",
                "session_id": who,
                "subject_id": who,
                "rater_id": who,
                "trial_id": f"t{i // 5}",
            }
            measured = {"decode_ms": 2 + i % 97 / 7, "paint_ms": 5 + i % 89 / 7, "frame_sd_ms": i % 83 / 70}
            value = {"response": float(i % 101), "rt_first_ms": 300 + i / 7}
            yield {**bases[i % 100], **trial, **measured, **value}

    tables = export.Tables(
        study=studies.parse(STUDY, path="study.yaml"),
        ratings=rows,
        ai_ratings=lambda: (),
        participants=lambda: (replace(PARTICIPANTS[0], session_id=f"session-{i}") for i in range(people)),
        stimuli=lambda: shown,
        sharing={f"session-{i}" for i in range(people)},
    )
    began = time.process_time()
    export.write(folder, tables)
    seconds = time.process_time() - began
    return {"cpu_s": seconds, "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def test_a_million_ratings_need_no_more_memory_than_fifty_thousand(tmp_path: Path):
    def run(n: int) -> dict[str, float]:
        command = [sys.executable, __file__, str(n), str(tmp_path / str(n))]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True, text=True)
        return json.loads(done.stdout)

    few, many = run(50_000), run(1_000_000)
    with (tmp_path / "1000000/ratings.csv").open("rb") as file:
        assert sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) == 1_000_001
    # Held as rows they would need over 1 GB; what grows is an entry per session, of 4000.
    assert many["peak_kib"] - few["peak_kib"] < 40 * 1024
    print(
        f"{1_000_000 / many['cpu_s']:.0f} rows/s, {(many['peak_kib'] - few['peak_kib']) / 1024:.1f} MiB more"
    )


if __name__ == "__main__":
    print(json.dumps(stream(int(sys.argv[1]), Path(sys.argv[2]))))
