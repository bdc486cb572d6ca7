"""The files of one export, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core import ratings
from core.errors import ExportError
from core.export import codebook, sheets, tally
from core.export.sheets import Chunk
from core.export.view import Private, Public, stimulus_rows
from core.ratings import AI_COLUMNS, AI_KINDS, COLUMNS, KINDS, Kind, Row
from core.records import Participant, Picture, QuestionnaireAnswer, Stimulus, StudyStimulus
from core.study import Study, asked


@dataclass(frozen=True, slots=True)
class Tables:
    """What an export reads; each function gives a fresh iterator, and the caller owns what is behind it.

    sharing: the sessions that agreed to public sharing.
    picture: the original file by its `stim_sha256`; None leaves pictures out.
    external_ids: by session, for a private export that asks for them; a public one never has them.
    """

    study: Study
    ratings: Callable[[], Iterable[Row]]  # with ratings.COLUMNS
    ai_ratings: Callable[[], Iterable[Row]]  # with ratings.AI_COLUMNS
    participants: Callable[[], Iterable[Participant]]
    stimuli: Callable[[], Iterable[StudyStimulus]]
    questionnaires: Callable[[], Iterable[QuestionnaireAnswer]] = tuple
    sharing: Collection[str] = ()
    picture: Callable[[str], Picture | None] | None = None
    external_ids: Mapping[str, str] | None = None


class Writing:
    """One export as it is written: the files so far, with their columns and numbers of rows."""

    def __init__(self, folder: Path, tables: Tables, view: Private | Public, *, excel: bool) -> None:
        self.folder, self.tables, self.view, self.excel = folder, tables, view, excel
        self.headers: dict[str, dict[str, Kind]] = {}
        self.counts: dict[str, int] = {}

    def ratings(self) -> None:
        """ratings.csv, and norms.csv of the very rows in it."""
        counts = tally.Tally()
        chunks = self.view.ratings(ratings.chunks(self.tables.ratings(), COLUMNS))
        self._sheet("ratings.csv", dict(KINDS), self._counted(chunks, counts), by=self.view.sort_ratings_by)
        scales = dict(asked(self.tables.study))
        kinds, rows = tally.norm_rows(counts.norms(scales), scales)
        self._rows("norms.csv", kinds, rows)

    def people(self) -> None:
        """participants.csv and questionnaires.csv."""
        people = self.view.people(self.tables.participants(), self.tables.questionnaires())
        self._rows("participants.csv", *people.participants())
        self._rows("questionnaires.csv", *people.questionnaires())

    def stimuli(self) -> None:
        """stimuli.csv, and the original pictures where they are wanted."""
        shown = list(self.view.stimuli(self.tables.stimuli()))
        self._rows("stimuli.csv", *stimulus_rows(shown))
        if self.tables.picture:
            _pictures(self.folder / "stimuli", [one.stimulus for one in shown], self.tables.picture)

    def ai_ratings(self) -> None:
        """ai_ratings.csv."""
        chunks = self.view.ratings(ratings.chunks(self.tables.ai_ratings(), AI_COLUMNS))
        self._sheet("ai_ratings.csv", dict(AI_KINDS), map(self.view.disguised, chunks))

    def codebook(self) -> None:
        """codebook.csv, of all files written so far."""
        kinds = codebook.kinds(self.tables.study)
        self._rows("codebook.csv", kinds, list(codebook.rows(self.tables.study, self.headers)))

    def _counted(self, chunks: Iterable[Chunk], counts: tally.Tally) -> Iterator[Chunk]:
        for chunk in chunks:
            counts.add(chunk)
            yield self.view.disguised(chunk)

    def _rows(self, file: str, kinds: dict[str, Kind], rows: Iterable[Row]) -> None:
        self._sheet(file, kinds, ratings.chunks(rows, tuple(kinds)))

    def _sheet(
        self, file: str, kinds: dict[str, Kind], chunks: Iterable[Chunk], by: str | None = None
    ) -> None:
        self.headers[file] = kinds
        self.counts[file] = sheets.write(self.folder / file, kinds, chunks, excel=self.excel, by=by)


def _pictures(folder: Path, stimuli: Sequence[Stimulus], picture: Callable[[str], Picture | None]) -> None:
    written: dict[Path, str] = {}
    for stimulus in stimuli:
        path = _inside(folder, stimulus.stim_file)
        # Two versions of a study may hold different pictures under one name.
        if written.get(path, stimulus.stim_sha256) != stimulus.stim_sha256:
            path = path.with_name(f"{path.stem}-{stimulus.stim_sha256[:8]}{path.suffix}")
        if path not in written:
            original = picture(stimulus.stim_sha256)
            if original is None:
                raise ExportError(f"{stimulus.stim_file}: the original is not stored; load the study again")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(original.content)
            written[path] = stimulus.stim_sha256


def _inside(folder: Path, name: str) -> Path:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise ExportError(
            f"{name!r} leaves the folder of pictures; rename it in the manifest and load it again"
        )
    return folder / relative
