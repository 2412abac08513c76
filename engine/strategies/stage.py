"""How far a strategy is trusted (SPEC 14, 11.3 G3)."""

from enum import StrEnum


class Stage(StrEnum):
    """From following on paper to real money."""

    SHADOW = "shadow"
    PAPER = "paper"
    CANARY = "canary"
    LIVE = "live"
