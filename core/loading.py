"""From a study file and its pictures to what the database stores of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core import located, plan, planning, stimuli, yardstick_sets
from core import study as studies
from core.errors import StudyError
from core.records import Picture, Stimulus
from core.stimuli import Gathered
from core.study import Study
from core.yardstick_sets import YardstickSet


@dataclass(frozen=True, slots=True)
class Loaded:
    """A study that a participant could begin, with its stimuli."""

    study: Study
    source_yaml: str
    gathered: Gathered
    warnings: tuple[str, ...]  # of pictures that were left out, then of the study
    yardsticks: tuple[YardstickSet, ...] = ()

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The usable stimuli."""
        return self.gathered.stimuli

    @property
    def n_rated(self) -> int:
        """How many stimuli participants rate."""
        return sum(stimulus.rated for stimulus in self.stimuli)

    @property
    def title(self) -> str:
        """The title in the study's first language."""
        return self.study.title[self.study.languages[0]]

    def pictures(self) -> Iterator[Picture]:
        """Originals and served copies, read and decoded one at a time."""
        return self.gathered.pictures()


def read(file: Path) -> Loaded:
    """Read a study file with its stimuli; raises StudyError as `parse` does, and when it cannot be read."""
    return parse(studies.content_of(file), name=str(file), base=file.parent)


def parse(content: bytes, *, name: str, base: Path) -> Loaded:
    """Make a study of a file's bytes; `name` is its name in messages, `base` the folder that it lies in.

    Raises StudyError when the file is not a valid study, a yardstick has no usable picture, or the usable
    stimuli do not suffice for one participant; then a line for each picture that was left out follows.
    """
    text = studies.decode(content, path=name)
    study = studies.parse(text, path=name)
    gathered = stimuli.gather(study, base)
    try:
        plan.check(study, gathered.stimuli)
    except StudyError as error:
        found = [f"{name}: {line}" for line in str(error).splitlines()]
        raise StudyError("\n".join([*found, *gathered.problems])) from error
    yardsticks, left_out = _yardsticks(study, text, name, base)
    warnings = (*studies.warnings(study), *plan.warnings(study, gathered.stimuli))
    long = planning.warnings(study, gathered.stimuli)
    return Loaded(study, text, gathered, (*gathered.problems, *left_out, *warnings, *long), yardsticks)


def _yardsticks(
    study: Study, text: str, name: str, base: Path
) -> tuple[tuple[YardstickSet, ...], tuple[str, ...]]:
    """The sets of real faces, and a line for each of their pictures that was left out."""
    found, left_out, failed = [], list[str](), []
    for index, one in enumerate(study.yardsticks):
        try:
            found.append(yardstick_sets.gather(one, base, language=study.languages[0]))
            left_out += found[-1].problems
        except StudyError as error:
            line = located.read(text, path=name).line(("yardsticks", index, "manifest"))
            failed.append(f"{name}:{line}: {error}")
    if failed:
        raise StudyError("\n".join(failed))
    return tuple(found), tuple(left_out)
