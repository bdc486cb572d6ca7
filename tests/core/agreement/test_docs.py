"""docs/statistics.md says how every number is made; these tests hold it to the code."""

import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import conduct, norms, quality
from core.agreement import bootstrap, krippendorff
from core.study import Anchors, Scale

DOCS = Path(__file__).resolve().parents[3] / "docs" / "statistics.md"
# estimate.py holds the record and its quantiles, no statistic.
NAMES = sorted(
    {path.stem for path in Path(krippendorff.__file__).parent.glob("*.py")} - {"__init__", "estimate"}
)
MODULES = {
    **{name: importlib.import_module(f"core.agreement.{name}") for name in NAMES},
    "conduct": conduct,
    "norms": norms,
    "quality": quality,
}
FUNCTIONS = {
    f"{name}.{function}": code
    for name, module in MODULES.items()
    for function, code in inspect.getmembers(module, inspect.isfunction)
    if not function.startswith("_") and code.__module__ == module.__name__
}


@pytest.fixture(scope="module")
def text():
    return DOCS.read_text(encoding="utf-8")


def test_the_document_names_every_public_function_and_no_other(text):
    named = {name for name in re.findall(r"`(\w+\.\w+)`", text) if name.split(".")[0] in MODULES}
    assert named == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_source_that_a_function_cites_is_in_the_document(name, text):
    words = " ".join((inspect.getdoc(FUNCTIONS[name]) or "").split())
    cited = re.findall(r"[A-Z][\w'-]+(?: & [A-Z][\w'-]+)? \(\d{4}\)", words)
    assert [source for source in cited if source not in text] == []


def test_every_statistic_with_a_source_is_one_that_is_cited():
    uncited = {name for name, code in FUNCTIONS.items() if "Source:" not in (inspect.getdoc(code) or "")}
    assert uncited == {
        "adjusted.change_from_neutral",
        "categories.counts",
        "conduct.measures",
        "conduct.people",
        "conduct.true",
        "categories.positions",
        "chance.brennan_prediger_of_counts",
        "chance.fleiss_of_counts",
        "chance.gwet_of_counts",
        "kappa.cohen_of_table",
        "categorical.mode",
        "confusion.overall",
        "confusion.proportions",
        "confusion.restrict",
        "confusion.table",
        "continuous.compare",
        "continuous.pairs",
        "design.describe",
        "design.kept",
        "design.parts",
        "design.parts_of_links",
        "icc.forms",
        "krippendorff.alpha_of_counts",
        "weighted.statistic",
        "retest.by_rater",
        "measures.value",
        "norms.matrix",
        "norms.table",
        "norms.table_of_counts",
        "norms.usable",
        "quality.excluded",
        "quality.flags",
    }


def test_the_document_lists_every_column_of_the_norms_and_no_other(text):
    def words(some):
        return {"en": some}

    common = {"question": words("?"), "source": "test", "status": "draft"}
    ends = Anchors(low=words("low"), high=words("high"))
    scales = {
        "choice": Scale(kind="choice", options={"sad": words("sad"), "other": words("other")}, **common),
        "points": Scale(kind="vas", polarity="bipolar", zero=50, anchors=ends, **common),
    }
    frame = pd.DataFrame(
        {
            "rater_id": "r",
            "stimulus_id": "s",
            "scale_id": list(scales),
            "response": [None, 3],
            "response_label": ["sad", None],
        }
    )
    given = {
        re.sub("proportion_.*", "proportion_<code>", column.split("_", 1)[1])
        for column in norms.table(frame, scales)
        if column != "stimulus_id"
    }
    table = text.split("## Norms")[1]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)} == given


def test_the_document_states_the_limits_that_the_code_has(text):
    assert f"fewer than {bootstrap.MIN_STIMULI} stimuli" in text
    assert f"fewer than {krippendorff.MIN_STIMULI} stimuli with two ratings" in text
    assert np.isclose(1 - bootstrap.MIN_DEFINED, 0.1)
    assert "more than a tenth" in text
    assert f"fewer than {MODULES['continuous'].MIN_PAIRS} pairs" in text
    assert f"above {krippendorff._PACKAGE_CELLS // 10**6} million" in text
    default = inspect.signature(krippendorff.alpha).parameters["resamples"].default
    assert f"{default:,} resamples" in text


def test_the_document_lists_every_limit_of_quality_with_its_default(text):
    limits = {
        name: value
        for name, value in dataclasses.asdict(quality.Rules()).items()
        if name != "soft" and value is not None
    }
    table = text.split("## Quality of answers")[1].split("\n## ")[0]
    stated = {
        name: float(default)
        for name, default in re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) \|$", table, re.MULTILINE)
    }
    assert stated == limits
    assert "| `min_rt_ms` |" in table
    assert all(f"`{name}`" in table.split("Soft")[1] for name in quality.Rules().soft)
    assert f"fewer than {conduct.MIN_RATINGS} answers" in table
