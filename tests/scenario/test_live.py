"""A paper account on live prices, against services on this machine, in virtual time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from engine.clock import US_PER_S
from engine.errors import ConfigError
from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.model.events import Alarm, CandidatesJudged, FillRecorded, JobEnded
from engine.model.ids import InstrumentId
from engine.model.positions import AccountKind
from engine.model.secrets import Secret
from engine.risk.limits import FULL
from engine.sources.alpaca_data import AlpacaKeys
from engine.sources.sessions import ExchangeSessions
from storage.paths import Home, find_home, home_state
from tui.link import Question
from tui.settings import load_settings
from tui.wiring.live import LiveKeys, LiveRuntime
from tui.wiring.runtime import RunOptions
from tui.wiring.services import Endpoints

NEW_YORK = ZoneInfo("America/New_York")
TODAY = date(2026, 11, 20)
AAA = InstrumentId("AAA.US")
SINCE = date(2024, 1, 1)
PRICES = {"AAA": 10.0, "BBB": 8.0, "CCC": 12.0, "SPY": 600.0}
KEYS = LiveKeys(AlpacaKeys(Secret("PKTEST0123456789ABCD"), Secret("canary-of-live-keys")), "me@example.com")


def new_york(text: str, day: date = TODAY) -> int:
    """Int microseconds UTC of `09:45` in New York."""
    moment = datetime.fromisoformat(f"{day} {text}").replace(tzinfo=NEW_YORK)
    return int(moment.timestamp()) * US_PER_S


def instant(us: int) -> str:
    return datetime.fromtimestamp(us / US_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Services:
    """Alpaca and Cboe by their published shapes, on one port of this machine."""

    now: Callable[[], int]
    sessions: ExchangeSessions
    moves: dict[str, float] = field(default_factory=dict)
    """Price of today as a share of the last close."""
    headlines: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    status: int = 200
    vix_is_down: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while request := await reader.readline():
            target = request.split()[1].decode()
            while (line := await reader.readline()).strip():
                self.headers.append(line.decode().strip())
            path = urlsplit(target)
            self.asked.append(path.path)
            query = {key: values[0] for key, values in parse_qs(path.query).items()}
            status, kind, body = self.answer(path.path, query)
            writer.write(
                f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
        if path.endswith(".csv"):
            return (503 if self.vix_is_down else 200), "text/csv", self.vix()
        if self.status != 200:
            return self.status, "application/json", b'{"message":"forbidden."}'
        symbols = query.get("symbols", "").split(",")
        found = {
            "/v2/assets": lambda: self.assets(),
            "/v2/stocks/bars": lambda: {
                "bars": {s: self.bars(s, query) for s in symbols if s in PRICES},
                "next_page_token": None,
            },
            "/v2/stocks/snapshots": lambda: {s: self.snapshot(s) for s in symbols if s in PRICES},
            "/v2/stocks/quotes/latest": lambda: {
                "quotes": {s: self.quote(s) for s in symbols if s in PRICES}
            },
            "/v1beta1/news": lambda: {"news": self.headlines, "next_page_token": None},
        }.get(path)
        if found is None:
            return 404, "application/json", b"{}"
        return 200, "application/json", json.dumps(found()).encode()

    def assets(self) -> list[dict[str, Any]]:
        return [
            {
                "symbol": symbol,
                "class": "us_equity",
                "exchange": "NASDAQ",
                "name": f"{symbol} Corp Common Stock",
                "status": "active",
                "tradable": True,
            }
            for symbol in PRICES
            if symbol != "SPY"
        ]

    def days(self, first: date, last: date) -> list[Any]:
        return [s for s in self.sessions.between(first, last) if s.close_us <= self.now()]

    def bars(self, symbol: str, query: dict[str, str]) -> list[dict[str, Any]]:
        first, last = (date.fromisoformat(query[key][:10]) for key in ("start", "end"))
        return [self.day_bar(symbol, s) for s in self.days(first, last)]

    def day_bar(self, symbol: str, session: Any) -> dict[str, Any]:
        price = PRICES[symbol] * (1 + 0.002 * (session.day.toordinal() % 5))
        return {
            "t": instant(session.open_us - 34_200 * US_PER_S),
            "o": price,
            "h": price * 1.01,
            "l": price * 0.99,
            "c": price,
            "v": 5_000_000,
            "n": 10,
            "vw": price,
        }

    @property
    def today(self) -> Any:
        """The session of the day that it is in New York."""
        return self.sessions.on(datetime.fromtimestamp(self.now() / US_PER_S, NEW_YORK).date())

    def price(self, symbol: str) -> float:
        day = self.today.day
        before = self.sessions.between(day - timedelta(days=9), day - timedelta(days=1))[-1]
        return round(self.day_bar(symbol, before)["c"] * self.moves.get(symbol, 1.0), 2)

    def quote(self, symbol: str) -> dict[str, Any]:
        price = self.price(symbol)
        return {"t": instant(self.now()), "bp": price - 0.01, "ap": price + 0.01, "bs": 5, "as": 5}

    def snapshot(self, symbol: str) -> dict[str, Any]:
        price = self.price(symbol)
        bar = {"t": instant(self.today.open_us - 34_200 * US_PER_S)} | dict.fromkeys("ohlc", price)
        return {
            "latestTrade": {"t": instant(self.now()), "p": price, "s": 100},
            "latestQuote": self.quote(symbol),
            "dailyBar": {**bar, "v": 100_000, "vw": price},
            "prevDailyBar": None,
            "minuteBar": None,
        }

    def vix(self) -> bytes:
        rows = [
            f"{s.day:%m/%d/%Y},16.0,16.5,15.5,16.0" for s in self.days(date(2024, 1, 1), date(2026, 12, 31))
        ]
        return "\n".join(["DATE,OPEN,HIGH,LOW,CLOSE", *rows, ""]).encode()


@dataclass
class Morning:
    """A person's folders, the services, and one process after the other on them."""

    home: Home
    sessions: ExchangeSessions
    day: date = TODAY
    start: int = 0
    policy: PolicyName = PolicyName.PAPER_AUTO
    services: Services = None  # type: ignore[assignment]
    runtime: LiveRuntime = None  # type: ignore[assignment]
    events: list[Any] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    behind_us: int = 0

    def wall(self) -> int:
        return self.start + round(asyncio.get_running_loop().time() * US_PER_S)

    def live(self, start: str, end: str, during: Callable[["Morning"], Awaitable[Any]] | None = None) -> None:
        """A process from `start` to `end`, New York time."""
        self.start = new_york(start, self.day)

        async def main() -> None:
            services = self.services = self.services or Services(self.wall, self.sessions)
            services.now = self.wall
            server = await asyncio.start_server(services.serve, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            settings = load_settings(None, self.home.config, self.home.config, {}, {})
            options = RunOptions(settings, self.home, home_state(self.home), self.policy, FULL)
            ends = Endpoints(*[url] * 7, loopback=True)
            self.runtime = LiveRuntime(options, self.sessions, KEYS, ends, self.wall)
            self.runtime.bus.subscribe_call(object, self.events.append, "test")
            try:
                await self.runtime.start()
                if during is not None:
                    await during(self)
                await self.until(end)
                self.behind_us = self.runtime.engine.parts.clock.jumped_us()
                self.status = await self.runtime.link.ask(Question.STATUS)  # type: ignore[assignment]
                assert self.runtime.is_healthy()
                await self.runtime.stop()
            finally:
                server.close()
                for writer in services.writers:
                    writer.close()
                await asyncio.gather(*(w.wait_closed() for w in services.writers), return_exceptions=True)
                services.writers.clear()

        run_virtual(main())

    async def until(self, text: str) -> None:
        await self.runtime.engine.parts.clock.sleep_until(new_york(text, self.day))

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ended(self) -> dict[str, str]:
        return {event.name: f"{event.result}: {event.words}" for event in self.of(JobEnded)}


@pytest.fixture
def morning(tmp_path: Path, sessions: ExchangeSessions) -> Morning:
    home = find_home({"TRADEDECK_HOME": str(tmp_path / "deck")})
    home.make()
    return Morning(home, sessions)


async def dips(morning: Morning) -> None:
    """A minute after the scan the price comes down to the limit."""
    await morning.until("09:45:40")
    morning.services.moves["AAA"] = 0.915


def test_a_day_from_an_empty_folder_to_its_close(morning: Morning) -> None:
    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92, "BBB": 0.99})
    morning.live("08:58", "09:47", dips)
    assert morning.ended["pre-open scan"] == (
        "done: 3 instruments to look at; 3 of 3 listings kept, bars through 2026-11-19"
    )
    words = morning.ended["opening scan"]
    assert words.startswith("done: 3 of 3 priced, 1 candidates, 1 proposed; halts answered 404")
    (judged,) = morning.of(CandidatesJudged)
    assert [verdict.candidate.instrument for verdict in judged.verdicts] == [AAA]
    (fill,) = morning.of(FillRecorded)
    assert fill.fill.instrument == AAA
    status = morning.status
    assert (status["kind"], status["positions"], status["protected"]) == (AccountKind.PAPER, 1, 1)
    jobs = {row["name"]: row for row in status["jobs"]}
    assert jobs["opening scan"]["last_result"] == "done"
    assert new_york("16:30") <= jobs["VIX and SPY"]["next_us"] <= new_york("16:31")
    assert any("canary-of-live-keys" in line for line in morning.services.headers)

    # A restart goes on with the position, and does nothing of the morning again.
    asked = len(morning.services.asked)
    morning.live("15:40", "16:34")
    assert morning.ended["time exit"] == "done: 0 positions in their last session, 0 leave by time"
    assert morning.ended["VIX and SPY"] == "done: 3 of 3 listings kept, bars through 2026-11-20"
    assert len(morning.of(CandidatesJudged)) == 1
    assert (morning.status["positions"], morning.status["protected"]) == (1, 1)
    assert morning.status["session_open"] is False
    assert morning.services.asked[asked:].count("/v2/assets") == 1
    engine = morning.runtime.engine
    assert [bracket.sessions_held for bracket in engine.brackets.open()] == [1]
    assert not any(b"canary-of-live-keys" in path.read_bytes() for path in _files(morning.home))


