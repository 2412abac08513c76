"""How `gaps` would trade a candidate on paper, also one that was vetoed: the prices and costs of its rule."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import sqrt

from engine.execution.matching import Liquidity, SlippageModel
from engine.execution.shadowbook import ShadowPlan
from engine.model.candidates import GapCandidate, Proposal, Verdict
from engine.model.ids import InstrumentId
from engine.model.market import Instrument, Quote
from engine.money import ZERO, round_quantity, to_decimal
from engine.risk.slippage import SESSIONS_PER_YEAR
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_orders import price_entry, size_share

NO_POLICY = ""


class ShadowPlanner:
    """Makes the plans of the shadow book."""

    def __init__(
        self,
        config: GapsConfig,
        instruments: Mapping[InstrumentId, Instrument],
        equity: Callable[[], Decimal | None],
        costs: SlippageModel,
    ) -> None:
        """`equity`: of the account now; `costs`: what fills pay beyond the quote, and assume without one."""
        self._config = config
        self._instruments = instruments
        self._equity = equity
        self._costs = costs

    def plan(self, verdict: Verdict, quote: Quote) -> ShadowPlan | None:
        """A proposal as it stands; a vetoed candidate at the prices and size of the rule.

        None where it has no two-sided quote, no time exit, or a price too small for its tick.
        """
        proposal, candidate = verdict.proposal, verdict.candidate
        if proposal is not None:
            return self._of_proposal(proposal, quote)
        instrument = self._instruments.get(candidate.instrument, Instrument(candidate.instrument))
        prices = price_entry(quote, instrument, self._config)
        if prices is None or not prices.is_ordered:
            return None
        value = (self._equity() or ZERO) * to_decimal(size_share(candidate.regime, self._config))
        quantity = max(round_quantity(value / prices.limit_price, instrument.lot_size), instrument.lot_size)
        entry_cost, exit_cost = self._slippage(candidate, quote, quantity * prices.limit_price)
        return ShadowPlan(
            prices.limit_price,
            prices.stop_price,
            prices.target_price,
            self._config.max_sessions,
            quantity,
            entry_cost,
            exit_cost,
            NO_POLICY,
            _model_of(candidate),
        )

    def _of_proposal(self, proposal: Proposal, quote: Quote) -> ShadowPlan | None:
        exits, candidate = proposal.exit_plan, proposal.candidate
        if exits.max_sessions is None:
            return None
        value = proposal.quantity * proposal.limit_price
        return ShadowPlan(
            proposal.limit_price,
            exits.stop_price,
            exits.target_price,
            exits.max_sessions,
            proposal.quantity,
            *self._slippage(candidate, quote, value),
            proposal.policy_id,
            proposal.model_id,
        )

    def _slippage(self, candidate: GapCandidate, quote: Quote, value: Decimal) -> tuple[float, float]:
        """Of the entry and of an exit at the market, fractions of the price at 1x (SPEC 9.4).

        A limit at the ask has paid its half of the spread; without a spread one is assumed on both ways.
        """
        spread = quote.spread_ratio or 0.0
        liquidity, usd = _liquidity(candidate), float(value)
        entry_bps = 0.0 if spread > 0 else self._costs.spread_bps
        exit_bps = 1e4 * spread if spread > 0 else self._costs.spread_bps
        return (
            self._costs.ratio(usd, liquidity, entry_bps),
            self._costs.ratio(usd, liquidity, exit_bps),
        )


def _liquidity(candidate: GapCandidate) -> Liquidity | None:
    volatility = next((f.value for f in candidate.features if f.id == "realized_vol_20"), None)
    if candidate.adv_usd_20 is None or volatility is None:
        return None
    return Liquidity(candidate.adv_usd_20, volatility / sqrt(SESSIONS_PER_YEAR))


def _model_of(candidate: GapCandidate) -> str | None:
    found = candidate.assessment
    return None if found is None or found.forecast is None else found.forecast.model_id
