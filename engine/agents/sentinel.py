"""Watches the session and the regime of the market."""

from engine.agents.base import AgentContext, Objection, verdict
from engine.agents.notes import age
from engine.model.candidates import AgentReport, GapCandidate, Regime
from engine.strategies.gaps_config import GapsConfig

_REGIMES = "normal or high_vix"


class Sentinel:
    """Hard veto outside the session, in spy_stress, and without regime data of the session before."""

    name = "sentinel"

    def __init__(self, config: GapsConfig) -> None:
        self._config = config

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        market = context.market
        objections = []
        if market.now_us < market.session_open_us:
            early = age(market.session_open_us - market.now_us)
            objections.append(_closed(f"market closed: the session opens in {early}"))
        elif market.now_us >= market.session_close_us:
            late = age(market.now_us - market.session_close_us)
            objections.append(_closed(f"market closed: the session ended {late} ago"))
        if not market.switches.regime:
            return verdict(
                self.name, objections, True, (f"{context.regime.reason} (not a limit in this run)",)
            )
        regime = context.regime.regime
        if regime is Regime.UNKNOWN:
            objections.append(Objection(context.regime.reason, "regime unknown", regime.value, _REGIMES))
        elif regime is Regime.SPY_STRESS and not self._config.allow_in_spy_stress:
            objections.append(Objection(context.regime.reason, "spy_stress", regime.value, _REGIMES))
        return verdict(self.name, objections, True, (context.regime.reason,))


def _closed(reason: str) -> Objection:
    return Objection(reason, "market closed", "market closed", "market open")
