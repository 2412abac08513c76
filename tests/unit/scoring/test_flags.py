"""The flag rule and what stands in its way, the provisional list, hysteresis and expiry."""

from dataclasses import replace

import pytest

from engine.scoring.confidence import Confidence
from engine.scoring.findings import Finding, Gate, GateVerdict
from engine.scoring.flags import FlagLimits, FlagState, Judgement, judge_flag, move_flag
from engine.scoring.gemscore import SUB_SCORES, GemScore, GemWeights, gem_score
from engine.scoring.safety import Safety

LIMITS = FlagLimits()
WEIGHTS = GemWeights().as_row()
SAFE = Safety(1.0, (), None)
FRESH = Confidence(88.0, 0.8, 0.96, 88.0)
HOUR_US = 3_600_000_000
GOOD: dict[str, float | None] = {
    "s_sentiment": 0.72,
    "s_accumulation": 0.81,
    "s_onchain": 0.66,
    "s_liquidity_depth": 0.55,
    "s_tokenomics": 0.78,
    "s_contract_safety": 0.9,
    "s_narrative": 0.58,
    "s_community": 0.41,
}


def scored(**changes: float | None) -> GemScore:
    parts = {**GOOD, **changes}
    return gem_score(tuple(parts[name] for name in SUB_SCORES), WEIGHTS)


def blocked(verdict: GateVerdict = GateVerdict.BLOCK) -> Safety:
    note, reason = ("LP 22%", "LP 22% < 50%") if verdict is GateVerdict.BLOCK else ("unproved", "not known")
    found = Finding(Gate.RUG_LP, verdict, "22 %", ">= 50 %", "market", 1, note, reason)
    return Safety(0.0, (), found)


def judged(
    score: GemScore, safety: Safety = SAFE, confidence: Confidence = FRESH, limits: FlagLimits = LIMITS
) -> Judgement:
    return judge_flag(score, safety, confidence, limits)


def test_score_safety_signals_and_confidence_make_a_flag() -> None:
    judgement = judged(scored())
    assert (judgement.passes, judgement.signals, judgement.obstacle) == (True, 3, "")
    assert judgement.is_safe
    assert not judgement.is_provisional


@pytest.mark.parametrize(
    ("score", "safety", "confidence", "obstacle"),
    [
        (scored(), blocked(), FRESH, "LP 22%"),
        (scored(), blocked(GateVerdict.UNKNOWN), FRESH, "unproved"),
        (scored(), Safety(0.35, ("blacklist", "proxy"), None), FRESH, "safety .35"),
        (scored(), Safety(0.6999, (), None), FRESH, "safety .69"),
        (scored(), SAFE, replace(FRESH, value=58.2), "conf 58 < 60"),
        (scored(), SAFE, replace(FRESH, value=59.9), "conf 59.9 < 60"),
        (scored(s_community=0.3), SAFE, FRESH, "score < 70"),
        (scored(s_sentiment=0.59, s_onchain=0.59, s_liquidity_depth=1.0), SAFE, FRESH, "1/3 signals"),
    ],
)
def test_the_first_thing_in_the_way_is_named(
    score: GemScore, safety: Safety, confidence: Confidence, obstacle: str
) -> None:
    judgement = judged(score, safety, confidence)
    assert (judgement.passes, judgement.obstacle) == (False, obstacle)
    assert len(judgement.obstacle) <= 14


def test_thresholds_are_reached_at_their_value() -> None:
    parts = {"s_sentiment": 0.6, "s_accumulation": 0.6, "s_onchain": 0.6}
    score = replace(scored(**parts), score=70.0)
    assert judged(score, Safety(0.7, (), None), replace(FRESH, value=60.0)).passes
    assert not judged(replace(score, score=69.99)).passes


def test_three_social_signals_alone_are_cheap_to_fake() -> None:
    loud = dict.fromkeys(("s_sentiment", "s_narrative", "s_community"), 1.0)
    talk = scored(s_accumulation=0.59, s_onchain=0.59, **loud)
    judgement = judged(replace(talk, score=75.0))
    assert (judgement.signals, judgement.passes, judgement.obstacle) == (3, False, "only talk")


def test_two_signals_can_score_high_and_still_do_not_flag() -> None:
    two = gem_score((0.59, 1.0, 1.0, 1.0, 1.0, 1.0, 0.59, 0.59), WEIGHTS)
    assert two.score > 80
    assert judged(two).obstacle == "2/3 signals"


