"""Every source that talks to a provider, each with one call and the answer it reads."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest

from engine.clock import LiveClock
from engine.http import Reach, open_client
from engine.model.ids import instrument_id
from engine.model.secrets import Secret
from engine.reliability.provider import Caller, directly
from engine.sources.alpaca_data import AlpacaData, AlpacaKeys
from engine.sources.cboe import Cboe
from engine.sources.edgar import Edgar
from engine.sources.halts import NasdaqHalts
from engine.sources.rss import Rss
from engine.sources.yahoo import Yahoo

NOW_US = 1_714_743_900_000_000  # 2024-05-03 13:45 UTC
ABC = instrument_id("ABC")
MAY = (date(2024, 5, 1), date(2024, 5, 2))
DAY_US = 86_400_000_000
KEYS = AlpacaKeys(Secret("AK" + "0" * 18), Secret("a-made-up-secret-of-a-test"))


@dataclass(frozen=True)
class Setup:
    """What a source is made of."""

    client: httpx.AsyncClient
    url: str
    clock: LiveClock
    call: Caller


@dataclass(frozen=True)
class Case:
    """One call of one source. `name`: what its errors begin with; `body`: `source/file` of the answer."""

    name: str
    body: str
    kind: str
    ask: Callable[[Setup], Awaitable[Any]]

    @property
    def id(self) -> str:
        """For pytest."""
        return self.body.partition(".")[0].replace("http_", "")


def alpaca(setup: Setup) -> AlpacaData:
    return AlpacaData(setup.client, KEYS, setup.clock, setup.call, data_url=setup.url, trading_url=setup.url)


def edgar(setup: Setup) -> Edgar:
    return Edgar(setup.client, "me@example.com", setup.clock, setup.call, setup.url, setup.url)


JSON = "application/json"
XML = "text/xml"
CASES = (
    Case("alpaca", "alpaca/http_bars_2.json", JSON, lambda s: alpaca(s).daily([ABC], *MAY)),
    Case(
        "alpaca",
        "alpaca/http_minutes.json",
        JSON,
        lambda s: alpaca(s).minutes([ABC], NOW_US - DAY_US, NOW_US),
    ),
    Case("alpaca", "alpaca/http_snapshots.json", JSON, lambda s: alpaca(s).snapshots([ABC])),
    Case("alpaca", "alpaca/http_quotes.json", JSON, lambda s: alpaca(s).quotes([ABC])),
    Case("alpaca", "alpaca/http_news.json", JSON, lambda s: alpaca(s).news([ABC], NOW_US - DAY_US, NOW_US)),
    Case("alpaca", "alpaca/http_assets.json", JSON, lambda s: alpaca(s).listings()),
    Case("alpaca", "alpaca/http_calendar.json", JSON, lambda s: alpaca(s).calendar(*MAY)),
    Case(
        "yahoo",
        "yahoo/http_chart.json",
        JSON,
        lambda s: Yahoo(s.client, s.clock, s.call, s.url).daily(ABC, *MAY),
    ),
    Case("cboe", "cboe/http_vix.csv", "text/csv", lambda s: Cboe(s.client, s.clock, s.call, s.url).vix()),
    Case("edgar", "edgar/http_tickers.json", JSON, lambda s: edgar(s).tickers()),
    Case("edgar", "edgar/http_submissions.json", JSON, lambda s: edgar(s).submissions(1_000_001, ABC)),
    Case("edgar", "edgar/http_facts.json", JSON, lambda s: edgar(s).facts(1_000_001)),
    Case(
        "rss", "rss/http_feed.xml", XML, lambda s: Rss(s.client, f"{s.url}/feed", s.clock, s.call).headlines()
    ),
    Case(
        "halts", "halts/http_halts.xml", XML, lambda s: NasdaqHalts(s.client, s.clock, s.call, s.url).halts()
    ),
)


@pytest.fixture(params=CASES, ids=lambda case: case.id)
def case(request: pytest.FixtureRequest) -> Case:
    """One call of one source after the other."""
    found: Case = request.param
    return found


@pytest.fixture
def ask(case: Case, online: Callable[..., Any]) -> Callable[..., Any]:
    """Make the call against a server that answers so; what it gives, or raises."""

    def run(*answers: Any, call: Caller = directly, see: Callable[[Any], None] | None = None) -> Any:
        async def main(server: Any) -> Any:
            server.then(*answers)
            async with open_client(Reach(frozenset(), loopback=True)) as client:
                value = await case.ask(Setup(client, server.url, LiveClock(NOW_US), call))
            if see is not None:
                see(server)
            return value

        return online(main)

    return run
