"""Which stimuli a participant rates, and in which order."""

from __future__ import annotations

from core.plan.build import build
from core.plan.feasible import check, warnings
from core.plan.need import counting, is_full
from core.plan.order import option_order

__all__ = ["build", "check", "counting", "is_full", "option_order", "warnings"]
