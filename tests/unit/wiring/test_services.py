"""The services of a live market: what each may call, what it may cost, and who steps in for whom."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from engine.clock import LiveClock
from engine.errors import BadPayload, SourceRefused, SourceUnavailable
from engine.model.ids import instrument_id
from engine.model.secrets import Secret
from engine.reliability.breaker import BreakerConfig, BreakerState
from engine.reliability.config import ReliabilityConfig
from engine.reliability.provider import SlaChange
from engine.sources.alpaca_data import AlpacaKeys
from engine.sources.config import Feed, SourcesConfig
from tui.wiring.services import EDGAR_BUDGET, Endpoints, Services, Terms

NOW = 1_714_743_900_000_000  # 2024-05-03 13:45 UTC
ABC = instrument_id("ABC")
KEYS = AlpacaKeys(Secret("AK" + "0" * 18), Secret("a-made-up-secret-of-a-test"))
VIX_PATH = "/api/global/us_indices/daily_prices/VIX_History.csv"
LAST_MINUTE_OF_MAY_2 = 1_714_708_740  # 23:59 in New York
Test = Callable[[Services, Any], Awaitable[None]]


@pytest.fixture
def live(online: Any, answer: Any, recorded: Callable[[str], bytes]) -> Callable[..., list[SlaChange]]:
    """Run a test's coroutine function with services of one server; what changed of their expectations."""

    def run(test: Test, at_us: int = NOW, **changes: Any) -> list[SlaChange]:
        told: list[SlaChange] = []

        async def main(server: Any) -> None:
            url = server.url
            server.by_path = {
                "/v2/assets": answer(recorded("alpaca/http_assets.json")),
                "/v1beta1/news": answer(recorded("alpaca/http_news.json")),
                VIX_PATH: answer(recorded("cboe/http_vix.csv"), kind="text/csv"),
                "/files/company_tickers.json": answer(recorded("edgar/http_tickers.json")),
                "/submissions/CIK0001000001.json": answer(recorded("edgar/http_submissions.json")),
                "/api/xbrl/companyfacts/CIK0001000001.json": answer(recorded("edgar/http_facts.json")),
                "/rss.aspx": answer(recorded("halts/http_halts.xml"), kind="text/xml"),
                "/v8/finance/chart/%5EVIX": answer(
                    recorded("yahoo/http_chart.json").replace(b'"ABC"', b'"^VIX"')
                ),
            }
            ends = Endpoints(url, url, url, url, url, url, url, loopback=True)
            terms = Terms(KEYS, "me@example.com", SourcesConfig(), ReliabilityConfig(), ends)
            services = Services(replace(terms, **changes), LiveClock(at_us), told.append)
            try:
                await test(services, server)
            finally:
                await services.close()

        online(main)
        return told

    return run


