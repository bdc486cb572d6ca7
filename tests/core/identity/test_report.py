"""A model's report: against loops over every pair, and on sets made for one answer."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.errors import AgreementError
from core.identity import gallery, images, pairs, report
from core.identity.gallery import Picture
from tests.core.identity import made


@pytest.fixture(scope="module")
def example():
    """9 identities with an edited neutral and traits, and their report."""
    built, found = made.a_set(9, edited_neutral=True, traits=True)
    return built, found, report.compute("m", found, built, threshold=0.6, resamples=50)


def test_every_edit_stands_where_a_loop_over_all_neutrals_puts_it(example):
    built, found, told = example
    place = {one.stim_file: at for at, one in enumerate(built.pictures)}
    neutrals = [at for at in place.values() if built.pictures[at].reference_file is None]
    impostors = [
        made.cosine(found, edit, neutral)
        for edit in built.edits
        for neutral in neutrals
        if built.identity[edit] != built.identity[neutral] and built.group[edit] == built.group[neutral]
    ]
    assert told.headline == "matched"
    assert told.of("reference").n_between == len(impostors)
    for image in told.images:
        at = place[image.stim_file]
        own = made.cosine(found, at, place[image.reference_file])
        others = {
            built.pictures[n].stim_file: made.cosine(found, at, n)
            for n in neutrals
            if built.identity[n] != built.identity[at]
        }
        stands, nearest = image.reference, max(others, key=others.__getitem__)
        assert stands.similarity == pytest.approx(own, abs=2e-6)
        share = np.mean([(own > s) + 0.5 * (own == s) for s in impostors])
        assert stands.percentile == pytest.approx(100 * share, abs=100 / len(impostors))  # of a rounded tie
        assert stands.nearest_file == nearest
        assert stands.margin == pytest.approx(own - others[nearest], abs=4e-6)
        assert stands.rank1 == (own > others[nearest])
        assert image.verdict == (1 - own <= 0.6)
    assert {image.reference.rank1 for image in told.images} == {True, False}


@pytest.mark.parametrize("kind", gallery.KINDS)
@pytest.mark.parametrize("impostors", ["matched", "all"])
def test_all_pairs_are_counted_as_a_loop_counts_them(example, kind, impostors):
    built, found, told = example
    neutral_of = {"reference": built.reference, "edited_neutral": built.edited_neutral}
    if kind == "all_pairs":
        looked = [(i, j) for i in range(len(found)) for j in range(i)]
    else:
        own = neutral_of[kind]
        looked = [(i, j) for i in np.flatnonzero(own >= 0) for j in sorted(set(own[own >= 0].tolist()))]
    truth, scores = [], []
    for i, j in looked:
        mine = built.identity[i] == built.identity[j]
        if mine or impostors == "all" or built.group[i] == built.group[j]:
            truth.append(bool(mine))
            scores.append(made.cosine(found, i, j))
    one = told.of(kind, impostors)
    assert (one.n_within, one.n_between) == (sum(truth), len(truth) - sum(truth))
    assert one.auc.estimate == pytest.approx(roc_auc_score(truth, scores), abs=1e-5)
    within, between = (np.array([s for s, t in zip(scores, truth, strict=True) if t is side])
                       for side in (True, False))  # fmt: skip
    assert one.d_prime.estimate == pytest.approx(
        (within.mean() - between.mean()) / ((within.var(ddof=1) + between.var(ddof=1)) / 2) ** 0.5, rel=1e-5
    )
    assert sum(one.within_bins) == one.n_within
    assert list(one.between_bins) == pytest.approx(np.histogram(between, pairs.EDGES)[0], abs=1)


def test_small_blocks_give_what_one_product_gives(example):
    built, found, _ = example
    for kind in gallery.KINDS:
        pair = pairs.sides(built, np.ones(len(found), bool), kind)
        (_, whole), = pairs.blocks(found, pair)  # fmt: skip
        for rows, part in pairs.blocks(found, pair, at_once=100):
            expected = whole[rows, rows.start :] if pair.triangle else whole[rows]
            assert part == pytest.approx(expected, abs=2e-6)
        everywhere = slice(0, len(pair.first))
        for matched in (True, False):
            apart = pairs.strangers(built, pair, everywhere, matched=matched)
            assert pairs.count(built, pair, matched=matched) == apart.sum()


def test_an_interval_on_drawn_impostors_is_that_on_all(example, monkeypatch):
    built, found = made.a_set(60)
    whole = report.compute("m", found, built).of("all_pairs")
    monkeypatch.setattr(pairs, "CARRIED", 20_000)
    drawn = report.compute("m", found, built).of("all_pairs")
    assert whole.n_between == 60 * 59 // 2 * 36
    assert "impostor pairs, drawn at random" in drawn.auc.method
    assert drawn.auc.estimate == whole.auc.estimate
    for name in ("d_prime", "auc", "eer"):
        one, other = getattr(whole, name), getattr(drawn, name)
        width = one.high - one.low
        assert other.low == pytest.approx(one.low, abs=width / 5)
        assert other.high == pytest.approx(one.high, abs=width / 5)


def test_the_order_of_pictures_changes_nothing(example):
    built, found, told = example
    order = np.random.default_rng(2).permutation(len(found))
    mixed = gallery.build([built.pictures[at] for at in order])
    again = report.compute("m", found[order], mixed, threshold=0.6, resamples=0)
    assert {image.stim_file: image for image in again.images} == {one.stim_file: one for one in told.images}
    for kind in gallery.KINDS:
        assert again.of(kind).auc.estimate == pytest.approx(told.of(kind).auc.estimate, abs=1e-12)


def test_pictures_without_a_face_are_left_out_with_their_reason():
    built, found = made.a_set(4)
    found[0] = np.nan  # a neutral: its five edits have nothing to be compared with
    found[7] = np.nan  # an edit of the second identity
    told = report.compute("m", found, built)
    reasons = [image.reason for image in told.images]
    assert reasons == ["no face in the reference"] * 5 + ["no face in this picture"] + [""] * 14
    assert told.of("reference").n_within == 14
    assert told.of("all_pairs").n_within == 10 + 10 + 15 + 15


def test_what_the_manifest_leaves_open_is_said():
    known = made.pictures(3)
    lost = replace(known[1], reference_file="elsewhere.png")
    nobody = replace(known[7], identity_id=None)
    built = gallery.build([known[0], lost, *known[2:7], nobody, *known[8:]])
    reasons = {i.stim_file: i.reason for i in report.compute("m", made.embeddings(known), built).images}
    assert reasons[lost.stim_file] == "the reference is not among the pictures"
    assert reasons[nobody.stim_file] == "the manifest names no identity"


def test_without_an_edited_neutral_the_report_says_confounded():
    built, found = made.a_set(4)
    told = report.compute("m", found, built)
    assert report.CONFOUNDED in told.notes
    assert report.UNMATCHED in told.notes
    assert told.headline == "all"
    assert told.of("edited_neutral") is None
    assert "0 pairs of one identity" in told.missing["edited_neutral", "all"]


def test_with_one_every_edit_also_stands_against_it(example):
    built, found, told = example
    place = {one.stim_file: at for at, one in enumerate(built.pictures)}
    assert report.CONFOUNDED not in told.notes
    for image in told.images:
        if image.intended_emotion == "neutral":
            assert image.edited_neutral is None
            continue
        again = image.reference_file.replace("neutral", "again")
        assert image.edited_neutral.compared_file == again
        own = made.cosine(found, place[image.stim_file], place[again])
        assert image.edited_neutral.similarity == pytest.approx(own, abs=2e-6)


def test_an_edit_that_did_nothing_and_one_that_changed_the_person_are_flagged():
    built, found = made.a_set(5)
    found[1], found[2] = found[0], found[6]  # a copy of its neutral, and another identity's neutral
    copy, other = report.compute("m", found, built).images[:2]
    assert copy.flags == (images.UNCHANGED,)
    assert other.flags == (images.NEARER,)
    assert other.reference.nearest_file == built.pictures[6].stim_file
    order = images.order_by_trouble(report.compute("m", found, built).images)
    assert order[0] == 1


def test_traits_that_contradict_each_other_match_nobody():
    def one(file, identity, **traits):
        return Picture(file, identity, "neutral", None, traits)

    built = gallery.build([
        one("a", "id1", gender="f", age_group="old"), one("b", "id2", gender="f", age_group="old"),
        one("c", "id3", gender="f"), one("d", "id4", gender="f", age_group="old"),
        one("e", "id4", gender="m"), one("f", None, gender="f", age_group="old"),
    ])  # fmt: skip
    assert built.matched_on == ("gender", "age_group")
    assert built.group.tolist() == [0, 0, -1, -1, -1, -1]


def test_traits_without_a_second_of_a_kind_leave_all_impostors():
    two = [replace(one, traits={"gender": "fm"[one.identity_id == "id1"]}) for one in made.pictures(2)]
    told = report.compute("m", made.embeddings(two), gallery.build(two))
    assert told.headline == "all"
    assert "No two identities share gender, so impostors are any two people." in told.notes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found[:-1], "do not fit 24 pictures"),
        (lambda found: found * 2, "another length than 1"),
        (lambda found: found * np.nan, "no edit has a face"),
    ],
)
def test_embeddings_that_cannot_be_used_are_said(change, said):
    built, found = made.a_set(4)
    with pytest.raises(AgreementError, match=said):
        report.compute("m", change(found), built)


def test_people_without_references_are_compared_by_all_pairs_where_that_is_asked_for():
    whole = made.pictures(7, traits=True)
    plain = [replace(one, reference_file=None, intended_emotion=None) for one in whole]
    built, found = gallery.build(plain), made.embeddings(whole)
    with pytest.raises(AgreementError, match="no edit has a face"):
        report.compute("m", found, built)
    told = report.compute("m", found, built, needs_edits=False, resamples=20)
    assert (told.of("reference"), told.images, told.headline) == (None, (), "matched")
    # Oracle: the same pairs of the same pictures in a set that has references.
    with_edits = report.compute("m", found, gallery.build(whole), resamples=20)
    assert told.of("all_pairs").auc == with_edits.of("all_pairs").auc
