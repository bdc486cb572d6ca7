import json
import random
import re
import types
import typing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from core import study, tasks
from core.errors import StudyError
from core.records import Stimulus
from core.study_design import Question

PROJECT = Path(__file__).resolve().parents[2]
DEMO = PROJECT / "assets" / "studies" / "demo.yaml"
SMALL = """\
study: small
title: {en: Small}
contact: a@example.org
languages: [en]
consent:
  version: "1"
  intro: {en: Hello}
  items:
    - {id: take_part, text: {en: I take part}}
about_you:
  - {id: age, kind: number, min: 18, max: 99, text: {en: Age}}
scales:
  emotion:
    kind: choice
    question: {en: Which}
    source: ours
    status: published
    options:
      sad: {en: Sad}
      happy: {en: Happy}
  intensity:
    kind: vas
    question: {en: How strong}
    source: ours
    status: published
    of: emotion
    not_applicable_after: [sad]
    polarity: unipolar
    zero: 0
    anchors: {low: {en: Weak}, high: {en: Strong}}
  valence:
    kind: likert
    points: 7
    question: {en: How pleasant}
    source: ours
    status: published
    polarity: bipolar
    zero: 4
    anchors: {low: {en: Bad}, high: {en: Good}}
ask: [emotion, intensity, valence]
stimuli:
  folder: pictures
  manifest: manifest.csv
  emotions: [sad, happy]
trials:
  per_participant: 2
  ratings_per_stimulus: 10
identity_pairs:
  per_participant: 0
"""


