"""Facts of companies: known in full or not at all, and read again only when they are old."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from engine.clock import LiveClock
from engine.http import Reach, open_client
from engine.model.company import Listing, ListingKind
from engine.model.ids import instrument_id
from engine.model.market import Provenance
from engine.model.sectors import SECTORS, sector_of_sic
from engine.sources.companies import Companies
from engine.sources.edgar import Edgar
from engine.sources.halts import NasdaqHalts

NOW = 1_714_743_900_000_000  # 2024-05-03 13:45 UTC
ABC, XYZ, NEW = (instrument_id(symbol) for symbol in ("ABC", "XYZ", "NEW"))
TICKERS, FILINGS = "/files/company_tickers.json", "/submissions/CIK0001000001.json"
FACTS, HALTS = "/api/xbrl/companyfacts/CIK0001000001.json", "/rss.aspx"
DAY_S = 86_400


@dataclass
class World:
    """Companies, the server that tells of them, and time that tests move."""

    companies: Companies
    server: Any
    clock: LiveClock
    loop: Any
    lists: list[int]
    """When all listings were asked for."""

    def later(self, seconds: float) -> None:
        self.loop.stall(seconds)

    @property
    def asked(self) -> list[str]:
        found = [target.partition("?")[0] for target, _ in self.server.requests]
        self.server.requests.clear()
        return sorted(found)


@pytest.fixture
def world(online: Any, answer: Any, recorded: Callable[[str], bytes]) -> Callable[..., Any]:
    """Run a test's coroutine function with everything working."""

    def run(test: Callable[[World], Awaitable[None]]) -> None:
        async def main(server: Any) -> None:
            server.by_path = {
                TICKERS: answer(recorded("edgar/http_tickers.json")),
                FILINGS: answer(recorded("edgar/http_submissions.json")),
                FACTS: answer(recorded("edgar/http_facts.json")),
                HALTS: answer(recorded("halts/http_halts.xml"), kind="text/xml"),
            }
            clock = LiveClock(NOW)
            async with open_client(Reach(frozenset(), loopback=True)) as client:
                edgar = Edgar(client, "me@example.com", clock, files_url=server.url, data_url=server.url)
                listed = tuple(
                    Listing(name, "NASDAQ", "Abc", ListingKind.STOCK, True, True, NOW, NOW, Provenance.LIVE)
                    for name in (ABC, NEW)
                )

                async def listings() -> tuple[Listing, ...]:
                    lists.append(clock.now_us())
                    return listed

                lists: list[int] = []
                halts = NasdaqHalts(client, clock, url=server.url)
                companies = Companies(listings, edgar, halts, clock)
                await test(World(companies, server, clock, asyncio.get_running_loop(), lists))

        online(main)

    return run


def test_everything_joined(world: Any) -> None:
    async def test(at: World) -> None:
        assert await at.companies.refresh([ABC, ABC]) == ""
        assert at.asked == sorted([TICKERS, FILINGS, FACTS, HALTS]), "each once"
        facts = at.companies.facts(ABC)
        assert facts is not None
        assert facts.listing is not None
        assert facts.shares_outstanding is not None
        assert facts.fundamentals is not None
        assert (facts.sic, facts.shares_outstanding.value) == ("2834", 52e6)
        assert facts.fundamentals.cash_usd == 42e6
        assert len(facts.filings) == 3
        assert len(facts.halts) == 2
        assert facts.known_us <= at.clock.now_us()
        assert at.companies.sector(ABC) == "Health"
        assert at.companies.name(ABC) == "Abc"

    world(test)


def test_nothing_is_known_of_whom_nobody_looked_at_or_who_does_not_file(world: Any) -> None:
    async def test(at: World) -> None:
        assert at.companies.facts(ABC) is None
        assert await at.companies.refresh([NEW, XYZ]) == ""
        assert at.companies.facts(NEW) is None
        assert at.companies.facts(XYZ) is None
        assert (at.companies.sector(NEW), at.companies.name(XYZ)) == (None, None)

    world(test)


