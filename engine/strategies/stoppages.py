"""Trading halts of one instrument (SPEC 3.2.7): none running, none just over, not two on one day."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.clock import US_PER_S

QUIET_US = 15 * 60 * US_PER_S
"""After a resumption."""
MOST_A_DAY = 2


@dataclass(frozen=True, slots=True)
class Stoppage:
    """A halt and its end, int microseconds UTC; `until_us` None: it lasts."""

    from_us: int
    until_us: int | None


def stoppage_problem(
    stoppages: Sequence[Stoppage], since_us: int, now_us: int
) -> tuple[str, str, str] | None:
    """Value, limit and sentence of what speaks against an entry now; None when nothing does.

    `since_us`: when the day began that halts are counted in. What was not known by `now_us` is left out.
    """
    known = [halt for halt in stoppages if halt.from_us <= now_us]
    running = [halt for halt in known if halt.until_us is None or halt.until_us > now_us]
    if running:
        minutes = (now_us - max(halt.from_us for halt in running)) // (60 * US_PER_S)
        return "halted", "trading", f"trading is halted since {minutes} min"
    today = [halt for halt in known if halt.from_us >= since_us]
    if len(today) >= MOST_A_DAY:
        return (
            f"{len(today)} halts",
            f"< {MOST_A_DAY} halts",
            f"{len(today)} halts today, limit {MOST_A_DAY - 1}",
        )
    resumed = max((halt.until_us for halt in known if halt.until_us is not None), default=None)
    if resumed is not None and now_us - resumed < QUIET_US:
        minutes = (now_us - resumed) // (60 * US_PER_S)
        limit = QUIET_US // (60 * US_PER_S)
        reason = f"trading resumed {minutes} min ago, limit {limit} min"
        return f"resumed {minutes} min ago", f">= {limit} min", reason
    return None