UNKNOWN_TALK = {"s_sentiment": None, "s_narrative": None, "s_community": None}
STRONG = {"s_accumulation": 0.9, "s_onchain": 0.8, "s_liquidity_depth": 0.7, "s_contract_safety": 1.0}


def test_what_is_known_may_make_a_provisional_flag() -> None:
    judgement = judged(scored(**UNKNOWN_TALK, **STRONG))
    assert not judgement.passes
    assert judgement.is_provisional
    assert judgement.obstacle == "score < 70"


@pytest.mark.parametrize(
    ("score", "safety", "confidence"),
    [
        (scored(**UNKNOWN_TALK, **{**STRONG, "s_onchain": 0.59}), SAFE, FRESH),
        (scored(**UNKNOWN_TALK, **{**STRONG, "s_accumulation": 0.59}), SAFE, FRESH),
        (scored(**UNKNOWN_TALK, **{**STRONG, "s_liquidity_depth": 0.0, "s_tokenomics": 0.1}), SAFE, FRESH),
        (scored(**UNKNOWN_TALK, **STRONG), blocked(), FRESH),
        (scored(**UNKNOWN_TALK, **STRONG), Safety(0.65, ("lp_lock",), None), FRESH),
        (scored(**UNKNOWN_TALK, **STRONG), SAFE, replace(FRESH, of_known=59.0)),
        (
            scored(**UNKNOWN_TALK, **{**STRONG, "s_liquidity_depth": None}, s_tokenomics=None),
            SAFE,
            FRESH,
        ),
    ],
    ids=["on-chain", "accumulation", "score", "blocked", "safety", "confidence", "too little known"],
)
def test_a_provisional_flag_has_its_own_conditions(
    score: GemScore, safety: Safety, confidence: Confidence
) -> None:
    assert not judged(score, safety, confidence).is_provisional


def test_nothing_is_provisional_when_everything_is_known() -> None:
    two = gem_score((0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5), WEIGHTS)
    assert not judged(two).is_provisional


def step(state: FlagState, score: float, now_us: int, safety: Safety = SAFE) -> tuple[FlagState, str]:
    found = replace(scored(), score=score)
    return move_flag(state, judged(found, safety), found, safety, LIMITS, 2.0, now_us)


def test_a_flag_holds_until_the_score_falls_below_the_lower_limit() -> None:
    state, why = step(FlagState(), 70.5, 0)
    assert state == FlagState(0, 2.0)
    assert state.is_flagged
    assert why == ""
    assert step(state, 65.0, 1) == (state, "")
    state, why = step(state, 64.9, 2)
    assert (state, why) == (FlagState(), "score 64.9 < 65")
    assert step(state, 69.0, 3)[0] == FlagState()
    assert step(state, 70.0, 3)[0].is_flagged


@pytest.mark.parametrize(
    ("safety", "reason"),
    [
        (blocked(), "LP 22% < 50%"),
        (blocked(GateVerdict.UNKNOWN), "not known"),
        (Safety(0.35, (), None), "safety .35 < .70"),
    ],
)
def test_a_flag_is_lost_with_safety_and_comes_back_only_after_a_fall(safety: Safety, reason: str) -> None:
    flagged = FlagState(0, 2.0)
    state, why = step(flagged, 80.0, 1, safety)
    blocked_us = state.blocked_us
    assert (blocked_us is not None) is (safety.decisive is not None), "only a gate blocks"
    assert (state, why) == (FlagState(is_spent=True, blocked_us=blocked_us), reason)
    assert step(state, 80.0, 2) == (state, "")
    assert step(state, 66.0, 3) == (state, "")
    state, _ = step(state, 64.0, 4)
    assert state == FlagState(blocked_us=blocked_us)
    assert step(state, 71.0, 5)[0].is_flagged


def test_a_flag_expires_after_six_hours() -> None:
    flagged = FlagState(1_000, 2.0)
    assert step(flagged, 90.0, 6 * HOUR_US + 999)[0] == flagged
    assert step(flagged, 90.0, 6 * HOUR_US + 1_000) == (FlagState(is_spent=True), "nobody decided in 6 h")


def test_a_token_that_never_passed_has_nothing_to_lose() -> None:
    assert step(FlagState(), 40.0, 1, blocked()) == (FlagState(), "")