def _files(home: Home) -> list[Path]:
    return [path for path in home.state.parent.rglob("*") if path.is_file()]


def test_bad_news_of_the_night_keeps_a_candidate_out(morning: Morning) -> None:
    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92})
    morning.services.headlines = [
        {
            "headline": "AAA Corp discloses SEC investigation into accounting fraud",
            "symbols": ["AAA"],
            "created_at": "2026-11-20T12:00:00Z",
            "source": "wire",
        }
    ]
    morning.live("09:20", "09:46")
    (judged,) = morning.of(CandidatesJudged)
    assert judged.verdicts[0].proposal is None
    assert judged.verdicts[0].reason == "news: SEC probe"
    assert morning.of(FillRecorded) == []


def test_without_the_vix_nothing_is_proposed_and_the_reason_is_told(morning: Morning) -> None:
    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92}, vix_is_down=True)
    morning.live("09:20", "09:46")
    assert "the VIX is missing" in morning.ended["pre-open scan"]
    (judged,) = morning.of(CandidatesJudged)
    assert judged.verdicts[0].proposal is None
    assert judged.verdicts[0].reason


@pytest.mark.parametrize(("status", "words"), [(403, "tradedeck keys list"), (503, "no live prices")])
def test_a_provider_that_refuses_or_fails_is_told_and_nothing_is_entered(
    morning: Morning, status: int, words: str
) -> None:
    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92}, status=status)
    morning.live("09:28", "09:46")
    assert morning.of(CandidatesJudged) == []
    alarms = [event.text for event in morning.of(Alarm)]
    assert sum(words in text for text in alarms) == 0  # nothing is watched, so no price is missed
    assert morning.ended["pre-open scan"].startswith("failed")
    assert any("pre-open scan failed 3 times" in text for text in alarms)
    assert morning.ended["opening scan"].startswith("done: no instrument has daily bars")


