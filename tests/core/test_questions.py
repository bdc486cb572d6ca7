import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import i18n, questions
from core.study_design import Question, Statement
from core.study_rules import LANGUAGES


def question(kind="text", **more):
    return Question(id="q", kind=kind, text={"en": "?"}, **more)


def number(low=None, high=None):
    return question("number", min=low, max=high)


AGREE = {"no": {"en": "No"}, "yes": {"en": "Yes"}}
LIST = question("likert", options=AGREE, items=[Statement(id=name, text={"en": name}) for name in "ab"])


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("34", 34), (" 34 ", 34), ("３４", 34), ("7.5", 7.5), ("7,5", 7.5), ("-3", -3), ("−3", -3), ("+3", 3),
        ("7.0", 7), ("1,500", "1,500"), ("1 500", 1500), ("about 7", "about 7"), ("nan", "nan"),
        ("1e9", "1e9"), ("0x10", "0x10"), ("٣", 3), ("", None), ("   ", None), (None, None), ("7\0", 7),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_type_it(typed, value):
    found = questions.read(number(), typed)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("low", "high", "value", "problem"),
    [
        (0, 24, 0, None), (0, 24, 24, None), (0, 24, 24.5, "range"), (0, None, -0.1, "range"),
        (None, 5, 6, "range"), (None, None, 1e300, "range"), (None, None, "1,500", "number"),
        (0, 24, None, None),
    ],
)  # fmt: skip
def test_a_number_has_its_limits(low, high, value, problem):
    assert questions.wrong(number(low, high), value) == problem


@given(st.text())
def test_any_text_becomes_one_that_every_database_holds(typed):
    kept = questions.read(question(), typed)
    if kept is not None:
        assert kept.encode().decode() == kept == unicodedata.normalize("NFC", kept).strip()
        assert "\0" not in kept
        assert questions.read(question(), kept) == kept


def test_emoji_and_lines_of_a_text_stay():
    assert questions.read(question(), "one\r\ntwo 👩‍👧‍👦 \ud800") == "one\ntwo 👩‍👧‍👦"


def test_a_text_is_as_long_as_it_is_read():
    assert questions.wrong(question(), "🙂" * questions.LONGEST) is None
    assert questions.wrong(question(), "🙂" * (questions.LONGEST + 1)) == "long"


def test_only_an_option_answers_a_choice_or_a_statement():
    assert questions.wrong(LIST, "yes") is None
    assert questions.wrong(LIST, "Yes") == "option"
    assert questions.wrong(question("choice", options=AGREE), "") == "option"


def test_each_statement_of_a_list_has_a_field_of_its_own():
    assert questions.fields(LIST) == ("q.a", "q.b")
    assert questions.label(LIST, "q.b", "en") == "b"
    assert questions.label(LIST, "q", "en") == "?"


def test_a_page_is_settled_when_what_is_required_is_answered_and_the_rest_seen():
    must = question(required=True)
    assert questions.missing([must], {}) == ("q",)
    assert questions.missing([must], {"q": None}) == ("q",)
    assert not questions.is_settled([must], {"q": None})
    assert questions.is_settled([must], {"q": "x"})
    assert not questions.is_settled([LIST], {"q.a": "yes"})
    assert questions.is_settled([LIST], {"q.a": "yes", "q.b": None})


def test_sensitive_questions_are_asked_of_who_agreed():
    usual, sensitive = (
        question(),
        Question(id="s", kind="text", text={"en": "?"}, sensitive=True, enabled=True),
    )
    off = Question(id="o", kind="text", text={"en": "?"}, enabled=False)
    assert questions.asked([usual, sensitive, off], sensitive=True) == (usual, sensitive)
    assert questions.asked([usual, sensitive, off], sensitive=False) == (usual,)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("limits", [(18, 120), (0.5, None), (None, -1), (None, None)])
def test_what_a_number_needs_is_told_with_its_limits(language, limits):
    words = i18n.words(language)
    needed = questions.needed(number(*limits), words)
    assert all(f"{limit:g}" in needed for limit in limits if limit is not None)
    assert "{" not in needed
    assert needed in questions.told("range", number(*limits), 7, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_text_is_told_both_lengths(language):
    told = questions.told("long", question(), "x" * 2345, i18n.words(language))
    assert "2345" in told
    assert str(questions.LONGEST) in told