def line_of(text: str, start: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


def errors(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        study.parse(text, path="s.yaml")
    return str(caught.value).splitlines()


def test_the_demo_is_valid_in_three_languages():
    demo = study.read(DEMO)
    assert demo.study == "demo"
    assert demo.languages == ("en", "ko", "ja")
    assert demo.ask == ("emotion", "intensity", "valence", "arousal", "naturalness")
    assert set(demo.scales) - set(demo.ask) == {"realism", "same_identity"}
    assert (demo.trials.per_participant, demo.trials.ratings_per_stimulus) == (24, 20)
    assert [question.id for question in demo.about_you if question.enabled] == ["age"]
    assert all(question.sensitive for question in demo.about_you if not question.enabled)


def test_the_demo_has_the_response_labels_that_the_study_plan_states():
    # The words were given by the people who planned the study; `other` is worded in the file.
    options = study.read(DEMO).scales["emotion"].options
    assert list(options) == ["angry", "sad", "happy", "disgust", "surprise", "fear", "neutral", "other"]
    korean = [options[code]["ko"] for code in options if code != "other"]
    japanese = [options[code]["ja"] for code in options if code != "other"]
    assert korean == ["화남", "슬픔", "기쁨", "역겨움", "놀람", "무서움", "무표정"]
    assert japanese == ["怒り", "悲しみ", "喜び", "嫌悪", "驚き", "恐れ", "感情なし"]


def test_the_demo_has_the_anchors_that_the_study_plan_states():
    scales = study.read(DEMO).scales
    anchors = {
        name: [end[language] for end in (scales[name].anchors.low, scales[name].anchors.high)]
        for name in ("valence", "arousal", "naturalness")
        for language in ("ko",)
    }
    assert anchors == {
        "valence": ["불쾌", "쾌"],
        "arousal": ["차분함", "흥분됨"],
        "naturalness": ["부자연스러움", "자연스러움"],
    }
    assert [scales["valence"].anchors.low["ja"], scales["valence"].anchors.high["ja"]] == ["不快", "快"]
    assert [scales["arousal"].anchors.low["ja"], scales["arousal"].anchors.high["ja"]] == ["不活発", "活発"]
    assert scales["naturalness"].anchors.low["ja"] == "不自然"
    assert not re.search("각성|覚醒", DEMO.read_text(encoding="utf-8"))


def test_pairs_are_on_by_default_and_bring_their_own_scale():
    paired = study.parse(SMALL.replace("identity_pairs:\n  per_participant: 0\n", ""), path="s.yaml")
    scale_id, scale = study.asked(paired)[-1]
    assert (scale_id, scale.kind, scale.points, scale.zero) == ("same_identity", "likert", 7, 4)
    worded = SMALL.replace("identity_pairs:\n  per_participant: 0\n", "").replace(
        "ask:",
        "  same_identity: {kind: vas, question: {en: Same}, source: ours, status: published, "
        "polarity: bipolar, zero: 50, anchors: {low: {en: No}, high: {en: Yes}}}\nask:",
    )
    assert study.parse(worded, path="s.yaml").scales["same_identity"].kind == "vas"


def test_a_study_stored_before_there_were_tasks_runs_as_it_did():
    stored = json.loads(study.to_json(study.parse(SMALL, path="s.yaml")))
    new = ("tasks", "practice", "attention", "repeats", "identity_pairs", "questionnaires", "recruitment")
    before = study.from_json(json.dumps({name: stored[name] for name in stored if name not in new}))
    assert [(each.id, each.scales) for each in tasks.sets(before)] == [("all", before.ask)]
    assert (before.repeats.share, before.attention.instructed) == (0, 0)
    assert before.identity_pairs.per_participant == 0


def test_a_small_study_is_read():
    small = study.parse(SMALL, path="s.yaml")
    assert [scale_id for scale_id, _ in study.asked(small)] == ["emotion", "intensity", "valence"]
    assert small.scales["valence"].points == 7
    assert small.display.surround == "#808080"


CHANGES = [
    # old, new, start of the line that the error names, words that it holds
    ("study: small", "study: Small Study", "study:", "'Small Study'"),
    ("title: {en: Small}", "titel: {en: Small}", "titel:", "did you mean 'title'?"),
    ("title: {en: Small}", "title: {en: }", "title:", "found nothing"),
    ("title: {en: Small}", "title: {en: Small, fr: Petit}", "title:", "'fr'"),
    ("title: {en: Small}", "title: Small", "title:", "keys with values"),
    ("languages: [en]", "languages: [en, ko]", "title:", "add 'ko:'"),
    ("languages: [en]", "languages: [en, en]", "languages:", "'en' again"),
    ("languages: [en]", "languages: []", "languages:", "at least one"),
    ("languages: [en]", "languages: en", "languages:", "a list"),
    ('version: "1"', "version: 1", "version:", "put it in quotes"),
    ("{id: take_part, text", "{id: take_part, required: false, text", "items:", "no required item"),
    ("kind: number, min: 18", "kind: text, min: 18", "- {id: age", "'kind: number'"),
    ("min: 18, max: 99", "min: 99, max: 18", "- {id: age", "more than min, 99"),
    ("kind: number, min: 18, max: 99", "kind: choice", "- {id: age", "0 options"),
    ("id: age,", "id: age, sensitive: true, enabled: true,", "- {id: age", "'sensitive: true'; add one"),
    ("kind: choice", "kind: choise", "kind: choise", "did you mean 'choice'?"),
    ("kind: vas", "kind: vas\n    points: 5", "points: 5", "remove it"),
    ("      happy: {en: Happy}\n", "", "options:", "1 options"),
    ("status: published", "status: drafty", "status: drafty", "did you mean 'draft'?"),
    ("not_applicable_after: [sad]", "not_applicable_after: [sat]", "not_applicable", "did you mean 'sad'?"),
    ("of: emotion", "of: overall", "not_applicable_after:", "'of: emotion'"),
    ("zero: 0", "zero: 50", "zero: 50", "0 or 100"),
    ("zero: 0", "zero: .inf", "zero: .inf", "finite"),
    ("zero: 4", "zero: 1", "zero: 1", "zero: 4"),
    ("points: 7", "points: 1", "points: 1", "greater than or equal to 2"),
    ("points: 7", "points: 7.5", "points: 7.5", "whole number"),
    ("    polarity: bipolar\n", "", "valence:", "add 'polarity:'"),
    ("ask: [emotion, intensity, valence]", "ask: [emotion, valance]", "ask:", "did you mean 'valence'?"),
    ("ask: [emotion, intensity, valence]", "ask: [intensity, emotion]", "ask:", "move 'emotion' up"),
    ("ask: [emotion, intensity, valence]", "ask: [emotion, emotion]", "ask:", "'emotion' again"),
    ("ask: [emotion, intensity, valence]", "ask: []", "ask:", "at least one"),
    ("  manifest: manifest.csv\n", "", "stimuli:", "neither"),
    ("manifest.csv\n", 'm.csv\n  pattern: "{identity}_{emotion}.png"\n', "stimuli:", "both"),
    ("manifest: manifest.csv", 'pattern: "{identity}.png"', "pattern:", "{emotion}"),
    ("manifest: manifest.csv", 'pattern: "{identity}{emotion}.png"', "pattern:", "between them"),
    ("manifest: manifest.csv", 'pattern: "{identity}_{emotoin}.png"', "pattern:", "{emotion}"),
    ("  folder: pictures\n", "", "stimuli:", "add 'folder:'"),
    ("emotions: [sad, happy]", "emotions: [sad, hapy]", "emotions:", "did you mean 'happy'?"),
    ("emotions: [sad, happy]", "emotions: [sad, sad]", "emotions:", "'sad' again"),
    ("per_participant: 2", "per_participant: '2'", "per_participant:", "without quotes"),
    ("per_participant: 2", "per_participant: true", "per_participant:", "whole number"),
    ("per_participant: 2", "per_participant: 0", "per_participant:", "1"),
    ("per_participant: 2", "per_participant: 2\n  show: [reference]", "show:", "no 'target'"),
    ("per_participant: 2", "per_participant: 2\n  back: yes", "back:", "true or false"),
    ("trials:", "display: {surround: grey}\ntrials:", "display:", "#808080"),
    ("trials:", "display: {surrund: '#808080'}\ntrials:", "display:", "did you mean 'surround'?"),
    ("trials:", "study: again\ntrials:", "study: again", "'study' again"),
    ("trials:", "yardsticks: [{id: real}]\ntrials:", "yardsticks:", "add 'manifest:'"),
    ("trials:", "yardsticks: [{id: Real Faces, manifest: m}]\ntrials:", "yardsticks:", "'Real Faces'"),
    ("trials:", "yardsticks: [{id: a, manifest: m, file: x}]\ntrials:", "yardsticks:", "'file'"),
    ("trials:", "yardsticks: [{id: a, manifest: m}, {id: a, manifest: n}]\ntrials:", "yards", "'a' again"),
    ("trials:", "yardsticks: [{id: a, manifest: m, title: {fr: x}}]\ntrials:", "yardsticks:", "'fr'"),
    ("title: {en: Small}", "title: &t {en: Small}\ndescription: *t", "title:", "alias"),
    ("contact: a@example.org", "contact: !!python/name:os.system x", "contact:", "tag"),
    ("contact: a@example.org", "contact: !!bool maybe", "contact:", "needed true or false"),
    ("contact: a@example.org", 'contact: "a\\U00110000"', "contact:", "found \\U00110000; needed a"),
    ("contact: a@example.org", 'contact: "a\\UFFFFFFFF"', "contact:", "found \\UFFFFFFFF; needed a"),
    ("contact: a@example.org", "contact: [a", "contact:", "needed"),
    ("contact: a@example.org", "contact: 'a", "contact:", "needed YAML"),
    ("contact: a@example.org", "contact: a: b", "contact:", "needed YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "start", "words"), CHANGES)
def test_an_error_names_its_line_and_the_mend(old, new, start, words):
    text = SMALL.replace(old, new, 1)
    assert text != SMALL
    found = [line for line in errors(text) if words in line]
    assert found, errors(text)
    assert re.match(r"s\.yaml:\d+: ", found[0])
    if start in text and "a: b" not in new and not new.endswith(("'a", "[a")):
        assert found[0].startswith(f"s.yaml:{line_of(text, start)}: ")


def test_a_sensitive_question_is_asked_only_where_it_is_enabled_and_consent_to_it_is_asked_for():
    sensitive = SMALL.replace("id: age,", "id: age, sensitive: true,")
    enabled = sensitive.replace("sensitive: true,", "sensitive: true, enabled: true,")
    consented = enabled.replace("{id: take_part,", "{id: take_part, sensitive: true,")
    silenced = enabled.replace("enabled: true", "enabled: false")
    asked = [
        study.parse(text, path="s.yaml").about_you[0].enabled for text in (sensitive, consented, silenced)
    ]
    assert asked == [False, True, False]
    (error,) = errors(enabled)
    assert "consent" in error
    assert "or write 'enabled: false'" in error


def test_all_errors_of_a_file_are_told_at_once_in_the_order_of_lines():
    text = (
        SMALL.replace("study: small", "study: Small")
        .replace("languages: [en]", "languages: [en, ko]")
        .replace("status: published", "status: publishd", 1)
        .replace("zero: 4", "zero: 9")
        .replace("emotions: [sad, happy]", "emotions: [sad, hapy]")
        .replace("per_participant: 2", "per_participant: none")
    )
    found = errors(text)
    lines = [int(line.split(":")[1]) for line in found]
    assert lines == sorted(lines)
    for words in ("'Small'", "'publishd'", "found 9", "'hapy'", "'none'"):
        assert sum(words in line for line in found) == 1
    assert sum("no text in ko" in line for line in found) == SMALL.count("{en: ")


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "null", "- a\n- b", "a: 1\n---\nb: 2", "\x00", "[" * 500, "&a [*a]"]
)
def test_what_is_no_study_is_an_error(text):
    assert all(re.match(r"s\.yaml:\d+: ", line) for line in errors(text))


def test_nested_aliases_are_refused_before_they_grow():
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert any("alias" in line for line in errors("\n".join(["a0: &a0 [x]", *rows])))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_damaged_study_is_read_or_refused_with_lines(data):
    lines = SMALL.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    noise = data.draw(st.text(alphabet=":[]{}&*!|>'\"#%@ \t-,.0123456789abçé한\ud800", max_size=8))
    lines[index] = data.draw(
        st.sampled_from(["", noise, lines[index] + noise, lines[index].replace(": ", noise)])
    )
    text = "\n".join(lines)
    message = "s.yaml:1: none"
    try:
        study.parse(text, path="s.yaml")
    except StudyError as error:
        message = str(error)
    assert re.match(r"s\.yaml:\d+: ", message)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(StudyError, match="No such file"):
        study.read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: é".encode("latin-1"))
    with pytest.raises(StudyError, match="UTF-8"):
        study.read(tmp_path / "latin.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert study.read(tmp_path / "bom.yaml") == study.parse(SMALL, path="s.yaml")


def test_json_keeps_the_study_and_the_order_of_its_options():
    demo = study.read(DEMO)
    content = study.to_json(demo)
    again = study.from_json(content)
    assert again == demo
    assert list(again.scales["emotion"].options) == list(demo.scales["emotion"].options)
    assert study.to_json(again) == content
    # Canonical: what the standard library writes from its own reading, with sorted keys.
    assert content == json.dumps(
        json.loads(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


@pytest.mark.parametrize("content", ["", "{}", "[", '{"study": 3}', "null"])
def test_a_stored_study_that_cannot_be_read_is_an_error(content):
    with pytest.raises(StudyError):
        study.from_json(content)


def stimulus(number: int) -> Stimulus:
    return Stimulus(f"{number:012x}", f"{number}.png", "0" * 64, f"{number:064x}", 9, 9, "id1", "sad")


def test_the_hash_does_not_depend_on_place_or_order():
    small = study.parse(SMALL, path="s.yaml")
    moved = study.parse(SMALL.replace("folder: pictures", "folder: /mnt/faces"), path="s.yaml")
    commented = study.parse("# a comment\n" + SMALL, path="other.yaml")
    rows = [stimulus(n) for n in range(20)]
    shuffled = random.Random(3).sample(rows, 20)
    first = study.config_hash(small, rows)
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert {study.config_hash(each, shuffled) for each in (small, moved, commented)} == {first}


def test_a_yardstick_makes_no_new_version_so_that_participants_ratings_count_on():
    small = study.parse(SMALL, path="s.yaml")
    named = study.parse(
        SMALL + "yardsticks:\n  - {id: real, title: {en: Our portraits}, manifest: real/manifest.csv}\n",
        path="s.yaml",
    )
    assert [(one.id, one.manifest) for one in named.yardsticks] == [("real", "real/manifest.csv")]
    assert study.config_hash(named, [stimulus(1)]) == study.config_hash(small, [stimulus(1)])
    assert study.from_json(study.to_json(named)) == named


def test_the_hash_depends_on_words_options_and_stimuli():
    rows = [stimulus(1), stimulus(2)]
    swapped = SMALL.replace(
        "      sad: {en: Sad}\n      happy: {en: Happy}\n", "      happy: {en: Happy}\n      sad: {en: Sad}\n"
    )
    worded = SMALL.replace("{en: Weak}", "{en: Faint}")
    small, *others = (study.parse(text, path="s.yaml") for text in (SMALL, swapped, worded))
    hashes = [study.config_hash(each, rows) for each in (small, *others)]
    hashes += [
        study.config_hash(small, rows[:1]),
        study.config_hash(small, [rows[0], replace(rows[1], prompt="x")]),
    ]
    assert len(set(hashes)) == 5


def test_warnings_name_drafts_blanks_few_ratings_and_labels_without_a_match():
    text = (
        SMALL.replace("status: published", "status: draft", 1)
        .replace("{en: Hello}", '{en: "Ask [name of the board]"}')
        .replace("ratings_per_stimulus: 10", "ratings_per_stimulus: 9")
        .replace("      happy: {en: Happy}", "      hapy: {en: Happy}")
        .replace("languages: [en]", "languages: [en]\nminimum_age: 16")
        .replace("kind: number,", "kind: number, enabled: false,")
    )
    found = study.warnings(study.parse(text, path="s.yaml"))
    for words in ("draft", "[name of the board]", "is 9", "'hapy'", "'happy'", "is 16", "about_you"):
        assert sum(words in line for line in found) == 1, (words, found)
    assert study.warnings(study.parse(SMALL, path="s.yaml")) == ()


def settings_of(model: type[BaseModel], start: str = "") -> dict[str, str]:
    """Every setting with its default as JSON, walked from the models."""
    found = {}
    for name, field in model.model_fields.items():
        annotation, suffix = field.annotation, ""
        while typing.get_origin(annotation) in (typing.Annotated, types.UnionType, typing.Union):
            annotation = typing.get_args(annotation)[0]
        if typing.get_origin(annotation) is tuple and isinstance(
            typing.get_args(annotation)[0], type(BaseModel)
        ):
            annotation, suffix = typing.get_args(annotation)[0], "[]"
        if typing.get_origin(annotation) is dict and isinstance(
            typing.get_args(annotation)[1], type(BaseModel)
        ):
            annotation, suffix = typing.get_args(annotation)[1], ".<id>"
        path = f"{start}{name}{suffix}"
        if annotation is Question and start:
            found[f"{start}{name}"] = "needed"  # as in about_you
            continue
        if (
            not field.is_required()
            and field.default in ((), None)
            and isinstance(annotation, type(BaseModel))
        ):
            found[f"{start}{name}"] = f"`{json.dumps(field.default)}`"
        if isinstance(annotation, type(BaseModel)):
            found |= settings_of(annotation, f"{path}.")
        else:
            usual = field.get_default(call_default_factory=True, validated_data={})
            found[path] = "needed" if field.is_required() else f"`{json.dumps(usual)}`"
    return found


def test_the_documentation_has_a_row_for_each_setting_with_its_default():
    text = (PROJECT / "docs" / "studies.md").read_text(encoding="utf-8")
    table = text.split("## Settings")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([^`]+)` \| (needed|`[^`]*`) \|", table, flags=re.MULTILINE))
    assert rows == settings_of(study.Study)
