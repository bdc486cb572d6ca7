"""Which picture an edit was made from."""

from __future__ import annotations

from collections.abc import Sequence

NEUTRAL = "neutral"
RULE = (
    "the file that the manifest's column 'reference' names; where it names none, the identity's one neutral "
    "that is no edit itself; an identity with several such neutrals has none"
)


def fill(
    files: Sequence[str],
    identities: Sequence[str | None],
    emotions: Sequence[str | None],
    references: Sequence[str | None],
) -> tuple[str | None, ...]:
    """Each picture's reference by RULE: the given one, else its identity's neutral, else None.

    All of one length, by picture. A neutral is given no reference here: a neutral that has one is an edited
    neutral, which shows what editing does without a change of expression. A picture that others name as
    their reference is a source, and given none either.
    """
    sources = {reference for reference in references if reference}
    neutrals: dict[str, list[str]] = {}
    for file, identity, emotion, reference in zip(files, identities, emotions, references, strict=True):
        if identity and emotion == NEUTRAL and not reference:
            neutrals.setdefault(identity, []).append(file)
    only = {identity: found[0] for identity, found in neutrals.items() if len(found) == 1}
    return tuple(
        reference or (None if emotion == NEUTRAL or file in sources else only.get(identity or ""))
        for file, identity, emotion, reference in zip(files, identities, emotions, references, strict=True)
    )
