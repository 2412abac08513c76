"""A strategy plug-in that proposes a trade in whatever it is shown, with terms drawn by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np

from engine.clock import US_PER_S
from engine.model.candidates import (
    AgentReport,
    FeatureValue,
    GapCandidate,
    Proposal,
    Regime,
    Verdict,
    Vote,
)
from engine.model.exits import ExitPlan, Tier, single_target
from engine.model.ids import InstrumentId, StrategyName
from engine.model.positions import RoundTrip
from engine.ports import BarColumns
from engine.strategies.base import StrategyContext

SIM = StrategyName("sim")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class TraderMix:
    """How it trades: `wide` stop and target as fractions of the price, and which exit plans it draws."""

    stop: tuple[float, float] = (0.008, 0.03)
    target: tuple[float, float] = (0.008, 0.04)
    tiers: bool = False
    trails: bool = False
    max_sessions: int = 1
    entry_ttl_s: int = 40
    approval_ttl_s: int = 60
    quantity: tuple[int, int] = (1, 40)


class Trader:
    """Implements `strategies.base.Strategy`."""

    name = SIM

    def __init__(self, mix: TraderMix, random: Random) -> None:
        self._mix = mix
        self._random = random

    def universe(self, context: StrategyContext) -> Sequence[InstrumentId]:
        return sorted(context.quotes)

    def required_features(self) -> Sequence[str]:
        return ("atr_14_pct", "adv_usd_20")

    def exit_plan(self, proposal: Proposal) -> ExitPlan:
        return proposal.exit_plan

    def on_outcome(self, outcome: RoundTrip) -> None:
        """Nothing is learned."""

    def propose(self, context: StrategyContext) -> Sequence[Verdict]:
        return [
            self._verdict(context, name)
            for name in self.universe(context)
            if name not in context.open_instruments
        ]

    def _verdict(self, context: StrategyContext, name: InstrumentId) -> Verdict:
        random, mix, price = self._random, self._mix, context.quotes[name].ask or 1.0
        limit = _cents(price * (1 + random.choice((0.001, 0.002, 0.004, -0.002))))
        stop = min(_cents(price * (1 - random.uniform(*mix.stop))), limit - 2 * CENT)
        target = max(_cents(price * (1 + random.uniform(*mix.target))), limit + 2 * CENT)
        quantity = Decimal(random.randint(*mix.quantity))
        now = context.now_us
        candidate = GapCandidate(
            correlation=context.new_correlation(),
            strategy=SIM,
            instrument=name,
            session=context.session,
            decided_us=now,
            decision_price=price,
            prev_close=price * 1.06,
            gap=-0.06,
            adv_usd_20=1e9,
            regime=Regime.NORMAL,
            features=(
                FeatureValue("atr_14_pct", 8.0, None, now, now, "walk", "1.0.0"),
                FeatureValue("adv_usd_20", 1e9, None, now, now, "walk", "1.0.0"),
            ),
        )
        reports = (AgentReport("sentinel", Vote.APPROVE, False, ("fine",), "fine", 0.5),)
        proposal = Proposal(
            candidate=candidate,
            reports=reports,
            limit_price=limit,
            quantity=quantity,
            exit_plan=self._plan(stop, target, limit),
            size_binding="strategy",
            entry_ttl_us=mix.entry_ttl_s * US_PER_S,
            approval_ttl_us=mix.approval_ttl_s * US_PER_S,
            priority=-0.06,
            policy_id="default",
            model_id=None,
        )
        return Verdict(candidate, reports, proposal, "")

    def _plan(self, stop: Decimal, target: Decimal, limit: Decimal) -> ExitPlan:
        random, mix = self._random, self._mix
        plan = replace(single_target(stop, target, mix.max_sessions), close_lead_us=8 * US_PER_S)
        if mix.tiers and random.random() < 0.5:
            second = target + _cents(float(target - limit) * random.uniform(0.3, 1.5)) + CENT
            last = (Tier(second, Decimal("0.5")),) if random.random() < 0.7 else ()
            plan = replace(plan, targets=(Tier(target, Decimal("0.5")), *last))
        if mix.trails and random.random() < 0.5:
            trail = Decimal(str(round(random.uniform(0.006, 0.02), 4)))
            breakeven = 0 if random.random() < 0.5 else None
            plan = replace(plan, trail_ratio=trail, breakeven_after=breakeven)
        return plan


def _cents(price: float) -> Decimal:
    return Decimal(round(price * 100)) * CENT


class Daily:
    """Daily bars that are the same in every session: implements `History`."""

    def __init__(self, prices: Mapping[InstrumentId, float]) -> None:
        self._prices = prices

    def instruments(self) -> Sequence[InstrumentId]:
        return tuple(self._prices)

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None:
        price = self._prices.get(instrument)
        return None if price is None else _bars(instrument, price, bars)


@lru_cache(maxsize=512)
def _bars(instrument: InstrumentId, price: float, bars: int) -> BarColumns:
    # Each instrument moves by its own rhythm: their returns are not correlated.
    rhythm = 2 + sum(map(ord, instrument)) % 5
    close = price * (1 + 0.003 * (np.arange(bars) % rhythm))
    day = np.datetime64("2015-12-31") - np.arange(bars)[::-1]
    same: dict[str, Any] = {"open": close, "high": close, "low": close, "close": close}
    return BarColumns(instrument, day, **same, volume=np.full(bars, 1e8), event_ratio=np.ones(bars))


def no_index(name: str, session: date) -> BarColumns | None:
    """The regime is drawn by the trader, not from an index."""
    return None