def test_company_is_known_after_it_was_looked_up(live: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        assert services.facts(ABC) is None
        assert await services.look_up([ABC]) == ""
        facts = services.facts(ABC)
        assert facts is not None
        assert facts.listing is not None
        assert (facts.listing.exchange, facts.sic) == ("NASDAQ", "2834")

    live(test)


def test_without_a_mail_address_edgar_is_not_asked(live: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        assert services.companies is None
        assert "edgar.contact is not set" in await services.look_up([ABC])
        assert services.facts(ABC) is None
        assert server.requests == []
        assert "edgar" not in [health.name for health in services.providers.health()]

    live(test, contact="")


def test_yahoo_steps_in_for_cboe_while_it_fails(live: Any, answer: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        bars = await services.vix()
        assert bars.close.tolist() == [15.39, 14.68, 13.49]
        server.by_path[VIX_PATH] = answer(status=503)
        bars = await services.vix()
        assert bars.instrument == instrument_id("VIX")
        assert bars.close.tolist() == [5.1, 9.0]
        asked = next(target for target, _ in server.requests if "chart" in target)
        # At 9:45 in New York the index of this day is not over: the end is that of the day before.
        assert f"period2={LAST_MINUTE_OF_MAY_2}&" in asked
        server.by_path["/v8/finance/chart/%5EVIX"] = answer(b'{"chart": {}}', status=404)
        with pytest.raises(SourceUnavailable, match="cboe answered 503"):
            await services.vix()

    live(test)


def test_own_day_of_the_index_is_asked_for_once_it_is_over(live: Any, answer: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        server.by_path[VIX_PATH] = answer(status=503)
        await services.vix()
        asked = next(target for target, _ in server.requests if "chart" in target)
        assert f"period2={LAST_MINUTE_OF_MAY_2 + 86_400}&" in asked

    live(test, at_us=NOW + 7 * 3600 * 1_000_000)


def test_best_effort_is_marked_as_such(live: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        marked = {health.name: health.is_best_effort for health in services.providers.health()}
        assert marked == {"alpaca": False, "cboe": False, "yahoo": True, "edgar": False, "halts": False}

    live(test)


def test_each_client_calls_its_own_hosts_only(live: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        with pytest.raises(SourceRefused, match="not one of the hosts"):
            await services.cboe._client.get("https://data.alpaca.markets/v2/stocks/bars")

    live(test, endpoints=Endpoints())


def test_feeds_tell_of_those_who_are_asked_about_and_one_that_fails_hides_no_other(
    live: Any, answer: Any, recorded: Any
) -> None:
    async def test(services: Services, server: Any) -> None:
        server.by_path["/good"] = answer(recorded("rss/http_feed.xml"), kind="text/xml")
        server.by_path["/bad"] = answer(status=500)
        for feed, path in zip(services.feeds, ("/bad", "/good"), strict=True):
            feed._url = server.url + path
        found, trouble = await services.headlines([ABC])
        assert [headline.instruments[0] for headline in found] == [ABC]
        assert "answered 500" in trouble
        names = [health.name for health in services.providers.health()]
        assert names[-2:] == ["rss 1", "rss 2"]

    live(test, sources=SourcesConfig(rss=("https://a.example/", "https://b.example/x")))


def test_feed_without_news_is_asked_less_often_by_the_configured_times(
    live: Any, answer: Any, recorded: Any
) -> None:
    async def test(services: Services, server: Any) -> None:
        server.by_path["/feed"] = answer(recorded("rss/http_feed.xml"), kind="text/xml")
        (feed,) = services.feeds
        feed._url = server.url + "/feed"
        counts = []
        for _ in range(4):
            await asyncio.gather(services.headlines([ABC]), services.headlines([]))
            counts.append(len(server.requests))
            asyncio.get_running_loop().stall(11)  # type: ignore[attr-defined]
        # Asked at 0; true for 10 s, then 12: at 11 again, at 22 not, at 33 again.
        assert counts == [1, 2, 2, 3]

    reliability = ReliabilityConfig(cache_market=(10, 5, 20))
    live(test, sources=SourcesConfig(rss=("https://a.example/",)), reliability=reliability)


def test_breaker_of_the_configuration_takes_effect(live: Any, answer: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        server.by_path["/v2/calendar"] = answer(status=500)
        with pytest.raises(SourceUnavailable):
            await services.alpaca.calendar(date(2024, 5, 1), date(2024, 5, 2))
        assert services.providers.health()[0].breaker is BreakerState.OPEN

    changed = ReliabilityConfig(default=BreakerConfig(1, 30, 1))
    live(test, reliability=changed)


def test_feed_of_the_configuration_takes_effect(live: Any, answer: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        server.by_path["/v2/stocks/quotes/latest"] = answer(b'{"quotes": {}}')
        await services.alpaca.quotes([ABC])
        assert "feed=sip" in server.requests[0][0]

    live(test, sources=SourcesConfig(alpaca_feed=Feed.SIP))


def test_change_of_expectations_is_told(live: Any, answer: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        server.by_path["/v2/calendar"] = answer(b"[]]")
        with pytest.raises(BadPayload, match="not JSON"):
            await services.alpaca.calendar(date(2024, 5, 1), date(2024, 5, 2))

    (change,) = live(test)
    assert (change.source, change.after.value) == ("alpaca", "DEGRADED")
    assert "0% answered, limit 90%" in change.reasons


def test_sec_is_asked_no_more_than_ten_times_in_any_second(live: Any) -> None:
    async def test(services: Services, server: Any) -> None:
        assert services.companies is not None
        edgar = services.companies._edgar
        at: list[float] = []
        loop = asyncio.get_running_loop()

        async def ask() -> None:
            await edgar.tickers()
            at.append(loop.time())

        await asyncio.gather(*(ask() for _ in range(40)))
        assert max(sum(t <= other < t + 1 for other in at) for t in at) <= 10

    assert EDGAR_BUDGET.per_s + EDGAR_BUDGET.burst <= 10
    live(test)


@pytest.mark.parametrize(
    "address", ["http://a.example/", "https://", "ftp://a.example", "https://a.example/ b"]
)
def test_news_feed_is_an_https_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"^sources\.rss holds"):
        SourcesConfig(rss=(address,))


def test_news_feeds_have_a_limit() -> None:
    with pytest.raises(ValueError, match=r"^sources\.rss names 21 feeds, limit 20"):
        SourcesConfig(rss=("https://a.example/",) * 21)
