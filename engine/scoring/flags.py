"""When a token is put before a person: flag rule, the weaker provisional list, hysteresis (SPEC 2.5)."""

import math
from dataclasses import dataclass, replace

from engine.money import EPSILON
from engine.scoring.confidence import Confidence
from engine.scoring.findings import SafetyLimits
from engine.scoring.gemscore import SUB_SCORES, GemScore, Parts
from engine.scoring.safety import Safety

SIGNALS = ("s_sentiment", "s_accumulation", "s_onchain", "s_narrative", "s_community")
"""Sub-scores that count as signals; one of HARD_SIGNALS must be among them, talk alone is cheap to fake."""
HARD_SIGNALS = ("s_accumulation", "s_onchain")
PROVISIONAL_WEIGHT = 0.55
_US_PER_HOUR = 3_600_000_000
_SIGNAL_PARTS = tuple(SUB_SCORES.index(name) for name in SIGNALS)
_HARD_PARTS = tuple(SUB_SCORES.index(name) for name in HARD_SIGNALS)


@dataclass(frozen=True, slots=True)
class FlagLimits(SafetyLimits):
    """What the flag rule measures against: scores and confidence of 100, levels of 1."""

    flag_score: float = 70.0
    unflag_score: float = 65.0
    """Hysteresis: a flag falls below it, and a token that lost its flag is free for a new one only then."""
    min_signals: int = 3
    signal_level: float = 0.60
    min_confidence: float = 60.0
    safety_min: float = 0.70
    queue_ttl_h: int = 6


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rule says of one scoring. `obstacle`: the shortest decisive reason, "" when it passes."""

    signals: int
    is_safe: bool
    """No gate blocks, and little was deducted."""
    passes: bool
    is_provisional: bool
    obstacle: str


def signals_of(parts: Parts, level: float) -> tuple[int, bool]:
    """How many signals reach `level`, and whether one that is hard to fake is among them."""
    least = level - EPSILON
    reached = [place for place in _SIGNAL_PARTS if (part := parts[place]) is not None and part >= least]
    return len(reached), any(place in reached for place in _HARD_PARTS)


def _reaches(part: float | None, level: float) -> bool:
    return part is not None and part >= level - EPSILON


def is_safe(safety: Safety, limits: FlagLimits) -> bool:
    """No gate blocks, and little was deducted."""
    return not safety.is_blocked and safety.score >= limits.safety_min - EPSILON


def judge_flag(score: GemScore, safety: Safety, confidence: Confidence, limits: FlagLimits) -> Judgement:
    """The flag rule of SPEC 2.5 and the provisional one of 2.5b."""
    signals, is_hard = signals_of(score.parts, limits.signal_level)
    safe = is_safe(safety, limits)
    obstacle = _obstacle(score, safety, confidence, limits, signals, is_hard)
    provisional = bool(obstacle) and safe and _is_provisional(score, confidence, limits)
    return Judgement(signals, safe, not obstacle, provisional, obstacle)


def _obstacle(
    score: GemScore,
    safety: Safety,
    confidence: Confidence,
    limits: FlagLimits,
    signals: int,
    is_hard: bool,
) -> str:
    if safety.decisive is not None:
        return safety.decisive.note
    if not is_safe(safety, limits):
        return f"safety {_fraction(safety.score)}"
    if confidence.value < limits.min_confidence - EPSILON:
        return f"conf {_below(confidence.value, limits.min_confidence)}"
    if score.score < limits.flag_score - EPSILON:
        return f"score < {limits.flag_score:g}"
    if signals < limits.min_signals:
        return f"{signals}/{limits.min_signals} signals"
    return "" if is_hard else "only talk"


def _is_provisional(score: GemScore, confidence: Confidence, limits: FlagLimits) -> bool:
    if not score.missing or score.known_weight < PROVISIONAL_WEIGHT - EPSILON:
        return False
    return (
        score.score / score.known_weight >= limits.flag_score - EPSILON
        and all(_reaches(score.parts[i], limits.signal_level) for i in _HARD_PARTS)
        and confidence.of_known >= limits.min_confidence - EPSILON
    )


def _fraction(value: float) -> str:
    """`.35`; never rounded up to a limit that it does not reach."""
    return f"{math.floor(100 * value + 1e-6) / 100:.2f}".removeprefix("0")


def _below(value: float, limit: float) -> str:
    """`58 < 60`, with a decimal when the two would look the same."""
    text = f"{value:.0f}"
    return f"{text if text != f'{limit:.0f}' else f'{value:.1f}'} < {limit:g}"


@dataclass(frozen=True, slots=True)
class FlagState:
    """A token's place in the review queue. `flagged_us` None: it is not in it.

    `is_spent`: it had its flag; a new one only after its score fell below `unflag_score`.
    """

    flagged_us: int | None = None
    price_usd: float | None = None
    """At the flag."""
    is_spent: bool = False
    blocked_us: int | None = None
    """When a gate took its last flag."""

    @property
    def is_flagged(self) -> bool:
        """Whether it waits for a person."""
        return self.flagged_us is not None


def move_flag(
    state: FlagState,
    judgement: Judgement,
    score: GemScore,
    safety: Safety,
    limits: FlagLimits,
    price_usd: float,
    now_us: int,
) -> tuple[FlagState, str]:
    """The next state, and why a flag was lost ("" when none was) (SPEC 2.6)."""
    fell = score.score < limits.unflag_score - EPSILON
    if state.flagged_us is None:
        is_spent = state.is_spent and not fell
        if judgement.passes and not is_spent:
            return FlagState(now_us, price_usd), ""
        return (state if is_spent == state.is_spent else replace(state, is_spent=is_spent)), ""
    why, blocked_us = "", None
    if safety.decisive is not None:
        why, blocked_us = safety.decisive.reason, now_us
    elif not is_safe(safety, limits):
        why = f"safety {_fraction(safety.score)} < {_fraction(limits.safety_min)}"
    elif fell:
        why = f"score {_below(score.score, limits.unflag_score)}"
    elif now_us - state.flagged_us >= limits.queue_ttl_h * _US_PER_HOUR:
        why = f"nobody decided in {limits.queue_ttl_h} h"
    return (FlagState(is_spent=not fell, blocked_us=blocked_us), why) if why else (state, "")
