"""Gates G1-G11 of SPEC 11.3 as pure functions: each gives value, limit and reason, also after a failure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.candidates import AgentReport, Regime
from engine.model.market import Quote
from engine.model.positions import AccountKind
from engine.risk.limits import LimitSwitches


class GateStage(StrEnum):
    """When the gates run; the age limit of the quote differs."""

    PROPOSAL = "proposal"
    APPROVAL = "approval"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class GateInput:
    """Everything the gates look at, fixed at one instant. Money Decimal in account currency."""

    stage: GateStage
    now_us: int
    engine_state: str
    """STARTING, RUNNING, DEGRADED, HALTED or STOPPED; only RUNNING passes."""
    halt_reason: str
    account_kind: AccountKind
    strategy_stage: str
    """shadow | paper | canary | live (SPEC 14)."""
    quote: Quote | None
    quote_max_age_us: int
    """15 s at proposal; at approval and send 3 s for equities, 5 s for crypto (SPEC 11.3)."""
    reports: tuple[AgentReport, ...]
    regime: Regime
    dataset: bool
    """True when the data are a stored dataset that cannot hold news, sectors or spreads (SPEC 9.8)."""
    rule: str
    """`naive` or `full` (SPEC 14, gaps.rule)."""
    open_in_strategy: int
    """Open positions and working entries of this strategy."""
    max_in_strategy: int
    open_total: int
    max_total: int
    open_in_instrument: int
    entries_this_session: int
    max_entries_per_session: int
    quantity: Decimal
    lot_size: Decimal
    limit_price: Decimal
    tick_size: Decimal | None
    buying_power: Decimal
    market_open: bool
    switches: LimitSwitches
