"""What of a study's tables an export shows: everything, or what may be public."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import compress

from core.export import fields, public
from core.export.people import All, People, Sharing
from core.export.sheets import Chunk
from core.ratings import Kind, Row, Value
from core.records import Participant, QuestionnaireAnswer, StudyStimulus
from core.study import Study


class Private:
    """Everything, as it is stored."""

    sort_ratings_by: str | None = None

    def __init__(self, study: Study, *, external_ids: Mapping[str, str] | None = None) -> None:
        self._study, self._external_ids = study, external_ids

    def ratings(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The ratings that are shown, as they are counted."""
        return iter(chunks)

    def disguised(self, chunk: Chunk) -> Chunk:
        """A chunk of ratings as it is written."""
        return chunk

    def stimuli(self, stimuli: Iterable[StudyStimulus]) -> Iterator[StudyStimulus]:
        """The stimuli that are shown."""
        return iter(stimuli)

    def people(self, participants: Iterable[Participant], answers: Iterable[QuestionnaireAnswer]) -> People:
        """What is shown of people."""
        return All(self._study, participants, answers, external_ids=self._external_ids)


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
        self._study, self._ids = study, ids
        self._sharing = frozenset(sharing)
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
            if all(kept):
                yield chunk
            else:
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
            **{
                column: self._unless_hidden(chunk, column)
                for column in ("reference_stimulus_id", "reference_identity_id")
            },
            "viewport": [public.device(value) for value in chunk["viewport"]],
            "saved_at_utc": nothing,
            "exclusion_reason": nothing,
        }

    def _unless_hidden(self, chunk: Chunk, column: str) -> Sequence[Value]:
        """A column about the picture beside the rated one, empty where that may not be published."""
        beside = zip(chunk[column], chunk["reference_stimulus_id"], strict=True)
        return [None if stimulus in self._hidden else value for value, stimulus in beside]

    def stimuli(self, stimuli: Iterable[StudyStimulus]) -> Iterator[StudyStimulus]:
        """The stimuli that may be published, without the names of those that may not."""
        for one in stimuli:
            stimulus = one.stimulus
            if stimulus.stimulus_id in self._hidden:
                continue
            if stimulus.reference_file in self._hidden_files:
                stimulus = replace(stimulus, reference_file=None)
            yield replace(one, stimulus=stimulus, exclusion_reason=None)

    def people(self, participants: Iterable[Participant], answers: Iterable[QuestionnaireAnswer]) -> People:
        """What is shown of people."""
        return Sharing(self._study, participants, answers, sharing=self._sharing, ids=self._ids)


def stimulus_rows(stimuli: Iterable[StudyStimulus]) -> tuple[dict[str, Kind], list[Row]]:
    """The columns and rows of stimuli.csv; further columns of the manifest come last."""
    kinds, rows = fields.kinds("stimuli.csv"), []
    for one in stimuli:
        row: dict[str, Value] = {**asdict(one), **asdict(one.stimulus)}
        extra: Row = {f"extra_{name}": text for name, text in one.stimulus.extra.items()}
        kinds |= dict.fromkeys(extra, "text")
        rows.append({**row, **extra})
    return kinds, [{**dict.fromkeys(kinds), **row} for row in rows]
