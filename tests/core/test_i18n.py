import re

import pytest

from core import i18n
from core.codes import listed
from core.errors import StudyError
from core.settings import PROJECT
from core.study_rules import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_has_the_same_keys_and_placeholders_as_the_english_one(language):
    english, words = i18n.words("en"), i18n.words(language)
    assert sorted(words) == sorted(english)
    differing = [key for key in english if i18n.placeholders(words[key]) != i18n.placeholders(english[key])]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_filled_text_that_can_be_formatted(language):
    words = i18n.words(language)
    assert words
    for key, text in words.items():
        assert text == text.strip() != ""
        assert all(name.isidentifier() for name in i18n.placeholders(text)), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_named_by_the_first_part_of_its_language_tag(language):
    assert re.fullmatch("[a-z]{2}", language), "the tables keep two letters"
    assert i18n.words(language)["language.code"].split("-")[0] == language
    assert i18n.words(language)["language.direction"] in {"ltr", "rtl"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_styles_of_a_language_stand_under_its_code(language):
    [line] = [line for line in i18n.stylesheet().splitlines() if line.startswith(f":lang({language})")]
    assert i18n.words(language)["language.fonts"] in line
    assert line.count("--fn-") == 5


def test_a_catalogue_that_asks_for_no_css_is_told(monkeypatch):
    odd = dict(i18n.words("en")) | {"language.line_break": "strict; } body { display: none"}
    monkeypatch.setattr(i18n, "words", lambda language: odd)
    with pytest.raises(StudyError, match=r"language.line_break: found 'strict; }"):
        i18n.stylesheet()


def test_no_code_knows_which_languages_there_are():
    """What is in one list has to be changed in two places."""
    named = re.compile(rf"""["']({"|".join(LANGUAGES)})["']|:lang\((?!\{{)""")
    paths = [
        path
        for folder in ("core", "db", "pages", "assets")
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in {".py", ".js", ".css", ".html"}
    ]
    assert len(paths) > 100
    found = [f"{path.name}: {hit[0]}" for path in paths for hit in named.finditer(path.read_text("utf-8"))]
    assert found == []


def test_the_hash_follows_the_words_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(i18n, "CATALOGUES", tmp_path)
    hashes = []
    for content in ("a: x\nb: y", "# why\nb: y\na: x\n", "a: x\nb: z"):
        (tmp_path / "en.yaml").write_text(content, encoding="utf-8")
        i18n.words.cache_clear()
        i18n.catalogue_hash.cache_clear()
        hashes.append(i18n.catalogue_hash("en"))
    i18n.words.cache_clear()
    i18n.catalogue_hash.cache_clear()
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64


def test_a_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        i18n.words("en")["welcome.begin"] = "x"


def test_an_unknown_language_is_an_error():
    with pytest.raises(StudyError, match=listed(LANGUAGES)):
        i18n.words("../../etc/passwd")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: ''\nc: fine", [":1: a", ":2: b"]),
        ("a: x\na: y", [":2: found the key 'a' again"]),
        ("", [":1: "]),
    ],
)
def test_a_faulty_catalogue_names_its_lines(tmp_path, text, words):
    path = tmp_path / "xx.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        i18n.catalogue(path)
    assert all(each in str(caught.value) for each in words)


def test_a_missing_catalogue_is_an_error(tmp_path):
    with pytest.raises(StudyError, match="No such file"):
        i18n.catalogue(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("preferred", "offered", "chosen"),
    [
        (["ko-KR", "en"], ["en", "ko"], "ko"),
        (["ja_JP"], ["en", "ja"], "ja"),
        (["fr", "de"], ["ko", "en"], "ko"),
        ([], ["ja"], "ja"),
        (["", "*", "EN-gb"], ["ja", "en"], "en"),
        (["kok-IN"], ["en", "ko"], "en"),
    ],
)
def test_the_first_preferred_language_on_offer_is_chosen(preferred, offered, chosen):
    assert i18n.choose(preferred, offered) == chosen


def test_no_language_on_offer_is_an_error():
    with pytest.raises(StudyError):
        i18n.choose(["en"], [])


def test_a_text_is_taken_in_its_language_alone():
    assert i18n.text({"en": "yes", "ko": "네"}, "ko") == "네"
    with pytest.raises(StudyError, match="'ja'"):
        i18n.text({"en": "yes"}, "ja")
