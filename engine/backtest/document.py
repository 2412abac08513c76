"""The one JSON document of a back-test and of a replay, and the lines told beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum

import numpy as np

from engine.model.positions import ExitReason
from engine.ports import BarColumns

VIX_SPLIT = 25.0
"""Index points; the oracle's tables are split here."""
PRICE_DECIMALS = 10
"""Hides the noise of the sixteenth digit, so that float and Decimal engines write the same document."""
SURVIVORSHIP = (
    "survivorship-biased universe: only names that the file holds exist, delisted ones may be missing"
)
NOT_IN_BARS = ("listing", "market cap", "earnings", "news", "sector", "spread")
"""What a file of daily bars cannot tell; each is a gate of SPEC 3.2, 3.5 or 3.7."""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """One finished trade. Prices in entry-day dollars, `ret` = exit / entry - 1, the entry session is 1."""

    symbol: str
    session: date
    entry: float
    exit: float
    exit_reason: ExitReason
    ret: float
    sessions: int


@dataclass(frozen=True, slots=True)
class TruncatedTrade:
    """A trade whose symbol has fewer bars from its entry on than the rule may hold it."""

    symbol: str
    session: date
    entry: float
    sessions_left: int


def bars_left(columns: BarColumns, session: date) -> int:
    """How many bars an instrument has from `session` on, counting it. A trade with too few is truncated."""
    return len(columns) - int(np.searchsorted(columns.day, np.datetime64(session, "D")))


def _summary(returns: Sequence[float]) -> dict[str, object]:
    """Rates are percent; None, never 0, when there is no trade."""
    n = len(returns)
    return {
        "trades": n,
        "win_pct": round(100 * sum(ret > 0 for ret in returns) / n, PRICE_DECIMALS) if n else None,
        "avg_ret_pct": round(100 * fsum(returns) / n, PRICE_DECIMALS) if n else None,
    }


def _vix_before(vix: BarColumns | None, session: date) -> float | None:
    """Close of the last session strictly before `session`."""
    if vix is None:
        return None
    at = int(np.searchsorted(vix.day, np.datetime64(session, "D"))) - 1
    return float(vix.close[at]) if at >= 0 else None


def _by_regime(rows: Sequence[TradeRow], vix: BarColumns | None) -> dict[str, object]:
    calm: list[float] = []
    nervous: list[float] = []
    for row in rows:
        level = _vix_before(vix, row.session)
        if level is not None:
            (nervous if level >= VIX_SPLIT else calm).append(row.ret)
    return {f"VIX<{VIX_SPLIT:g}": _summary(calm), f"VIX>={VIX_SPLIT:g}": _summary(nervous)}


def build_document(
    rows: Iterable[TradeRow], truncated: Iterable[TruncatedTrade], vix: BarColumns | None, with_rows: bool
) -> dict[str, object]:
    """The document, its lists by session and symbol. A trade without an earlier VIX close is in no regime."""
    ordered = sorted(rows, key=lambda row: (row.session, row.symbol))
    document = _summary([row.ret for row in ordered])
    document["by_regime"] = _by_regime(ordered, vix)
    document["truncated"] = [
        {
            "symbol": one.symbol,
            "date": one.session.isoformat(),
            "entry": round(one.entry, PRICE_DECIMALS),
            "sessions_left": one.sessions_left,
        }
        for one in sorted(truncated, key=lambda one: (one.session, one.symbol))
    ]
    if with_rows:
        document["rows"] = [
            {
                "symbol": row.symbol,
                "date": row.session.isoformat(),
                "entry": round(row.entry, PRICE_DECIMALS),
                "exit": round(row.exit, PRICE_DECIMALS),
                "exit_reason": str(row.exit_reason),
                "ret": round(row.ret, PRICE_DECIMALS),
                "sessions": row.sessions,
            }
            for row in ordered
        ]
    return document


def narration(candidates: int, has_vix: bool, denied: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """What a person must know before the figures (SPEC 9.7, 9.8); for stderr, the first line first.

    `denied`: why candidates were not taken -> how many, where an account limited the run.
    """
    lines = [
        f"not_applicable(dataset): {gate}, would have decided {candidates:,} candidates"
        for gate in NOT_IN_BARS
    ]
    lines.append(SURVIVORSHIP)
    lines.append("naive rule: no fees, no spread, no slippage, prices not rounded to a tick")
    lines += [
        f"not taken, {reason}: {count:,} candidates" for reason, count in (denied or {}).items() if count
    ]
    if not has_vix:
        lines.append("no VIX closes: by_regime is empty")
    return tuple(lines)
