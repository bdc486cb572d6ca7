"""The demo study in shorter forms, for tests that are about something else."""

from __future__ import annotations

from core.settings import PROJECT

DEMO = PROJECT / "assets" / "studies" / "demo.yaml"
_PARTS = (
    ("\ntasks:\n", "\ntrials:\n"),
    ("\nattention:\n", "\nrepeats:\n"),
    ("\nrepeats:\n", "\nidentity_pairs:\n"),
    ("\nidentity_pairs:\n", "\ndisplay:\n"),
)
_ONE_BLOCK = """
tasks: {order: fixed, sets: [{id: all, scales: [emotion, intensity, valence, arousal, naturalness]}]}
attention: {instructed: 0}
repeats: {share: 0}
identity_pairs: {per_participant: 0}
"""


def one_block(*changes: tuple[str, str]) -> str:
    """The demo's YAML with all scales in one block and nothing beside its main trials.

    changes: text of the demo and what stands there instead.
    """
    text = DEMO.read_text(encoding="utf-8")
    for begin, end in _PARTS:
        start = text.index(begin)
        text = text[:start] + text[text.index(end, start + 1) :]
    return changed(text + _ONE_BLOCK, *changes)


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A text with each found part replaced; AssertionError where one is missing."""
    for found, needed in changes:
        assert found in text, f"the demo study no longer says {found!r}"
        text = text.replace(found, needed)
    return text
