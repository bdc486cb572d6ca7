"""Tables of rating files from elsewhere: real faces with known answers, and planted truth."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.agreement import continuous, wagner
from core.analysing import ratings as long
from core.analysing import reading, recognition, reliability, tables, writing
from core.analysing.asked import Asked, Columns
from core.errors import AgreementError, ExportError

LONG = Columns("rater", "stimulus", scale="scale", value="value")


@pytest.fixture
def analysed(tmp_path):
    """The tables of these rows, by way of a file."""

    def analysed(rows, columns=LONG, **options):
        path = tmp_path / "ratings.csv"
        (rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)).to_csv(path, index=False)
        return analyse(path, columns, **({"resamples": 0} | options))

    return analysed


def analyse(path, columns, **options):
    asked = Asked(columns, **options)
    found, warnings = long.ratings(reading.columns(path, columns), asked)
    return tables.analyse(found, asked, warnings)


def planted(seed=0, *, raters=30, stimuli=80):
    """Ratings of 2 scales: variance of stimuli 1, of raters 0.5 and of the rest 1.5; ICC(2,1) = 1/3."""
    rng = np.random.default_rng(seed)
    parts = []
    for scale in ("warm", "cold"):
        truth, bias = rng.normal(size=stimuli), rng.normal(0, 0.5**0.5, size=raters)
        noise = rng.normal(0, 1.5**0.5, size=(raters, stimuli))
        values = 5 + truth + bias[:, None] + noise
        i, j = np.indices(values.shape)
        parts.append(
            pd.DataFrame({"rater": i.ravel(), "stimulus": j.ravel(), "scale": scale, "value": values.ravel()})
        )
    return pd.concat(parts)


def row(analysis, statistic, *, scale="warm", subset="all"):
    table = analysis.tables["reliability.csv"]
    found = table[(table.statistic == statistic) & (table.scale == scale) & (table.subset == subset)]
    assert len(found) == 1
    return found.iloc[0]


def told(analysis, word):
    return [line for line in analysis.warnings if word in line]


# Real ratings, whose values were computed by others


@pytest.fixture(scope="module")
def faces(shared):
    columns = Columns("rater_id", "face_id", scale="trait", value="rating", by=("face_gender",))
    return analyse(
        shared / "ratings" / "3dsk_ratings_long.csv", columns, levels={"att": "ordinal"}, resamples=0
    )


@pytest.fixture(scope="module")
def expected(shared):
    return json.loads((shared / "reference" / "agreement.json").read_text())["real"]["3dsk"]


@pytest.mark.parametrize("sex", ["female", "male"])
@pytest.mark.parametrize("trait", ["att", "dom", "health", "sexdim", "trust"])
def test_reliability_of_real_faces_is_what_pingouin_and_krippendorff_give(faces, expected, sex, trait):
    known, subset = expected[f"{sex}_{trait}"], f"face_gender={sex}"
    for name, value in known["icc"].items():
        statistic = f"icc_{name[3]}_{'k' if name.endswith('k') else '1'}"
        found = row(faces, statistic, scale=trait, subset=subset)
        assert found.estimate == pytest.approx(value, abs=1e-9)
        assert [found.ci_low, found.ci_high] == pytest.approx(known["ci95"][name], abs=1e-6)
        assert (found.n_stimuli, found.n_raters, found.n_ratings, found.missing) == (50, 200, 10_000, 0)
    assert row(faces, "cronbach_alpha", scale=trait, subset=subset).estimate == pytest.approx(
        known["cronbach"]
    )
    for level, value in known["alpha"].items():
        found = row(faces, f"alpha_{level}", scale=trait, subset=subset)
        assert found.estimate == pytest.approx(value, abs=1e-9)


def test_real_faces_have_the_published_means(faces, expected):
    norms = faces.tables["norms.csv"]
    female = norms[norms.subset == "face_gender=female"]
    assert len(female) == 50
    assert female.att_m.mean() == pytest.approx(expected["female_att"]["grand_mean"], abs=5e-5)


def test_a_disconnected_design_is_told_and_has_no_common_crossed_icc(faces):
    assert len(told(faces, "2 disconnected parts")) == 1  # every rater saw faces of one sex
    found = row(faces, "icc_2_1", scale="att")
    assert np.isnan(found.estimate)
    assert found.method.startswith("not computed: ")
    assert row(faces, "icc_1_1", scale="att").estimate > 0


def test_a_level_hides_nothing_and_marks_what_fits(faces):
    table = faces.tables["reliability.csv"]
    assert tuple(table.columns) == reliability.COLUMNS
    part = table[table.subset == "all"]
    for _, of_scale in part.groupby("scale"):
        assert tuple(of_scale.statistic) == reliability.OF_NUMBERS
    assert set(part[part.recommended & (part.scale == "att")].statistic) == {"alpha_ordinal"}
    assert set(part[part.recommended & (part.scale == "dom")].statistic) == set(
        reliability.RECOMMENDED["interval"]
    )


# Planted truth


def test_planted_components_lie_in_the_interval(analysed):
    found = row(analysed(planted()), "icc_2_1")
    assert found.ci_low < 1 / 3 < found.ci_high
    incomplete = planted().sample(frac=0.6, random_state=1)
    found = row(analysed(incomplete), "icc_2_1")
    assert found.ci_low < 1 / 3 < found.ci_high
    assert found.missing == pytest.approx(0.4, abs=0.03)
    assert "REML" in found.method


def test_wide_and_long_files_give_the_same_tables(analysed):
    rows = planted().round(0)
    wide = rows.pivot(index=["rater", "stimulus"], columns="scale", values="value").reset_index()
    of_wide = analysed(wide, Columns("rater", "stimulus", scales=("warm", "cold")), resamples=50)
    of_long = analysed(rows, resamples=50)
    pd.testing.assert_frame_equal(of_wide.tables["reliability.csv"], of_long.tables["reliability.csv"])
    pd.testing.assert_frame_equal(of_wide.tables["norms.csv"], of_long.tables["norms.csv"])


def test_the_bootstrap_is_seeded_and_can_be_left_out(analysed):
    rows = planted(stimuli=20).round(0)
    once, again = (row(analysed(rows, resamples=100), "alpha_interval") for _ in range(2))
    assert (once.ci_low, once.ci_high) == (again.ci_low, again.ci_high)
    assert once.ci_low < once.estimate < once.ci_high
    without = analysed(rows, resamples=0)
    assert np.isnan(row(without, "alpha_interval").ci_low)
    assert np.isnan(row(without, "split_half_sb").ci_low)
    assert not np.isnan(row(without, "icc_2_1").ci_low)


def test_norms_are_pandas_means_by_stimulus(analysed):
    rows = planted(stimuli=10)
    found = analysed(rows).tables["norms.csv"].set_index("stimulus_id")
    by_hand = rows[rows.scale == "warm"].groupby("stimulus").value.agg(["mean", "std", "median", "count"])
    assert found.warm_m.to_numpy() == pytest.approx(by_hand["mean"].to_numpy())
    assert found.warm_sd.to_numpy() == pytest.approx(by_hand["std"].to_numpy())
    assert found.warm_median.to_numpy() == pytest.approx(by_hand["median"].to_numpy())
    assert (found.warm_n == by_hand["count"].to_numpy()).all()


def test_the_range_names_the_full_scale(analysed):
    rng = np.random.default_rng(2)
    rows = planted(stimuli=20).assign(value=lambda one: rng.integers(2, 5, size=len(one)))
    known = row(analysed(rows, ranges={"warm": (1, 7)}), "brennan_prediger")
    assert "over 7 categories; t interval over stimuli; the full scale" in known.method
    unknown = row(analysed(rows), "brennan_prediger")
    assert "over 3 categories; t interval over stimuli; the values in use" in unknown.method
    # The same pairs agree; only chance, 1/q, differs.
    agreement = known.estimate * (1 - 1 / 7) + 1 / 7
    assert unknown.estimate == pytest.approx((agreement - 1 / 3) / (1 - 1 / 3))


# Recognition

EMOTIONS = ("happy", "sad", "fear")


def labelled(n_raters=40, per=4, hit=0.7, seed=3):
    """Planted: each response is right with probability `hit`, else one of the other labels or 'other'."""
    rng = np.random.default_rng(seed)
    rows = []
    for rater in range(n_raters):
        for emotion in EMOTIONS:
            for k in range(per):
                wrong = [one for one in (*EMOTIONS, "other") if one != emotion]
                said = emotion if rng.random() < hit else str(rng.choice(wrong))
                rows.append((f"r{rater}", f"{emotion}{k}", emotion, said, 3 + rng.normal()))
    return pd.DataFrame(rows, columns=["rater", "stimulus", "shown", "said", "warm"])


WITH_EMOTION = Columns("rater", "stimulus", scales=("warm",), emotion="said", intended="shown")


def test_confusion_and_hits_are_pandas_counts(analysed):
    rows = labelled()
    found = analysed(rows, WITH_EMOTION)
    table = found.tables["confusion_intended_perceived.csv"]
    assert tuple(table.columns) == recognition.CONFUSION
    assert len(table) == len(EMOTIONS) * 4
    counts = pd.crosstab(rows.shown, rows.said)
    for one in table.itertuples():
        assert one.n == counts.loc[one.intended, one.perceived]
        assert one.proportion == pytest.approx(one.n / counts.loc[one.intended].sum())
    hits = found.tables["hit_rates.csv"].set_index("emotion")
    assert tuple(found.tables["hit_rates.csv"].columns) == recognition.HITS
    for emotion in EMOTIONS:
        one, used, n = hits.loc[emotion], counts[emotion].sum(), counts.loc[emotion].sum()
        assert one.h_low < 0.7 < one.h_high
        assert one.hu == pytest.approx(one.hits**2 / (n * used))  # Wagner (1993)
        assert one.chance == pytest.approx(n * used / len(rows) ** 2)
    assert told(found, "other are no intended label")
    nominal = found.tables["reliability.csv"].query("scale == 'said'")
    assert tuple(nominal.statistic) == reliability.OF_LABELS
    assert nominal.recommended.all()


def test_a_label_that_nobody_chose_has_hu_0_and_is_told(analysed):
    rows = labelled().assign(said=lambda one: one.said.replace("fear", "sad"))
    found = analysed(rows, WITH_EMOTION)
    fear = found.tables["hit_rates.csv"].set_index("emotion").loc["fear"]
    assert (fear.h, fear.hu) == (0, 0)
    assert told(found, "nobody chose fear")
    # wagner.per_rater keeps the same convention.
    assert wagner.per_rater([[0, 0]], [1, 0], labels=["sad", "fear"])[1].mean == 0


def test_responses_that_are_no_labels_are_told_and_never_scored(analysed):
    rows = labelled().assign(said=lambda one: (one.said == one.shown).astype(int))
    found = analysed(rows, WITH_EMOTION)
    assert "hit_rates.csv" not in found.tables
    assert told(found, "no response is one of the intended labels happy, sad, fear; responses are")


def test_labels_that_differ_in_capitals_alone_are_told(analysed):
    rows = labelled()
    rows.loc[rows.rater == "r1", "said"] = rows.said.str.title()
    found = analysed(rows, WITH_EMOTION)
    assert told(found, "Happy for happy")


def test_emotions_in_a_long_file_may_be_a_scale_or_a_repeated_column(analysed):
    rows = labelled(n_raters=8)
    column = pd.concat([rows.assign(scale=name, value=rows.warm) for name in ("warm", "cold")])
    repeated = analysed(
        column, Columns("rater", "stimulus", scale="scale", value="value", emotion="said", intended="shown")
    )
    assert not told(repeated, "duplicates")
    said = rows.assign(scale="said", value=rows.said).drop(columns="said")
    scale = pd.concat([said, rows.assign(scale="warm", value=rows.warm).drop(columns="said")])
    of_scale = analysed(
        scale, Columns("rater", "stimulus", scale="scale", value="value", emotion="said", intended="shown")
    )
    pd.testing.assert_frame_equal(repeated.tables["hit_rates.csv"], of_scale.tables["hit_rates.csv"])


def test_by_adds_subsets_after_all_in_every_table(analysed):
    rows = labelled().assign(land=lambda one: np.where(one.rater.str[1:].astype(int) % 2, "BE", "JP"))
    columns = Columns(
        "rater", "stimulus", scales=("warm",), emotion="said", intended="shown", by=("land", "shown")
    )
    found = analysed(rows, columns)
    for name, table in found.tables.items():
        assert list(dict.fromkeys(table["subset"])) == [
            "all", "land=JP", "land=BE", "shown=happy", "shown=sad", "shown=fear"
        ], name  # fmt: skip
    alone = analysed(rows[rows.land == "BE"], WITH_EMOTION)
    part = row(found, "icc_2_1", subset="land=BE")
    assert part.estimate == pytest.approx(row(alone, "icc_2_1").estimate)


# People and models


def with_models(seed=4, *, identities=12):
    """People rate 4 emotions of 12 identities; a good model tells half their scale, a poor one nothing."""
    rng = np.random.default_rng(seed)
    emotions = ("neutral", "happy", "sad", "fear")
    rows = []
    for who in range(identities):
        for emotion in emotions:
            truth = rng.normal(5, 1)
            about = {"stimulus": f"{who}{emotion}", "face": f"id{who}", "shown": emotion}
            for rater in range(12):
                rows.append(
                    about | {"rater": f"p{rater}", "kind": "human", "warm": truth + rng.normal(0, 0.7)}
                )
            rows.append(about | {"rater": "good", "kind": "model", "warm": truth / 10 + rng.normal(0, 0.02)})
            rows.append(about | {"rater": "poor", "kind": "model", "warm": rng.random()})
    return pd.DataFrame(rows)


BOTH = Columns("rater", "stimulus", scales=("warm",), intended="shown", identity="face", rater_type="kind")


def compared(found, rater, comparison, statistic):
    table = found.tables["human_ai.csv"]
    rows = table[(table.rater == rater) & (table.comparison == comparison) & (table.statistic == statistic)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_a_models_worth_stands_beside_the_human_ceiling(analysed):
    rows = with_models()
    found = analysed(rows, BOTH)
    means = rows[rows.kind == "human"].groupby("stimulus").warm.mean()
    good = rows[rows.rater == "good"].set_index("stimulus").warm
    one = compared(found, "good", "raw", "spearman")
    assert one.estimate == pytest.approx(means.corr(good, method="spearman"))
    assert one.ceiling_low < one.ceiling < one.ceiling_high
    assert one.ceiling_raters == 12
    assert compared(found, "poor", "raw", "spearman").estimate < 0.4
    assert compared(found, "good", "calibrated", "concordance").estimate > 0.9
    assert abs(compared(found, "poor", "calibrated", "concordance").estimate) < 0.3
    assert compared(found, "good", "calibrated", "winning_rate").estimate == 1
    change = compared(found, "good", "change", "pearson")
    assert change.n_stimuli == 36  # three emotions of twelve identities
    assert compared(found, "good", "within", "pearson").estimate > 0.9


def test_distances_need_one_unit_which_a_range_declares(analysed):
    rows = with_models()
    raw = analysed(rows, BOTH).tables["human_ai.csv"].query("comparison == 'raw'")
    assert set(raw.statistic) == {"spearman", "pearson"}
    # 0 to 1 is outside of 1 to 9, so the model answers in other units.
    other = analysed(rows, BOTH, ranges={"warm": (1, 9)}).tables["human_ai.csv"]
    assert set(other.query("comparison == 'raw'").statistic) == {"spearman", "pearson"}
    same = rows.assign(warm=rows.warm.where(rows.kind == "human", rows.warm * 10).clip(1, 9))
    found = analysed(same, BOTH, ranges={"warm": (1, 9)})
    people = same[same.kind == "human"].groupby("stimulus").warm.mean()
    model = same[same.rater == "good"].set_index("stimulus").warm.loc[people.index]
    one = compared(found, "good", "raw", "concordance")
    assert one.estimate == pytest.approx(continuous.concordance(people, model).estimate)
    assert compared(found, "good", "raw", "bias").estimate == pytest.approx((model - people).mean())


def test_a_models_label_meets_peoples_modal_label(analysed):
    rows = labelled(n_raters=15).assign(kind="human")
    stimuli = rows.drop_duplicates("stimulus")
    model = stimuli.assign(rater="net", kind="model", said=stimuli.shown)
    columns = Columns("rater", "stimulus", emotion="said", intended="shown", rater_type="kind")
    found = analysed(pd.concat([rows, model]), columns)
    one = compared(found, "net", "raw", "accuracy")
    modal = rows.groupby("stimulus").said.agg(lambda said: said.mode()[0])
    assert one.estimate == pytest.approx(
        (modal == stimuli.set_index("stimulus").shown.loc[modal.index]).mean()
    )
    assert one.chance == 1 / 4
    assert found.tables["hit_rates.csv"].n.sum() == len(rows)  # a model's responses are no person's


def test_models_enter_no_norm_and_no_agreement(analysed):
    rows = with_models()
    people = rows[rows.kind == "human"]
    with_them, without = analysed(rows, BOTH), analysed(people, BOTH)
    assert "human_ai.csv" not in without.tables
    for name in ("reliability.csv", "norms.csv"):
        pd.testing.assert_frame_equal(with_them.tables[name], without.tables[name])


def test_a_model_without_a_group_meets_the_people_of_each(analysed):
    rows = with_models(identities=4)
    rows["land"] = np.where(rows.rater.isin([f"p{one}" for one in range(6)]), "BE", "JP")
    rows.loc[rows.kind == "model", "land"] = None
    columns = Columns("rater", "stimulus", scales=("warm",), rater_type="kind", by=("land",))
    table = analysed(rows, columns).tables["human_ai.csv"].query("rater == 'good' and statistic == 'pearson'")
    assert dict(zip(table.subset, table.ceiling_raters, strict=True)) == {
        "all": 12,
        "land=BE": 6,
        "land=JP": 6,
    }


# Warnings


def test_duplicates_are_told_and_the_first_counts(analysed):
    rows = planted(stimuli=10)
    twice = pd.concat([rows, rows.head(3).assign(value=99.0)])
    found = analysed(twice)
    assert told(found, "warm: 3 ratings are duplicates")
    pd.testing.assert_frame_equal(found.tables["norms.csv"], analysed(rows).tables["norms.csv"])


def test_values_outside_the_range_are_told_and_left_out(analysed):
    rows = planted(stimuli=10)
    strange = rows.copy()
    strange.iloc[0, 3] = 999
    found = analysed(strange, ranges={"warm": (-20, 20)})
    assert told(found, "warm: 1 values are outside -20 to 20 (the first is 999)")
    assert row(found, "icc_2_1").n_ratings == len(rows) / 2 - 1


def test_raters_without_variance_are_told_and_kept(analysed):
    rows = planted(stimuli=10)
    rows.loc[rows.rater == 4, "value"] = 3.0
    found = analysed(rows)
    assert told(found, "warm: 1 raters have no variance, they gave one value throughout (4)")
    assert row(found, "icc_2_1").n_raters == 30


def test_a_clean_file_has_no_warnings(analysed):
    assert analysed(planted(stimuli=10)).warnings == ()


# Refusals

MENDS = {
    "text among numbers": (
        lambda rows: rows.assign(value=rows.value.astype(object).where(rows.index != 3, "lots")),
        LONG,
        {},
        "holds 'lots' among numbers",
    ),
    "two intended emotions": (
        lambda rows: rows.assign(shown=["a", "b"] * (len(rows) // 2), stimulus=1),
        Columns("rater", "stimulus", scale="scale", value="value", intended="shown"),
        {},
        "stimulus 1 has a and b in shown",
    ),
    "no such column": (
        lambda rows: rows,
        Columns("who", "stimulus", scale="scale", value="value"),
        {},
        "has no column 'who'; it has rater, stimulus, scale, value: mend --rater",
    ),
    "unknown kind of rater": (
        lambda rows: rows.assign(kind="robot"),
        Columns("rater", "stimulus", scale="scale", value="value", rater_type="kind"),
        {},
        "holds 'robot'; it needs 'human' or 'model'",
    ),
    "one rater of two kinds": (
        lambda rows: rows.assign(kind=["human", "model"] * (len(rows) // 2), rater=1),
        Columns("rater", "stimulus", scale="scale", value="value", rater_type="kind"),
        {},
        "rater 1 is a person in some rows and a model in others",
    ),
    "no people": (
        lambda rows: rows.assign(kind="model"),
        Columns("rater", "stimulus", scale="scale", value="value", rater_type="kind"),
        {},
        "no row is of a person; kind needs 'human' in some rows",
    ),
    "level of no scale": (lambda rows: rows, LONG, {"levels": {"hot": "ordinal"}}, "--levels names 'hot'"),
    "no such emotion": (
        lambda rows: rows,
        Columns("rater", "stimulus", scale="scale", value="value", emotion="said"),
        {},
        "'said' is neither a column nor one of the scales warm, cold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MENDS)
def test_what_would_make_a_number_wrong_stops_with_the_mend(analysed, case):
    change, columns, options, message = MENDS[case]
    with pytest.raises(AgreementError) as caught:
        analysed(change(planted(stimuli=10).reset_index(drop=True)), columns, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# Reading and writing


def test_cells_are_read_as_they_are_meant(tmp_path):
    path = tmp_path / "semicolons.csv"
    path.write_text("\ufeffrater;stimulus;warm\n007; a ;1,5\n7;a;NA\n007;b;\n", encoding="utf-8")
    found = reading.columns(path, Columns("rater", "stimulus", scales=("warm",)))
    assert found["rater"].names == ("007", "7")
    assert found["stimulus"].names == ("a", "b")
    assert found["warm"].numbers().tolist() == [1.5]
    assert found["warm"].codes.tolist() == [0, -1, -1]


def test_parquet_gives_what_csv_gives(tmp_path, analysed):
    rows = planted(stimuli=10)
    path = tmp_path / "ratings.parquet"
    rows.to_parquet(path)
    found = analyse(path, LONG, resamples=0)
    pd.testing.assert_frame_equal(found.tables["reliability.csv"], analysed(rows).tables["reliability.csv"])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"rater,stimulus,scale,value\n"])
def test_a_file_without_ratings_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "empty.csv"
    path.write_bytes(content)
    with pytest.raises(AgreementError, match=r"cannot be read|no rows"):
        reading.columns(path, LONG)


def test_a_folder_is_whole_or_not_there(tmp_path, analysed, monkeypatch):
    found = analysed(planted(stimuli=10))
    out = tmp_path / "tables"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", refuse)  # the disk is full when the last file is written
        with pytest.raises(ExportError, match="cannot be written"):
            writing.write(found, out)
    assert not out.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["ratings.csv"]
    writing.write(found, out)
    with pytest.raises(ExportError, match="not empty"):
        writing.write(found, out)
    written = pd.read_csv(out / "reliability.csv")
    pd.testing.assert_frame_equal(written, found.tables["reliability.csv"], check_dtype=False)


def refuse(*arguments, **options):
    raise OSError("no space left")
