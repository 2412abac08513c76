"""Services that are called for data, as rows of Health: breaker, budget, and what is expected of them."""

from collections.abc import Iterable

from engine.reliability.breaker import BreakerState
from engine.reliability.provider import SourceHealth
from engine.reliability.sla import SlaStatus
from tui import format
from tui.shown.health import SourceRow, SourceWord


def service_rows(services: Iterable[SourceHealth], now_us: int) -> tuple[SourceRow, ...]:
    """One row each, in their order."""
    return tuple(
        SourceRow(
            name=service.name,
            word=_word(service),
            age_us=None if service.last_ok_us is None else max(0, now_us - service.last_ok_us),
            max_age_us=service.max_age_us,
            budget_ratio=service.budget_ratio,
            messages=service.calls,
            note=_note(service, now_us),
            p95_ms=service.p95_ms,
            success_ratio=service.success_ratio,
            failures=service.failures,
            sla=service.sla.value,
            last_error=service.last_error,
            best_effort=service.is_best_effort,
        )
        for service in services
    )


def _word(service: SourceHealth) -> SourceWord:
    """A service that nobody calls is silent for no fault of its own: it is never mute."""
    if service.breaker is BreakerState.OPEN:
        return SourceWord.OFF
    if service.breaker is BreakerState.HALF_OPEN or service.sla is SlaStatus.FAILED:
        return SourceWord.TRYING
    if service.budget_ratio <= 0 or service.calls == 0:
        return SourceWord.WAITING
    return SourceWord.OK


def _note(service: SourceHealth, now_us: int) -> str:
    parts = []
    if service.next_probe_us is not None:
        parts.append(f"tried again in {format.age(max(0, service.next_probe_us - now_us))}")
    if service.last_error:
        parts.append(service.last_error)
    elif service.sla is not SlaStatus.OK:
        parts.append(service.sla.value.lower())
    elif service.budget_ratio <= 0:
        parts.append("budget used")
    elif service.calls == 0:
        parts.append("not called yet")
    if service.is_best_effort:
        parts.append("best effort")
    return ", ".join(parts)
