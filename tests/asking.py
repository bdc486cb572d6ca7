"""A questionnaire with every kind of question before the trials, and one after them."""

from __future__ import annotations

from pathlib import Path

_PAGES = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")


def change() -> tuple[str, str]:
    """What adds these pages to a variant of the demo study."""
    return "\nseed: 2026", f"\n{_PAGES}\nseed: 2026"
