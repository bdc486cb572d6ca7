"""Studies and stimuli for the tests of plans, and the constraints said anew to hold plans to."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter, defaultdict

from core import plan, study
from core.design_rules import PAIRS
from core.records import Places, Plan, Stimulus, Trial
from core.study import Study
from tests import variants

EMOTIONS = ("neutral", "angry", "sad", "happy", "disgust", "surprise")
FULL = study.read(variants.DEMO)
ONE_BLOCK = study.parse(variants.one_block(), path="demo.yaml")


def of(base: Study = ONE_BLOCK, **changes) -> Study:
    """A study with other settings: part_name={setting: value}, validated as a whole."""
    data = json.loads(study.to_json(base))
    for part, settings in changes.items():
        data[part] = {**data[part], **settings}
    return study.from_json(json.dumps(data))


def face(identity: str, emotion: str = "sad", variant: str = "", **more) -> Stimulus:
    name = f"{identity}_{emotion}{variant}"
    return Stimulus(name, f"{name}.png", name, name, 9, 9, identity, emotion, **more)


def faces(n_identities: int, emotions=EMOTIONS, **more) -> list[Stimulus]:
    return [face(f"id{i:03}", emotion, **more) for i in range(n_identities) for emotion in emotions]


def drawn(given: Study, stimuli, seed: int = 1, places: Places | None = None) -> Plan:
    return plan.build(given, stimuli, places or Places(), rng=random.Random(seed))


def blocks(found: Plan) -> dict[int, list[Trial]]:
    """The main blocks."""
    split = defaultdict(list)
    for trial in found.trials:
        if trial.task != PAIRS and not trial.is_practice:
            split[trial.block].append(trial)
    return split


def target(trial: Trial) -> str:
    return next(shown.stimulus_id for shown in trial.shown if shown.role == "target")


def main(trials) -> list[str]:
    return [
        target(trial)
        for trial in trials
        if not (trial.is_practice or trial.is_attention or trial.is_repeat or trial.is_foil)
    ]


def hold(given: Study, stimuli, found: Plan) -> None:
    """Assert every constraint of the documentation, each said in another way than the program does."""
    by_id = {one.stimulus_id: one for one in stimuli}
    for trials in blocks(found).values():
        shown = [by_id[target(trial)] for trial in trials]
        for a, b in itertools.combinations(range(len(shown)), 2):
            between = b - a - 1
            assert shown[a].identity_id != shown[b].identity_id or between >= given.trials.identity_gap
        each = Counter(one.identity_id for one in {one.stimulus_id: one for one in shown}.values())
        assert max(each.values()) <= (given.trials.most_per_identity or len(shown))
        runs = [len(list(run)) for _, run in itertools.groupby(one.intended_emotion for one in shown)]
        assert max(runs) <= (given.trials.most_emotion_run or len(shown))
        assert not trials[0].is_attention
        assert not any(a.is_attention and b.is_attention for a, b in itertools.pairwise(trials))
        assert len(set(main(trials))) == len(main(trials)) == given.trials.per_participant
        originals = {trial.trial_id: trial for trial in trials}
        repeats = [trial for trial in trials if trial.is_repeat]
        # Half rounds up.
        assert len(repeats) == int(given.trials.per_participant * given.repeats.share + 0.5)
        assert len({trial.repeat_of for trial in repeats}) == len(repeats)
        for trial in repeats:
            original = originals[trial.repeat_of]
            assert original.shown == trial.shown
            assert original.trial_index < trial.trial_index
            assert not original.is_attention
