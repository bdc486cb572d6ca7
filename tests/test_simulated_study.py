"""The whole way of a study with simulated participants: plan, answers over HTTP, ratings, norms, export."""

import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import uvicorn
from click.testing import CliRunner
from scipy import stats
from starlette.applications import Starlette

from core import planted, tasks
from core import study as studies
from core.cli import main
from core.cli.install import DEMO_PICTURES, DEMO_SEED
from core.design_rules import PAIRS
from core.faces import demo
from db import engine, sessions
from db import studies as stored
from pages import api
from pages.api import store
from tests import variants

FLAGS = ["is_practice", "is_attention", "is_repeat", "is_foil", "superseded", "excluded"]
N = 12

EVERYTHING = """
practice: {files: [id01_happy.jpg, id02_sad.jpg, id03_angry.jpg], pass_share: 1, attempts: 2}
debriefing: {en: The faces are drawn., ko: 그린 얼굴입니다., ja: 描かれた顔です。}
questionnaires:
  - id: mood
    when: before
    title: {en: Mood, ko: 기분, ja: 気分}
    questions:
      - id: now
        kind: likert
        text: {en: Now?, ko: 지금?, ja: いま?}
        options: {low: {en: Low, ko: 낮음, ja: 低い}, high: {en: High, ko: 높음, ja: 高い}}
        items:
          - {id: calm, text: {en: Calm, ko: 차분, ja: 平静}}
          - {id: glad, text: {en: Glad, ko: 기쁨, ja: 喜び}}
  - id: end
    when: after
    title: {en: End, ko: 끝, ja: 終わり}
    questions:
      - {id: hours, kind: number, min: 0, max: 24, text: {en: Hours?, ko: 시간?, ja: 時間?}}
      - {id: note, kind: text, required: true, text: {en: Note?, ko: 메모?, ja: メモ?}}
"""


