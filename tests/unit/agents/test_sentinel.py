from typing import Any

import pytest

from engine.agents.sentinel import Sentinel
from engine.model.candidates import Regime, Vote
from engine.risk.limits import DATASET, NONE
from engine.strategies.gaps_config import GapsConfig

SENTINEL = Sentinel(GapsConfig())


@pytest.mark.parametrize("regime", [Regime.NORMAL, Regime.HIGH_VIX])
def test_an_open_market_in_a_tradable_regime_is_approved(
    candidate: Any, make_context: Any, regime: Regime
) -> None:
    report = SENTINEL.judge(candidate, make_context(regime=regime))
    assert (report.vote, report.note) == (Vote.APPROVE, "")
    assert report.reasons == (f"regime {regime.value}: SPY +1.0%, limit -10.0%",)


def test_before_the_open_is_closed(candidate: Any, make_context: Any) -> None:
    market = make_context().market
    report = SENTINEL.judge(candidate, make_context(now_us=market.session_open_us - 90_000_000))
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "market closed")
    assert report.reasons == ("market closed: the session opens in 90s",)


def test_the_first_microsecond_is_open_and_the_close_is_not(candidate: Any, make_context: Any) -> None:
    market = make_context().market
    first, last = market.session_open_us, market.session_close_us
    assert SENTINEL.judge(candidate, make_context(now_us=first)).vote is Vote.APPROVE
    assert SENTINEL.judge(candidate, make_context(now_us=last - 1)).vote is Vote.APPROVE
    report = SENTINEL.judge(candidate, make_context(now_us=last + 7_200_000_000))
    assert (report.vote, report.hard) == (Vote.VETO, True)
    assert report.reasons == ("market closed: the session ended 2h ago",)
    assert SENTINEL.judge(candidate, make_context(now_us=last)).vote is Vote.VETO


def test_an_unknown_regime_is_a_hard_veto(candidate: Any, make_context: Any) -> None:
    report = SENTINEL.judge(candidate, make_context(regime=Regime.UNKNOWN))
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "regime unknown")


def test_spy_stress_is_a_hard_veto_unless_allowed(candidate: Any, make_context: Any) -> None:
    context = make_context(regime=Regime.SPY_STRESS)
    report = SENTINEL.judge(candidate, context)
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "spy_stress")
    assert "limit -10.0%" in report.reasons[0]
    allowed = Sentinel(GapsConfig(allow_in_spy_stress=True))
    assert allowed.judge(candidate, context).vote is Vote.APPROVE
    unknown = make_context(regime=Regime.UNKNOWN)
    assert allowed.judge(candidate, unknown).vote is Vote.VETO


@pytest.mark.parametrize("switches", [DATASET, NONE])
@pytest.mark.parametrize("regime", [Regime.SPY_STRESS, Regime.UNKNOWN])
def test_a_run_without_the_regime_limit_says_so(
    candidate: Any, make_context: Any, switches: Any, regime: Regime
) -> None:
    report = SENTINEL.judge(candidate, make_context(regime=regime, switches=switches))
    assert report.vote is Vote.APPROVE
    assert report.reasons[0].endswith("(not a limit in this run)")


def test_a_closed_market_is_closed_in_every_run(candidate: Any, make_context: Any) -> None:
    market = make_context().market
    report = SENTINEL.judge(candidate, make_context(now_us=market.session_close_us, switches=NONE))
    assert (report.vote, report.hard) == (Vote.VETO, True)
