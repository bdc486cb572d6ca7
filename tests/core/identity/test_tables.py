"""The rows of the files: what stands in them for models and edits of every sort."""

from itertools import chain

import numpy as np
import pytest

from core.identity import report, tables
from tests.core.identity import made


@pytest.fixture(scope="module")
def example():
    """4 identities, one edit of which has no face."""
    built, found = made.a_set(4)
    found[3] = np.nan
    return built, found, report.compute("m", found, built, threshold=0.5, resamples=20)


def test_an_edit_is_a_row_with_deepfaces_confidence_where_there_is_one(example):
    *_, told = example
    rows = list(tables.identity_rows([told], {"m": lambda similarity: 100 * similarity}))
    assert [tuple(row) for row in rows] == [tuple(tables.IDENTITY)] * 20
    for row, image in zip(rows, told.images, strict=True):
        if image.reference is None:
            assert row["similarity"] is row["deepface_confidence"] is row["verdict"] is None
            assert row["reason"] == "no face in this picture"
        else:
            assert row["deepface_confidence"] == pytest.approx(100 * row["similarity"])
    assert {row["deepface_confidence"] for row in tables.identity_rows([told], {})} == {None}


def test_the_headline_comes_first_and_what_is_missing_has_its_reason(example):
    *_, told = example
    first, *others = tables.summary_rows([told])
    assert (first["compared"], first["headline"], first["n_within"]) == ("reference", True, 19)
    assert [row["headline"] for row in others] == [False] * len(others)
    missing = [row for row in others if row["auc"] is None]
    assert [row["compared"] for row in missing] == ["edited_neutral"]
    assert "0 pairs of one identity" in missing[0]["note"]


@pytest.mark.parametrize("which", ["all", "within"])
def test_pairs_are_written_once_each_whatever_the_number_at_once(example, which, monkeypatch):
    built, found, _ = example

    def rows():
        chunks = list(tables.pair_chunks("m", built, found, which))
        columns = {name: list(chain(*(chunk[name] for chunk in chunks))) for name in tables.PAIRS}
        return list(zip(*columns.values(), strict=True))

    whole = rows()
    monkeypatch.setattr(tables, "PAIRS_AT_ONCE", 40)
    assert rows() == [(*row[:3], pytest.approx(row[3], abs=2e-6), row[4]) for row in whole]
    assert len(whole) == tables.n_pairs(built, found, which)
    assert len({frozenset(row[1:3]) for row in whole}) == len(whole)
    place = {one.stim_file: at for at, one in enumerate(built.pictures)}
    for _, one, other, similarity, same in whole:
        i, j = place[one], place[other]
        assert similarity == pytest.approx(made.cosine(found, i, j), abs=2e-6)
        assert same == (built.identity[i] == built.identity[j])
        assert same or which == "all"
