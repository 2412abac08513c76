"""What Health shows: how each source of data does, and the engine's own pulse."""

from collections.abc import Callable, Iterable, Iterator

from engine.core import Engine
from engine.model.market import FeedState, Provenance
from engine.parts import EngineState
from engine.risk.gates import MAX_CLOCK_SKEW_US, MAX_RECONCILED_AGE_US
from tui import format
from tui.showing.entries import clean_words
from tui.showing.gauges import Gauges
from tui.showing.services import service_rows
from tui.shown.health import HealthRow, HealthView, SourceRow, SourceWord

EVERY_S = 1.0
MAX_LAG_MS = 50.0
MAX_WRITE_MS = 50.0
MIN_DISK_BYTES = 500_000_000
MAX_MEMORY_BYTES = 600_000_000
NEVER_LATE_US = 30 * 86_400_000_000
"""Longer than any exchange was closed."""


class HealthMaker:
    """Of one engine. `wall`: monotonic seconds; the process is measured once a second."""

    def __init__(self, engine: Engine, gauges: Gauges | None, wall: Callable[[], float]) -> None:
        self._engine = engine
        self._gauges = gauges
        self._wall = wall
        self._measured_s: float | None = None
        self._process: tuple[HealthRow, ...] = ()

    def make(self) -> HealthView:
        """As of now."""
        engine, gauges = self._engine, self._gauges
        now_us = engine.parts.clock.now_us()
        sources = (
            *source_rows(_feeds(engine), now_us),
            *service_rows(engine.parts.services(), now_us),
        )
        rows = (*self._process_now(), *engine_rows(engine))
        unknown = any(bracket.has_unknown for bracket in engine.brackets.open())
        return HealthView(
            sources=sources,
            sources_ok=sum(row.word is SourceWord.OK for row in sources),
            rows=rows,
            trusted=not unknown and all(row.ok is not False for row in rows),
            pid=None if gauges is None else gauges.pid,
            up_us=None if gauges is None else gauges.up_us(),
            version="" if gauges is None else gauges.version,
        )

    def _process_now(self) -> tuple[HealthRow, ...]:
        wall = self._wall()
        if self._measured_s is None or wall - self._measured_s >= EVERY_S:
            self._measured_s = wall
            self._process = () if self._gauges is None else tuple(process_rows(self._gauges))
        return self._process


def _feeds(engine: Engine) -> tuple[FeedState, ...]:
    """Stored days tell what they hold when its time comes: one stream, and never late."""
    parts, told_us = engine.parts, engine.picture.ts
    feeds = parts.feeds()
    if feeds or parts.provenance is not Provenance.REPLAY:
        return feeds
    return (FeedState("stored bars", told_us or None, NEVER_LATE_US, 0, "replayed"),)


def source_rows(feeds: Iterable[FeedState], now_us: int) -> tuple[SourceRow, ...]:
    """Each stream with what can be told from outside: it spoke lately, it is silent, or it never spoke."""
    return tuple(
        SourceRow(
            name=feed.name,
            word=_word(feed, now_us),
            age_us=None if feed.last_us is None else max(0, now_us - feed.last_us),
            max_age_us=feed.max_age_us,
            budget_ratio=None,
            messages=feed.messages,
            note=feed.note,
        )
        for feed in feeds
    )


def _word(feed: FeedState, now_us: int) -> SourceWord:
    if feed.last_us is None:
        return SourceWord.WAITING
    return SourceWord.OK if now_us - feed.last_us <= feed.max_age_us else SourceWord.MUTE


def process_rows(gauges: Gauges) -> Iterator[HealthRow]:
    """Loop, journal, log, disk, memory, version."""
    lag, write = gauges.loop_lag.quantile(0.95), gauges.writes.quantile(0.95)
    yield _timing("loop lag", lag, "", MAX_LAG_MS, "")
    failed = f", {gauges.writes.failures} failed"
    yield _timing("journal write", write, failed, MAX_WRITE_MS, gauges.trouble())
    rows, head_us = gauges.log_head()
    head = "" if head_us is None else f", head {format.clock_utc(head_us)}"
    # The whole chain is what `audit verify` checks: opening looks at its end.
    checked = "checked at start" if rows <= gauges.checked else f"last {gauges.checked // 1000}k checked"
    yield HealthRow("audit chain", f"{rows:,} rows{head}", checked, True, rows, "rows")
    free = gauges.disk_free()
    yield _bytes(
        "disk", free, " free", f"> {_size(MIN_DISK_BYTES)}", free is not None and free > MIN_DISK_BYTES
    )
    memory = gauges.memory()
    is_small = None if memory is None else memory < MAX_MEMORY_BYTES
    yield _bytes("memory", memory, "", f"< {_size(MAX_MEMORY_BYTES)}", is_small)
    yield HealthRow("version", f"{gauges.version}, schema {gauges.schema}", "", True, None, "")


def _timing(name: str, seconds: float | None, more: str, limit_ms: float, trouble: str) -> HealthRow:
    """`trouble`: what is wrong now whatever the times are, in words."""
    limit = f"< {limit_ms:g} ms"
    if seconds is None:
        return HealthRow(name, "not measured yet", limit, None, None, "ms")
    value = seconds * 1000
    figure = f"p95 {value:.1f} ms" if value < 10 else f"p95 {value:,.0f} ms"
    figure += f"{more}: {trouble}" if trouble else more
    return HealthRow(name, figure, limit, value < limit_ms and not trouble, value, "ms")


def _bytes(name: str, value: int | None, more: str, limit: str, ok: bool | None) -> HealthRow:
    figure = "not known" if value is None else f"{_size(value)}{more}"
    return HealthRow(name, figure, limit, ok, value, "bytes")


def _size(value: int) -> str:
    """`212 MB`, `38.2 GB`."""
    return f"{value / 1e9:,.1f} GB" if value >= 1_000_000_000 else f"{value // 1_000_000} MB"


def engine_rows(engine: Engine) -> Iterator[HealthRow]:
    """The venue: how lately it was compared with the books, its clock, and its stream."""
    limit = f"< {format.age(MAX_RECONCILED_AGE_US)}"
    age, skew = engine.watch.reconciled_age_us(), engine.watch.clock_skew_us()
    if age is None:
        yield HealthRow("reconcile", "always, the venue is simulated here", "", True, None, "s")
    else:
        words = f"{format.age(age)} ago, {clean_words(engine)}"
        yield HealthRow("reconcile", words, limit, age <= MAX_RECONCILED_AGE_US, age / 1e6, "s")
    if skew is not None:
        ok = abs(skew) <= MAX_CLOCK_SKEW_US
        yield HealthRow("clock", f"{skew / 1e6:+.3f} s against the venue", "< 1 s", ok, skew / 1e6, "s")
    stream = "connected" if engine.watch.is_following else "not connected"
    yield HealthRow("venue stream", stream, "", engine.watch.is_following, None, "")
    state = engine.state
    ok = state in (EngineState.RUNNING, EngineState.HALTED)
    yield HealthRow("engine", state.value, "", ok, None, "")