def test_what_is_fresh_is_not_asked_for_again(world: Any) -> None:
    async def test(at: World) -> None:
        await at.companies.refresh([ABC])
        at.asked.clear()
        at.later(50)
        await at.companies.refresh([ABC])
        assert at.asked == []
        at.later(60)
        await at.companies.refresh([ABC])
        assert at.asked == [HALTS]
        at.later(600)
        await at.companies.refresh([ABC])
        assert at.asked == sorted([HALTS, FILINGS])
        at.later(DAY_S)
        await at.companies.refresh([ABC])
        assert at.asked == sorted([TICKERS, FILINGS, FACTS, HALTS])
        assert len(at.lists) == 2

    world(test)


@pytest.mark.parametrize(
    ("path", "after_s", "known"),
    [(HALTS, 200, True), (HALTS, 400, False), (FILINGS, 3000, True), (FILINGS, 3700, False)],
)
def test_old_filings_or_halts_are_as_good_as_none(
    world: Any, answer: Any, path: str, after_s: float, known: bool
) -> None:
    async def test(at: World) -> None:
        await at.companies.refresh([ABC])
        at.server.by_path[path] = answer(b"oops", status=500)
        at.later(after_s)
        assert "answered 500: oops" in await at.companies.refresh([ABC])
        assert (at.companies.facts(ABC) is not None) is known

    world(test)


def test_reports_that_cannot_be_read_leave_only_their_numbers_unknown(world: Any, answer: Any) -> None:
    async def test(at: World) -> None:
        at.server.by_path[FACTS] = answer(b"{}")
        assert "edgar: cik is missing" in await at.companies.refresh([ABC])
        facts = at.companies.facts(ABC)
        assert facts is not None
        assert (facts.shares_outstanding, facts.fundamentals) == (None, None)
        assert facts.filings

    world(test)


def test_old_reports_are_not_known_after_two_days(world: Any, answer: Any) -> None:
    async def test(at: World) -> None:
        await at.companies.refresh([ABC])
        at.server.by_path[FACTS] = answer(b"oops", status=500)
        for _ in range(2):
            at.later(DAY_S + 1)
            await at.companies.refresh([ABC])
        facts = at.companies.facts(ABC)
        assert facts is not None
        assert facts.fundamentals is None

    world(test)


def test_all_that_went_wrong_is_counted(world: Any, answer: Any) -> None:
    async def test(at: World) -> None:
        for path in (TICKERS, HALTS):
            at.server.by_path[path] = answer(status=503)
        assert await at.companies.refresh([ABC]) == "edgar answered 503: {} (and 1 more)"
        assert at.companies.facts(ABC) is None

    world(test)


def test_company_that_nobody_looked_at_for_a_week_is_forgotten(world: Any) -> None:
    async def test(at: World) -> None:
        await at.companies.refresh([ABC])
        at.later(8 * DAY_S)
        await at.companies.refresh([])
        assert at.companies.sector(ABC) is None

    world(test)


@pytest.mark.parametrize(
    ("sic", "sector"),
    [
        ("2834", "Health"),
        ("2836", "Health"),
        ("3674", "Tech"),
        ("7372", "Tech"),
        ("1311", "Energy"),
        ("2911", "Energy"),
        ("1040", "Material"),
        ("4911", "Utility"),
        ("6022", "Finance"),
        ("6324", "Health"),
        ("6798", "Property"),
        ("4841", "Media"),
        ("5411", "Staples"),
        ("5812", "Consumer"),
        ("3711", "Consumer"),
        ("3721", "Industry"),
        ("4512", "Industry"),
        ("3841", "Health"),
        ("0100", "Staples"),
        ("9995", None),
        ("0000", None),
        ("283", None),
        ("٢٨٣٤", None),
        ("", None),
        (None, None),
    ],
)
def test_sector_of_an_industry(sic: str | None, sector: str | None) -> None:
    assert sector_of_sic(sic) == sector


def test_every_code_lies_in_one_of_eleven_sectors_or_in_none() -> None:
    found = {sector_of_sic(f"{code:04d}") for code in range(10_000)}
    assert found == {*SECTORS, None}
    assert len(SECTORS) == 11
    assert max(map(len, SECTORS)) <= 8, "as wide as its column"
