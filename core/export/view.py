"""What of a study's tables an export shows: everything, or what may be public."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, replace
from itertools import compress

from core.export import fields, public
from core.export.sheets import Chunk
from core.ratings import Kind, Row, Value
from core.records import Participant, StudyStimulus
from core.study import Study
from core.study_design import Question

AGE = "age"


class Private:
    """Everything, as it is stored."""

    sort_ratings_by: str | None = None

    def __init__(self, study: Study) -> None:
        self.questions = {question.id: question for question in study.about_you}

    def ratings(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The ratings that are shown, as they are counted."""
        return iter(chunks)

    def disguised(self, chunk: Chunk) -> Chunk:
        """A chunk of ratings as it is written."""
        return chunk

    def stimuli(self, stimuli: Iterable[StudyStimulus]) -> Iterator[StudyStimulus]:
        """The stimuli that are shown."""
        return iter(stimuli)

    def participants(self, participants: Iterable[Participant]) -> tuple[dict[str, Kind], list[Row]]:
        """The columns and rows of participants.csv."""
        kinds: dict[str, Kind] = fields.kinds("participants.csv")
        rows = []
        for one in participants:
            about: Row = {f"about_{question}": _whole(value) for question, value in one.about.items()}
            consents: Row = {f"consent_{item}": agreed for item, agreed in one.consents.items()}
            kinds |= {column: self._kind(column) for column in about if column not in kinds}
            kinds |= dict.fromkeys(consents, "boolean")
            rows.append({**_fixed(one), **about, **consents})
        return kinds, [{**dict.fromkeys(kinds), **row} for row in rows]

    def _kind(self, column: str) -> Kind:
        question = self.questions.get(column.removeprefix("about_"))
        return "number" if question and question.kind == "number" else "text"


class Public:
    """What participants agreed to share, of stimuli that may be published, with nobody recognisable."""

    sort_ratings_by = "session_id"  # new ids: their order does not tell who came when

    def __init__(
        self,
        study: Study,
        stimuli: Iterable[StudyStimulus],
        *,
        sharing: Collection[str],
        ids: public.Pseudonyms,
    ) -> None:
        self._sharing = frozenset(sharing)
        self._ids = ids
        self._asked = {question.id: question for question in study.about_you if _publishable(question)}
        hidden = [one.stimulus for one in stimuli if not one.stimulus.publishable]
        # A picture that one version withholds stays out, whatever another version says.
        self._hidden = {one.stimulus_id for one in hidden}
        self._hidden_files = {one.stim_file for one in hidden}

    def ratings(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The ratings of those who share, of pictures that may be published, and of models."""
        for chunk in chunks:
            people = zip(chunk["rater_type"], chunk["session_id"], chunk["stimulus_id"], strict=True)
            kept = [
                (sort == "model" or session in self._sharing) and stimulus not in self._hidden
                for sort, session, stimulus in people
            ]
            yield {column: list(compress(values, kept)) for column, values in chunk.items()}

    def disguised(self, chunk: Chunk) -> Chunk:
        """A chunk of ratings without true ids, times, texts and windows."""
        ids = self._ids
        nothing = (None,) * len(chunk["row_id"])
        subjects = [ids.subject(value) for value in chunk["subject_id"]]
        raters = zip(chunk["rater_type"], chunk["rater_id"], subjects, strict=True)
        return {
            **chunk,
            "row_id": [ids.row(value) for value in chunk["row_id"]],
            "subject_id": subjects,
            "session_id": [ids.session(value) for value in chunk["session_id"]],
            "rater_id": [rater if sort == "model" else subject for sort, rater, subject in raters],
            "trial_id": [ids.trial(value) for value in chunk["trial_id"]],
            "repeat_of": [ids.trial(value) for value in chunk["repeat_of"]],
            "viewport": [public.device(value) for value in chunk["viewport"]],
            "saved_at_utc": nothing,
            "exclusion_reason": nothing,
        }

    def stimuli(self, stimuli: Iterable[StudyStimulus]) -> Iterator[StudyStimulus]:
        """The stimuli that may be published, without the names of those that may not."""
        for one in stimuli:
            stimulus = one.stimulus
            if stimulus.stimulus_id in self._hidden:
                continue
            if stimulus.reference_file in self._hidden_files:
                stimulus = replace(stimulus, reference_file=None)
            yield replace(one, stimulus=stimulus, exclusion_reason=None)

    def participants(self, participants: Iterable[Participant]) -> tuple[dict[str, Kind], list[Row]]:
        """The columns and rows of participants.csv, sorted by their new ids."""
        shared = {one.session_id: one for one in participants if one.session_id in self._sharing}
        facts = public.suppress({who: self._facts(one) for who, one in shared.items()})
        rows = [self._row(one, facts[who]) for who, one in shared.items()]
        return self._kinds(), sorted(rows, key=lambda row: str(row["session_id"]))

    def _facts(self, one: Participant) -> public.Facts:
        answers = (
            public.age_band(one.about.get(question)) if question == AGE else _whole(one.about.get(question))
            for question in self._asked
        )
        return (one.language, *answers)

    def _row(self, one: Participant, facts: public.Facts) -> Row:
        language, *answers = facts
        return {
            **_fixed(one),
            "subject_id": self._ids.subject(one.session_id),
            "session_id": self._ids.session(one.session_id),
            "language": language,
            "began_at_utc": None,
            "completed_at_utc": None,
            "completion_code": None,
            "utc_offset_min": None,
            "exclusion_reason": None,
            **dict(zip((f"about_{question}" for question in self._asked), answers, strict=True)),
        }

    def _kinds(self) -> dict[str, Kind]:
        kinds = fields.kinds("participants.csv")
        for question, asked in self._asked.items():
            kinds[f"about_{question}"] = "number" if asked.kind == "number" and question != AGE else "text"
        return kinds


def _publishable(question: Question) -> bool:
    return question.enabled and question.kind != "text" and not question.sensitive


def _whole(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fixed(one: Participant) -> dict[str, Value]:
    return {
        "subject_id": one.session_id,
        "session_id": one.session_id,
        "study_id": one.study_id,
        "study_version": one.study_version,
        "config_hash": one.config_hash,
        "kind": one.kind,
        "phase": one.phase,
        "language": one.language,
        "completed": one.completed_at is not None,
        "began_at_utc": one.began_at,
        "completed_at_utc": one.completed_at,
        "completion_code": one.completion_code,
        "utc_offset_min": one.utc_offset_min,
        "excluded": one.excluded,
        "exclusion_reason": one.exclusion_reason,
    }


def stimulus_rows(stimuli: Iterable[StudyStimulus]) -> tuple[dict[str, Kind], list[Row]]:
    """The columns and rows of stimuli.csv; further columns of the manifest come last."""
    kinds, rows = fields.kinds("stimuli.csv"), []
    for one in stimuli:
        row: dict[str, Value] = {**asdict(one), **asdict(one.stimulus)}
        extra: Row = {f"extra_{name}": text for name, text in one.stimulus.extra.items()}
        kinds |= dict.fromkeys(extra, "text")
        rows.append({**row, **extra})
    return kinds, [{**dict.fromkeys(kinds), **row} for row in rows]