class Installation:
    """The command and the routes over one database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def run(self, *arguments: object) -> str:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.output

    def simulate(self, text: str, *options: object) -> None:
        """Load and open this study, and send simulated participants."""
        path = self.folder / "study.yaml"
        path.write_text(text.replace("folder: ../demo", f"folder: {self.folder / 'demo'}"), encoding="utf-8")
        self.run("study", "load", path)
        self.run("study", "open", "demo")
        self.run("simulate", "demo", "-n", N, "--seed", 5, "--url", self.url, *options)

    def table(self, file: str, *options: str) -> pd.DataFrame:
        """One file of an export of simulated participants."""
        out = self.folder / f"out-{'-'.join(options) or 'private'}"
        if not out.exists():
            self.run("export", "demo", "--simulated", "--out", out, *(options or ["--private"]))
        return pd.read_csv(out / file, keep_default_na=False, na_values=[""])

    def plans(self):
        """The study, and each session with its trials of every attempt."""
        with engine.reading(store.engine()) as conn:
            version = stored.latest(conn, "demo")
            people = self.table("participants.csv")["session_id"]
            found = {who: sessions.trials(conn, who) for who in people}
        return studies.from_json(version.content), found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    demo.write(DEMO_PICTURES, seed=DEMO_SEED)
    return Path(shutil.copytree(DEMO_PICTURES, tmp_path_factory.mktemp("pictures") / "demo"))


@pytest.fixture(scope="module")
def installation(pictures: Path) -> Iterator[Installation]:
    """The routes on a real port, over the database of the commands."""
    patch = pytest.MonkeyPatch()
    patch.setenv("FACENORM_DATA", str(pictures.parent / "data"))
    patch.setenv("FACENORM_MODELS", str(pictures.parent / "models"))
    patch.delenv("FACENORM_DATABASE_URL", raising=False)
    store.engine.cache_clear()
    api.migrate()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = uvicorn.Server(
        uvicorn.Config(Starlette(routes=api.ROUTES), port=port, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield Installation(pictures.parent, f"http://127.0.0.1:{port}")
    running.should_exit = True
    thread.join()
    store.engine().dispose()
    store.engine.cache_clear()
    patch.undo()


# ---- the demo study as it is


@pytest.fixture(scope="module")
def whole(installation: Installation) -> Installation:
    installation.simulate(variants.DEMO.read_text(encoding="utf-8"))
    return installation


@pytest.fixture(scope="module")
def ratings(whole: Installation) -> pd.DataFrame:
    return whole.table("ratings.csv")


@pytest.fixture(scope="module")
def main_rows(ratings: pd.DataFrame) -> pd.DataFrame:
    return ratings[~ratings[FLAGS].any(axis=1)]


def test_every_trial_of_every_plan_gives_a_row_for_each_scale_that_it_asks(whole, ratings):
    study, plans = whole.plans()
    wanted = {
        f"{trial.trial_id}-{scale_id}"
        for trials in plans.values()
        for trial in trials
        for scale_id, _ in tasks.asked_in(study, trial)
    }
    assert set(ratings["row_id"]) == wanted
    assert len(ratings) == len(wanted)


def test_every_participant_is_complete_and_did_each_part(whole, ratings):
    people = whole.table("participants.csv")
    assert people["outcome"].tolist() == ["complete"] * N
    assert people["n_checks"].tolist() == [1] * N
    assert people["practice_attempts"].tolist() == [0] * N
    # The Latin square of the first stage: either order for half of them.
    assert set(Counter(people["task_order"]).values()) == {N // 2}
    trials = ratings.drop_duplicates("trial_id")
    for _, own in trials.groupby("session_id"):
        in_pairs = own[own["task"] == PAIRS]
        assert (len(in_pairs), in_pairs["is_foil"].sum()) == (12, 6)
        counted = own[~own[FLAGS].any(axis=1)].groupby("task").size()
        assert counted.drop(PAIRS).tolist() == [24, 24, 24]
        assert own["is_repeat"].sum() >= 6  # a tenth of each block
        assert own.loc[own["is_repeat"], "repeat_of"].isin(own["trial_id"]).all()


def test_stimuli_are_filled_alike_in_each_task_set(main_rows):
    per_stimulus = main_rows.drop_duplicates("trial_id").groupby(["task", "stimulus_id"]).size()
    for task, counts in per_stimulus.groupby(level="task"):
        if task != PAIRS:
            assert len(counts) == 48
            assert counts.max() - counts.min() <= 1  # 12 x 24 over 48 are 6 each


def test_norms_are_those_that_pandas_counts_in_the_rows(whole, main_rows):
    norms = whole.table("norms.csv").set_index("stimulus_id")
    for scale_id in ("intensity", "valence", "arousal", "naturalness", "same_identity"):
        rows = main_rows[main_rows["scale_id"] == scale_id]
        by_stimulus = rows.groupby("stimulus_id")["response"]
        both = norms.join(by_stimulus.agg(["mean", "std", "count"]))
        assert both[f"{scale_id}_n"].tolist() == both["count"].fillna(0).tolist()
        assert np.allclose(both[f"{scale_id}_m"], both["mean"], equal_nan=True)
        assert np.allclose(both[f"{scale_id}_sd"], both["std"], equal_nan=True)
        absent = rows[rows["status"] == "not_applicable"].groupby("stimulus_id").size()
        assert norms[f"{scale_id}_n_not_applicable"].sum() == absent.sum()
    assert norms["emotion_n"].sum() == N * 24
    assert norms["same_identity_n"].sum() == N * 6  # the foils are no part of it


def test_what_was_planted_comes_back(whole, ratings, main_rows):
    with engine.reading(store.engine()) as conn:
        shown = {one.stimulus_id: one for one in stored.stimuli(conn, ratings["config_hash"][0])}
    norms = whole.table("norms.csv").set_index("stimulus_id")
    truth = [planted.share(shown[name], "valence") for name in norms.index]
    assert stats.pearsonr(norms["valence_m"], truth).statistic > 0.9
    pairs = ratings[ratings["scale_id"] == "same_identity"]
    same, foils = (pairs.loc[pairs["is_foil"] == is_foil, "response"] for is_foil in (False, True))
    area = stats.mannwhitneyu(same, foils).statistic / len(same) / len(foils)
    assert 0.8 < area < 1
    first = main_rows.set_index(["trial_id", "scale_id"])["response"]
    again = ratings[ratings["is_repeat"] & ratings["response"].notna()]
    before = first.reindex(pd.MultiIndex.from_frame(again[["repeat_of", "scale_id"]])).to_numpy()
    both = ~np.isnan(before)
    assert stats.pearsonr(before[both], again["response"][both]).statistic > 0.6
    checks = ratings[ratings["is_attention"]]
    assert checks["is_instructed"].all()
    assert checks["check_passed"].mean() > 0.8


def test_pairs_say_who_stood_where(ratings):
    pairs = ratings[ratings["task"] == PAIRS]
    assert (pairs["is_foil"] == (pairs["identity_id"] != pairs["reference_identity_id"])).all()
    assert set(pairs["target_side"]) == {"left", "right"}
    assert (pairs["intended_emotion"] != "neutral").all()
    alone = ratings[ratings["task"] != PAIRS]
    assert alone[["reference_stimulus_id", "target_side"]].isna().all(axis=None)


# ---- everything that a study may add, with participants who leave


@pytest.fixture(scope="module")
def added(whole: Installation) -> Installation:
    text = variants.changed(
        variants.DEMO.read_text(encoding="utf-8"),
        ("  instructed: 1\n", "  instructed: 2\n  gold: [{file: id04_happy.jpg, answer: happy}]\n"),
        ("    option_order: random\n", "    option_order: random\n    cannot_tell: true\n"),
    )
    for old in whole.folder.glob("out-*"):
        shutil.rmtree(old)
    whole.simulate(text + EVERYTHING, "--dropout", "0.3")
    return whole


def test_some_finish_some_are_screened_out_and_some_leave(added):
    people = added.table("participants.csv").set_index("session_id")
    ends = people["outcome"].fillna("left")
    assert set(ends) == {"complete", "screened_out", "left"}
    assert (people["completed"] == (ends == "complete")).all()
    assert (people.loc[ends == "screened_out", "practice_attempts"] == 2).all()
    assert people.loc[ends == "complete", "n_checks"].tolist() == [3] * (ends == "complete").sum()


def test_a_failed_practice_is_kept_and_marked(added):
    rows = added.table("ratings.csv")
    practice = rows[rows["is_practice"]]
    emotion = practice[practice["scale_id"] == "emotion"].set_index("trial_id")
    assert (emotion["check_passed"] == (emotion["response_label"] == emotion["expected_label"])).all()
    for _, own in emotion.groupby("session_id"):
        assert sorted(own["trial_index"].unique()) == list(range(1, own["trial_index"].max() + 1))
        # An attempt is superseded when there is a later one, and only then.
        assert (own["superseded"] == (own["attempt"] < own["attempt"].max())).all()
    assert emotion["superseded"].any()
    assert (rows.loc[rows["superseded"], "attempt"] == 1).all()


def test_questionnaires_leave_with_every_answer_and_without_texts_in_public(added):
    said = added.table("questionnaires.csv")
    people = added.table("participants.csv").set_index("session_id")
    mood = said[said["questionnaire_id"] == "mood"].groupby("session_id")
    assert mood["item_id"].agg(sorted).tolist() == [["calm", "glad"]] * len(people)
    end = said[said["questionnaire_id"] == "end"]
    assert set(end["session_id"]) == set(people.index[people["completed"]])
    assert set(end.loc[end["question_id"] == "note", "value"]) == {"simulated"}
    shared = added.table("questionnaires.csv", "--public")
    assert "note" not in set(shared["question_id"])
    assert len(shared) == len(said) - (end["question_id"] == "note").sum()


def test_a_command_that_is_repeated_adds_nothing(added):
    before = added.table("ratings.csv")
    added.run("simulate", "demo", "-n", N, "--seed", 5, "--url", added.url, "--dropout", "0.3")
    shutil.rmtree(added.folder / "out-private")
    pd.testing.assert_frame_equal(added.table("ratings.csv"), before)


def test_who_leaves_has_answered_all_trials_before_that_and_none_after(added):
    rows, people = added.table("ratings.csv"), added.table("participants.csv")
    _study, plans = added.plans()
    left = people.loc[people["outcome"].isna(), "session_id"]
    answered = rows[~rows["superseded"]].groupby("session_id")["trial_index"].agg(["nunique", "max"])
    for who in left:
        n, last = answered.loc[who] if who in answered.index else (0, 0)
        assert n == last < len(plans[who])
