"""What a closed trade was held against afterwards (SPEC 3.4, Auditor)."""

from dataclasses import dataclass

from engine.model.ids import CorrelationId, StrategyName, TicketId


@dataclass(frozen=True, slots=True)
class ComplianceCheck:
    """One demand of the policy of its moment: what was done, what was demanded, and whether they agree."""

    name: str
    ok: bool
    is_risk: bool
    """A deviation here may cost more than was meant: it freezes the strategy."""
    done: str
    demanded: str


@dataclass(frozen=True, slots=True)
class ComplianceFinding:
    """All checks of one closed trade."""

    ticket: TicketId
    number: int
    correlation: CorrelationId
    strategy: StrategyName
    ts: int
    checks: tuple[ComplianceCheck, ...]

    @property
    def deviations(self) -> tuple[ComplianceCheck, ...]:
        """Those where what was done is not what was demanded."""
        return tuple(check for check in self.checks if not check.ok)

    def words(self) -> str:
        """`B-18: size 60 shares, demanded <= 39; ...`."""
        told = "; ".join(f"{check.name} {check.done}, demanded {check.demanded}" for check in self.deviations)
        return f"B-{self.number}: {told or 'as demanded'}"
