"""docs/identity.md holds every column, source and convention of the code."""

import re

import pytest

from core.identity import across, images, pairs, report, separation, tables
from core.settings import PROJECT

TEXT = (PROJECT / "docs" / "identity.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", tables.FILES)
def test_every_column_of_every_file_is_described_in_order(file: str) -> None:
    section = re.search(rf"^`{file}`: .*?(?=^`\w+\.csv`: |^## )", TEXT, re.DOTALL | re.MULTILINE)
    assert section is not None
    named = re.findall(r"`(\w+)`", section[0])
    described = [name for name in dict.fromkeys(named) if name in tables.FILES[file]]
    assert set(described) == set(tables.FILES[file])


@pytest.mark.parametrize("function", [separation.separation, across.robustness])
def test_every_source_that_a_statistic_cites_is_in_the_document(function: object) -> None:
    words = " ".join((function.__doc__ or "").split())
    cited = re.findall(r"[A-Z]\w+ (?:& [A-Z]\w+(?: \w+)? )?\(\d{4}\)", words)
    assert cited
    assert [source for source in cited if source not in TEXT] == []


def test_the_document_says_the_conventions() -> None:
    assert f"({images.NEAR_ONE:.2f}".replace("0.", ".") in TEXT
    assert f"more than {pairs.CARRIED:,} impostor pairs" in TEXT
    assert f"{separation.RESAMPLES:,} times" in TEXT
    for kind in report.PAIRED:
        assert f"| `{kind}` |" in TEXT
