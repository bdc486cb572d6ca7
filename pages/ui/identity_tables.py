"""The tables of the page about identity, and the faces side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from core.agreement.estimate import Estimate
from core.identity.across import Robustness
from core.identity.gallery import Impostors, Kind
from core.identity.images import Image, Standing
from core.identity.report import Report
from core.records import Stimulus
from pages.ui import parts

TUNED = "verdict (threshold tuned on other data)"
CARDS_CSS = """
<style>
.fi-cards { display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); }
.fi-card { border: 1px solid var(--st-border-color, #8886); border-radius: 8px; padding: 10px; }
.fi-card h4 { margin: 0 0 8px; padding: 0; font-size: 15px; line-height: 1.3; overflow-wrap: anywhere; }
.fi-faces { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; }
.fi-faces figure { margin: 0; min-width: 0; }
.fi-faces img { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 4px; }
.fi-faces figcaption { font-size: 13px; line-height: 1.3; margin-top: 4px; overflow-wrap: anywhere; }
.fi-card p { margin: 8px 0 0; font-size: 13px; line-height: 1.35; }
</style>
"""


def summary(reports: Sequence[Report], kind: Kind, impostors: Impostors | None) -> pd.DataFrame:
    """One row for each model that has the kind of pair: d', AUC and EER with intervals and n."""
    found = [(one, separation) for one in reports if (separation := one.of(kind, impostors))]
    return pd.DataFrame(
        {
            "model": [one.model for one, _ in found],
            "d′": [parts.number(each.d_prime.estimate) for _, each in found],
            "d′ 95 %": [interval(each.d_prime, 2) for _, each in found],
            "AUC": [decimals(each.auc.estimate) for _, each in found],
            "AUC 95 %": [interval(each.auc) for _, each in found],
            "EER": [decimals(each.eer.estimate) for _, each in found],
            "EER 95 %": [interval(each.eer) for _, each in found],
            "people": [each.n_identities for _, each in found],
            "within": [each.n_within for _, each in found],
            "impostors": [f"{each.n_between:,} {each.impostors}" for _, each in found],
        }
    )


def decimals(value: float | None, digits: int = 3) -> str:
    """Write a number with a real minus sign; an unknown one is empty."""
    return "" if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def interval(one: Estimate, digits: int = 3) -> str:
    """Write the ends of an interval, or nothing."""
    ends = (decimals(one.low, digits), decimals(one.high, digits))
    return " to ".join(ends) if all(ends) else ""


def agreement(found: Robustness) -> pd.DataFrame:
    """Spearman's correlation of each two models, and of all."""
    rows = [
        *((f"{one} and {other}", "Spearman's ρ", each) for (one, other), each in found.spearman.items()),
        ("all models", "mean of ρ", found.mean_spearman),
        ("all models", "Kendall's W", found.kendall_w),
    ]
    return pd.DataFrame(
        {
            "models": [name for name, _, _ in rows],
            "statistic": [statistic for _, statistic, _ in rows],
            "estimate": [decimals(each.estimate, 2) for _, _, each in rows],
            "95 %": [interval(each, 2) for _, _, each in rows],
            "edits": [each.n_stimuli for _, _, each in rows],
            "identities": found.n_identities,
        }
    )


def edits(found: Sequence[Image], by_file: Mapping[str, Stimulus]) -> pd.DataFrame:
    """One row for each edit with the three faces; the verdict last, under a name that says what it is."""

    def face(file: str | None) -> str | None:
        return parts.picture(by_file[file]) if file in by_file else None

    own = [one.reference for one in found]
    again = [one.edited_neutral for one in found]
    columns: dict[str, object] = {
        "reference": [face(one.reference_file) for one in found],
        "edit": [face(one.stim_file) for one in found],
        "nearest other": [face(one.nearest_file) if one else None for one in own],
        "identity": [one.identity_id for one in found],
        "emotion": [one.intended_emotion for one in found],
        "similarity": [one.similarity if one else None for one in own],
        "percentile": [one.percentile if one else None for one in own],
        "margin": [one.margin if one else None for one in own],
        "rank 1": [_yes(one.rank1) if one else "" for one in own],
        "to edited neutral": [one.similarity if one else None for one in again],
        "notes": ["; ".join([*one.flags, *([one.reason] if one.reason else [])]) for one in found],
        TUNED: [_verdict(one) for one in found],
        "file": [one.stim_file for one in found],
    }
    if not any(again):
        del columns["to edited neutral"]
    return pd.DataFrame(columns)


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _verdict(one: Image) -> str:
    if one.verdict is None:
        return ""
    return f"{'same' if one.verdict else 'different'} (limit {one.threshold:g})"


def cards(found: Sequence[Image], by_file: Mapping[str, Stimulus]) -> str:
    """Reference, edit and nearest other neutral side by side, as markup."""
    shown = "".join(_card(one, one.reference, by_file) for one in found if one.reference)
    return f'{CARDS_CSS}<div class="fi-cards">{shown}</div>'


def _card(one: Image, own: Standing, by_file: Mapping[str, Stimulus]) -> str:
    name = f"{one.identity_id}, {one.intended_emotion or 'no emotion named'}"
    nearest = by_file.get(own.nearest_file or "")
    nearness = None if own.margin is None else own.similarity - own.margin
    faces = (
        _face(by_file.get(one.reference_file), "reference", ""),
        _face(by_file.get(one.stim_file), "edit", f"{decimals(own.similarity, 2)} to reference"),
        _face(nearest, "nearest other", f"{decimals(nearness, 2)} to edit" if nearest else "there is none"),
    )
    stands = [] if own.percentile is None else [f"percentile {own.percentile:.1f}"]
    stands += [] if own.margin is None else [f"margin {decimals(own.margin, 2)}"]
    notes = [" · ".join(stands), *one.flags]
    said = "".join(f"<p>{escape(words[:1].upper() + words[1:])}</p>" for words in notes if words)
    row = f'<div class="fi-faces">{"".join(faces)}</div>'
    return f'<div class="fi-card"><h4>{escape(name)}</h4>{row}{said}</div>'


def _face(stimulus: Stimulus | None, role: str, words: str) -> str:
    if stimulus is None:
        return f"<figure><figcaption><b>{role}</b><br>{escape(words)}</figcaption></figure>"
    return (
        f'<figure><img src="{escape(parts.picture(stimulus))}" alt="{role}" loading="lazy">'
        f"<figcaption><b>{role}</b><br>{escape(words)}</figcaption></figure>"
    )
