from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import StudyError
from db import codes
from db import engine as db_engine


def loaded(lab, *lines):
    with db_engine.writing(lab.engine) as conn:
        return codes.load(conn, "demo", lines)


def take(lab, session_id):
    with db_engine.writing(lab.engine) as conn:
        return codes.take(conn, "demo", session_id)


def test_each_session_gets_one_code_and_keeps_it(lab):
    assert loaded(lab, "A1", " B2 ") == 2
    first = take(lab, "one")
    assert {first, take(lab, "two")} == {"A1", "B2"}
    assert take(lab, "one") == first
    assert take(lab, "three") is None
    with db_engine.reading(lab.engine) as conn:
        assert codes.left(conn, "demo") == 0
        assert codes.held(conn, "one") == first
        assert {(each.code, each.session_id) for each in codes.listing(conn, "demo")} >= {(first, "one")}


def test_many_who_finish_at_once_get_different_codes(lab):
    loaded(lab, *(f"code{number}" for number in range(12)))
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda number: take(lab, f"session{number % 15}"), range(30)))
    assert len(set(given) - {None}) == 12
    for number in range(15):
        assert given[number] == given[number + 15]


def test_pools_of_studies_are_apart(lab):
    loaded(lab, "A1")
    with db_engine.writing(lab.engine) as conn:
        assert codes.take(conn, "another", "one") is None
        assert codes.load(conn, "another", ["A1"]) == 1


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["A1", "", "B2"], "line 2: it is empty"),
        (["A1", "B2", "A1 "], "line 3: 'A1' is on line 1 already"),
        (["A1", "OLD"], "line 2: 'OLD' is in the pool already"),
        (["A1", "x" * 81], "line 2: it has 81 characters"),
        ([], "found no codes"),
        ([""] * 7, "and 2 more lines"),
    ],
)
def test_a_file_with_a_wrong_line_adds_nothing(lab, lines, said):
    loaded(lab, "OLD")
    with pytest.raises(StudyError, match=r"needed|nothing was stored") as error:
        loaded(lab, *lines)
    assert said in str(error.value)
    with db_engine.reading(lab.engine) as conn:
        assert [each.code for each in codes.listing(conn, "demo")] == ["OLD"]
