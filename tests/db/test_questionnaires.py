import pytest

from db import engine, questionnaires, sessions

FIELDS = {"mood.calm": "agree", "mood.tense": None, "why": "because 🙂\nand so on", "hours": 7.5}


@pytest.fixture
def begun(lab):
    return lab.begin(lab.open())[0]


def test_answers_come_back_as_they_were_given(lab, begun):
    with engine.writing(lab.engine) as conn:
        questionnaires.save(conn, begun.session_id, "evening", FIELDS)
    with engine.reading(lab.engine) as conn:
        assert questionnaires.read(conn, begun.session_id, "evening") == FIELDS
        assert questionnaires.read(conn, begun.session_id, "morning") == {}
        assert questionnaires.read(conn, begun.session_id, None) == {}


def test_the_last_word_counts_and_the_others_stay(lab, begun):
    with engine.writing(lab.engine) as conn:
        questionnaires.save(conn, begun.session_id, "evening", FIELDS)
        questionnaires.save(conn, begun.session_id, "evening", {"hours": 8})
        questionnaires.save(conn, begun.session_id, "evening", {"hours": 8})
        questionnaires.save(conn, begun.session_id, "evening", {})
        assert questionnaires.read(conn, begun.session_id, "evening") == {**FIELDS, "hours": 8}


def test_what_is_about_the_participant_is_kept_apart(lab, begun):
    long_field = f"{'q' * 40}.{'i' * 40}"  # the longest id of a question and of a statement
    with engine.writing(lab.engine) as conn:
        questionnaires.save(conn, begun.session_id, None, {"age": 34, long_field: "agree"})
        assert questionnaires.read(conn, begun.session_id, None) == {"age": 34, long_field: "agree"}
        assert sessions.about(conn, begun.session_id) == {"age": 34, long_field: "agree"}


def test_an_answer_is_a_sign_of_life(lab, begun):
    with engine.writing(lab.engine) as conn:
        before = sessions.get(conn, begun.session_id).last_seen_at
        questionnaires.save(conn, begun.session_id, "evening", FIELDS)
        assert sessions.get(conn, begun.session_id).last_seen_at >= before


def test_the_highest_number_of_a_request_stays(lab, begun):
    other = lab.begin(lab.open())[0]
    with engine.writing(lab.engine) as conn:
        told = [questionnaires.note_request(conn, begun.session_id, number) for number in (0, 2, 1, 2, 7, 0)]
        assert told == [0, 2, 2, 2, 7, 7]
        assert questionnaires.note_request(conn, other.session_id, 1) == 1


@pytest.mark.parametrize("page", ["evening", None])
def test_a_page_is_open_from_its_first_sight_until_it_is_left(lab, begun, page):
    with engine.writing(lab.engine) as conn:
        assert not questionnaires.is_open(conn, begun.session_id, page)
        questionnaires.show(conn, begun.session_id, page)
        assert questionnaires.is_open(conn, begun.session_id, page)
        assert not questionnaires.is_open(conn, begun.session_id, "another")
        questionnaires.leave(conn, begun.session_id)
        assert not questionnaires.is_open(conn, begun.session_id, page)
