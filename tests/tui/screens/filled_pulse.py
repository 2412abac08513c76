"""The sources of the pictures 12, the engine's pulse, who is attached, and a page of the audit log."""

from tui.shown.details import LogDetail, LogRecord
from tui.shown.health import GuestView, HealthRow, HealthView, SourceRow, SourceWord

S = 1_000_000
OK, OFF, TRYING = SourceWord.OK, SourceWord.OFF, SourceWord.TRYING
WAITING, MUTE = SourceWord.WAITING, SourceWord.MUTE
SOURCES = (
    ("Alpaca stream", OK, 0.3, 15, 0.12, 1_204_771, ""),
    ("Alpaca trading", OK, 2, 60, 0.06, 8_812, ""),
    ("Alpaca data", OK, 4, 60, 0.31, 91_377, ""),
    ("DEX Screener", OK, 9, 60, 0.44, 120_004, ""),
    ("GeckoTerminal", WAITING, 22, 60, 1.0, 42_118, "budget used, next in 22 s"),
    ("honeypot.is", OK, 41, 300, 0.2, 3_310, ""),
    ("GoPlus", OK, 60, 300, 0.35, 2_719, ""),
    ("Blockscout", OFF, 840, 300, 0.0, 1_008, "answered 503 five times"),
    ("EDGAR", TRYING, 180, 600, 0.05, 611, "timeout, 1 probe out"),
    ("Cboe VIX", OK, 86_400, 172_800, 0.01, 41, "daily file, current"),
    ("ccxt kraken", MUTE, 95, 10, 0.22, 998_120, "silent since the venue's maintenance window began"),
    ("RSS of the long name", WAITING, None, 900, None, 0, ""),
)
"""Name, word, age and limit in seconds, part of the budget, messages, note."""
PULSE = (
    ("loop lag", "p95 3.0 ms", "< 50 ms", True, 3.0, "ms"),
    ("journal write", "p95 1.9 ms, 0 failed", "< 50 ms", True, 1.9, "ms"),
    ("audit chain", "118,204 rows, head 14:50:02Z", "checked at start", True, 118_204.0, "rows"),
    ("disk", "38.2 GB free", "> 500 MB", True, 38.2e9, "bytes"),
    ("memory", "712 MB", "< 600 MB", False, 712e6, "bytes"),
    ("version", "0.4.2, schema 17", "", True, None, ""),
    ("reconcile", "41s ago, clean but B-31", "< 5m", True, 41.0, "s"),
    ("clock", "+0.021 s against the venue", "< 1 s", True, 0.021, "s"),
    ("venue stream", "not measured yet", "", None, None, ""),
    ("engine", "RUNNING", "", True, None, ""),
)


def _micro(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * S)


def make_health(now: int) -> HealthView:
    return HealthView(
        sources=tuple(
            SourceRow(name, word, _micro(age), limit * S, budget, messages, note)
            for name, word, age, limit, budget, messages, note in SOURCES
        ),
        sources_ok=sum(each[1] is OK for each in SOURCES),
        rows=tuple(HealthRow(*each) for each in PULSE),
        trusted=False,
        pid=4_112,
        up_us=(6 * 86_400 + 2 * 3_600 + 14 * 60) * S,
        version="0.4.2",
        guests=(
            GuestView(1, "nina", "pts/3", 5_120, True, now - 7_200 * S),
            GuestView(2, "sam-with-a-long-user-name", "pts/7", None, False, now - 60 * S),
            GuestView(3, "ops", "", 6_001, False, now - S),
        ),
    )


def make_no_health() -> HealthView:
    """An engine without a process of its own to measure, and without a source."""
    return HealthView((), 0, tuple(HealthRow(*each) for each in PULSE[6:8]), True, None, None, "")


LINES = (
    ("engine", "order_state", "T-31 TLMN entry sent -> unknown: no answer, asked 4 times", True),
    ("venue", "Fill", "KYTE bought 41 of 82 at 4.02, 0.35 fees", True),
    ("engine", "candidate", "SPLQ -5.4 % is out: p .59 is below the limit .62", True),
    ("nina pts/3", "ApproveTicket", "T-20 MRDN approved by nina on pts/3", True),
    ("engine", "halt_ended", "trading again", False),
    ("engine", "reconciled", "the venue's orders and positions are those of the books", False),
)
BODY = (
    '{"limits":{"entries":[1,5],"sector":"Tech"},"note":"","quantity":"154","reason":"no answer in 1.0 s",'
    '"ticket":"01JD4Q7XK031BCDEFGHJKMNPQ0","unknown":true}'
)
NEWEST = 118_204


def make_log(now: int, newest: int = NEWEST, count: int = 100) -> LogDetail:
    """The newest page, or the one whose newest line has another number."""
    records = []
    for at in range(count):
        actor, kind, text, named = LINES[at % len(LINES)]
        seq = newest - at
        records.append(
            LogRecord(
                seq=seq,
                ts=now - 14 * S * (NEWEST - seq + 1),
                actor=actor,
                kind=kind,
                text=text,
                correlation=f"01JD4Q7XK{seq % 1000:03d}BCDEFGHJKMNPQ0" if named else "",
                hash=f"{(seq * 2_654_435_761) % 16**8:08x}" * 8,
                body=BODY if at else "not json",
            )
        )
    return LogDetail(tuple(records), older=newest - count > NEWEST - 250)
