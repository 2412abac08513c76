"""Holds a candidate against the rule that selects (SPEC 3.2; under `naive` the rule of the back-test)."""

from engine.agents.base import AgentContext, Objection, objection, verdict
from engine.agents.notes import against, clip
from engine.features.assemble import ADV_BARS
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, GapCandidate
from engine.model.checks import Step
from engine.money import EPSILON
from engine.strategies.gaps_config import GapsConfig

STEPS = (Step.UNIVERSE, Step.GAP, Step.TRIGGER, Step.EARNINGS, Step.HALTS)


class Screener:
    """Hard veto for any rule of SPEC 3.2; under `naive` for price, traded value and too short a history."""

    name = "screener"

    def __init__(self, config: GapsConfig, gap_limit: float) -> None:
        self._config = config
        self._gap_limit = gap_limit

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        if candidate.assessment is not None:
            return self._by_checks(candidate.assessment)
        low, high = self._config.price_min, self._config.price_max
        price, gap, adv = candidate.decision_price, candidate.gap, candidate.adv_usd_20
        objections = []
        if gap > self._gap_limit + EPSILON:
            reason = f"gap {100 * gap:.2f}% is above the limit {100 * self._gap_limit:.2f}%"
            value, limit = f"gap {100 * gap:.2f} %", f"<= {100 * self._gap_limit:.2f} %"
            objections.append(Objection(reason, clip(f"gap {100 * gap:.1f}%"), value, limit))
        if price < low - EPSILON:
            reason = f"price {price:g} is below the limit {low:g}"
            objections.append(_priced(reason, price, "<", low))
        if price > high + EPSILON:
            reason = f"price {price:g} is above the limit {high:g}"
            objections.append(_priced(reason, price, ">", high))
        objections.extend(self._trading_objections(adv, context.completed_bars))
        approval = (
            f"gap {100 * gap:.2f}%, limit {100 * self._gap_limit:.2f}%",
            f"price {price:g}, limits {low:g} to {high:g}",
            "" if adv is None else f"mean traded value {adv:,.0f} USD, limit {self._config.adv_min_usd:,.0f}",
        )
        return verdict(self.name, objections, True, approval)

    def _by_checks(self, found: Assessment) -> AgentReport:
        objections = [objection(check) for check in found.failed(*STEPS)]
        words = tuple(check.reason for check in found.checks if check.step in STEPS)
        return verdict(self.name, objections, True, words)

    def _trading_objections(self, adv: float | None, bars: int) -> list[Objection]:
        adv_min = self._config.adv_min_usd
        if adv is None and bars < ADV_BARS:
            reason = f"{bars} daily bars before the session, {ADV_BARS} are needed for the traded value"
            note = against("bars", bars, "<", ADV_BARS)
            return [Objection(reason, note, f"{bars} daily bars", f">= {ADV_BARS}")]
        if adv is None:
            reason = f"the traded value of the last {ADV_BARS} bars is not known"
            return [Objection(reason, "ADV unknown", "ADV unknown", f">= {adv_min:,.0f} USD")]
        if adv < adv_min - EPSILON:
            reason = f"mean traded value {adv:,.0f} USD is below the limit {adv_min:,.0f}"
            note, limit = against("ADV", adv, "<", adv_min), f">= {adv_min:,.0f} USD"
            return [Objection(reason, note, f"ADV {adv:,.0f} USD", limit)]
        return []


def _priced(reason: str, price: float, relation: str, bound: float) -> Objection:
    needed = ">=" if relation == "<" else "<="
    note = against("price", price, relation, bound)
    return Objection(reason, note, f"price {price:g}", f"{needed} {bound:g}")