def test_prices_that_stop_are_told_once_and_the_position_stays_protected(morning: Morning) -> None:
    async def stops(here: Morning) -> None:
        await dips(here)
        await here.until("09:46:10")
        here.services.status = 403
        await here.until("09:47:30")
        here.services.status = 200

    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92})
    morning.live("09:25", "09:48", stops)
    told = [event.text for event in morning.of(Alarm) if "no live prices" in event.text]
    assert len(told) == 1
    assert "tradedeck keys list" in told[0]
    assert (morning.status["positions"], morning.status["protected"]) == (1, 1)


def test_a_price_that_looks_like_a_split_halts_its_instrument_and_sells_nothing(morning: Morning) -> None:
    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92})
    morning.live("09:25", "09:47", dips)
    assert morning.status["positions"] == 1
    morning.day = date(2026, 11, 23)
    morning.services.moves["AAA"] = 0.46
    morning.live("09:28", "09:31")
    assert "looks like a split" in morning.status["halted_symbols"]["AAA.US"]
    assert morning.status["positions"] == 1
    assert len(morning.of(FillRecorded)) == 1


def test_a_clock_far_behind_the_journal_is_refused(morning: Morning) -> None:
    morning.live("12:00", "12:01")
    with pytest.raises(ConfigError, match=r"2\.0 h behind the last line of the journal"):
        morning.live("10:00", "10:01")


def test_a_clock_a_little_behind_the_journal_goes_on_from_it_without_entries(morning: Morning) -> None:
    morning.services = Services(morning.wall, morning.sessions, {"AAA": 0.92})
    morning.live("09:24", "09:40")
    morning.live("09:20", "09:47")
    assert morning.behind_us < -19 * 60 * US_PER_S
    (judged,) = morning.of(CandidatesJudged)
    assert judged.verdicts
    assert morning.of(FillRecorded) == []
