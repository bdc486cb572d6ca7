"""The personal code with which a participant finds their session again to delete it."""

from __future__ import annotations

import itertools
import unicodedata

from sqlalchemy import Connection, select

from core.records import Session
from db import sessions
from db.schema import session
from db.sessions import CODE_LETTERS, ERASE_CODE_LENGTH
from db.statements import digest

MOST_ATTEMPTS = 50  # for a study, within attempts.WITHIN: a code has 31 to the 12th neighbours
_GROUP = 4
_ALIKE = ("2Z", "5S", "6G", "8B", "UV", "0ODQ", "1ILJ")


def shown(code: str) -> str:
    """Write a code as people copy it: XXXX-XXXX-XXXX."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def find(conn: Connection, study_id: str, typed: str) -> tuple[Session, str] | None:
    """Find a study's session by what somebody typed, with the code as it is."""
    by_hash = {digest(code): code for code in readings(typed)}
    found = select(session.c.session_id, session.c.erase_code_sha256).where(
        session.c.study_id == study_id, session.c.erase_code_sha256.in_(by_hash)
    )
    row = conn.execute(found).first()
    named = row and sessions.get(conn, row.session_id)
    return (named, by_hash[row.erase_code_sha256]) if row and named else None


def readings(typed: str) -> tuple[str, ...]:
    """Give the codes that a text may mean: spaces, hyphens, case, width and lookalikes are forgiven."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    letters = [letter for letter in plain if letter.isalnum()]
    if len(letters) != ERASE_CODE_LENGTH:
        return ()
    # At most two letters are alike, so that these are 4096 codes at the very most.
    return tuple("".join(code) for code in itertools.product(*map(_meant, letters)))


def _meant(letter: str) -> str:
    alike = next((group for group in _ALIKE if letter in group), letter)
    return "".join(other for other in alike if other in CODE_LETTERS)
