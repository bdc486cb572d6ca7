"""Personal codes as people type them."""

import pytest

from db import engine, erase_codes, sessions
from db.sessions import CODE_LETTERS


def test_a_code_is_shown_in_three_groups():
    assert erase_codes.shown("ABCDEFGHJKMN") == "ABCD-EFGH-JKMN"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.lower,
        erase_codes.shown,
        " ".join,
        lambda code: f"  {erase_codes.shown(code).lower()}. ",
        lambda code: erase_codes.shown(code).replace("-", "\N{EN DASH}"),
        # As a Japanese keyboard writes it: full width.
        lambda code: "".join(chr(ord(letter) + 0xFEE0) for letter in code),
        lambda code: code.translate(str.maketrans("258B6SGZ", "ZSB8GS6Z")),
    ],
)
def test_a_code_is_found_however_it_is_spelt(lab, spell):
    begun, token = lab.begin(lab.open())
    code = sessions.erase_code(token)
    with engine.reading(lab.engine) as conn:
        found = erase_codes.find(conn, "demo", spell(code))
    assert found is not None
    assert (found[0].session_id, found[1]) == (begun.session_id, code)


def test_another_code_another_study_or_half_a_code_finds_nobody(lab):
    _, token = lab.begin(lab.open())
    lab.open(study_id="other")
    code = sessions.erase_code(token)
    moved = code[1:] + code[0]
    with engine.reading(lab.engine) as conn:
        for study_id, typed in [("other", code), ("demo", code[:-1]), ("demo", ""), ("demo", "-" * 12)]:
            assert erase_codes.find(conn, study_id, typed) is None
        assert moved == code or erase_codes.find(conn, "demo", moved) is None


def test_readings_hold_the_code_itself_and_only_letters_of_codes():
    for typed in ("ABCDEFGHJKMN", "0O1IL2Z5S6GA", "22222ZZZ8855"):
        found = erase_codes.readings(typed)
        assert found
        assert all(len(code) == 12 for code in found)
        assert len(set(found)) == len(found)
    own = "".join(CODE_LETTERS[:12])
    assert own in erase_codes.readings(own)
    assert all(set(code) <= set(CODE_LETTERS) for code in erase_codes.readings("0O1IL2Z5S6GA"))


def test_the_most_readings_are_still_few():
    assert max(len(erase_codes.readings(letter * 12)) for letter in CODE_LETTERS + "01OIL") == 2**12
