"""Answers to the questions outside the trials, each stored when it is given.

Those about the participant have a table of their own: their questionnaire is None.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from db import sessions
from db.schema import about, questionnaire, session
from db.sessions import AboutValue
from db.statements import insert, now

_ABOUT = ""  # a questionnaire's id is never empty


def read(conn: Connection, session_id: str, questionnaire_id: str | None) -> dict[str, AboutValue]:
    """Read what a participant answered, by field; a question passed over is None."""
    if questionnaire_id is None:
        return sessions.about(conn, session_id)
    found = select(questionnaire.c.question_id, questionnaire.c.value).where(
        questionnaire.c.session_id == session_id, questionnaire.c.questionnaire_id == questionnaire_id
    )
    return {question_id: value for question_id, value in conn.execute(found)}


def save(
    conn: Connection, session_id: str, questionnaire_id: str | None, answers: Mapping[str, AboutValue]
) -> None:
    """Store answers by field; the last word on each counts."""
    if not answers:
        return
    table = about if questionnaire_id is None else questionnaire
    page = {} if questionnaire_id is None else {"questionnaire_id": questionnaire_id}
    statement = insert(conn, table)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["session_id", *page, "question_id"],
            set_={"value": statement.excluded.value, "saved_at": statement.excluded.saved_at},
        ),
        [
            {"session_id": session_id, **page, "question_id": field, "value": value, "saved_at": now()}
            for field, value in answers.items()
        ],
    )
    sessions.touch(conn, session_id)


def note_request(conn: Connection, session_id: str, number: int) -> int:
    """Note the number of a request and return the highest so far: with a higher one, it was overtaken."""
    own = session.c.session_id == session_id
    # One statement that holds the row: of two requests at a time, the second sees the first one's number.
    later = update(session).where(own, session.c.newest_request <= number).values(newest_request=number)
    conn.execute(later)
    return int(conn.execute(select(session.c.newest_request).where(own)).scalar_one())


def is_open(conn: Connection, session_id: str, questionnaire_id: str | None) -> bool:
    """Whether a page was shown and Continue has not left it yet."""
    found = select(session.c.open_page).where(session.c.session_id == session_id)
    return conn.scalar(found) == (questionnaire_id or _ABOUT)


def show(conn: Connection, session_id: str, questionnaire_id: str | None) -> None:
    """Remember that a page is on screen: with its last answer it is not left."""
    _set_open(conn, session_id, questionnaire_id or _ABOUT)


def leave(conn: Connection, session_id: str) -> None:
    """Remember that Continue has left the page that was on screen."""
    _set_open(conn, session_id, None)


def _set_open(conn: Connection, session_id: str, page: str | None) -> None:
    conn.execute(update(session).where(session.c.session_id == session_id).values(open_page=page))
