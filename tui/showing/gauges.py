"""What the rim measures of the engine's own pulse, asked when Health is shown. `None` is not measured."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.metrics import Timings


@dataclass(frozen=True, slots=True)
class Gauges:
    """Of one process. Functions are quick and raise nothing."""

    loop_lag: Timings
    """How much later than asked the loop woke a task."""
    writes: Timings
    """Transactions of the order journal."""
    trouble: Callable[[], str]
    """Why the journal takes nothing new now, in words; "" while all is well."""
    log_head: Callable[[], tuple[int, int | None]]
    """Number and time of the newest audit line."""
    checked: int
    """So many of the newest lines were checked when the journal was opened."""
    disk_free: Callable[[], int | None]
    """Bytes."""
    memory: Callable[[], int | None]
    """Bytes resident."""
    up_us: Callable[[], int]
    """Since the process began to run the engine."""
    pid: int
    version: str
    schema: int
    """Of the journal."""
