"""Tokens through the real engine: scored, told, shown as a list and one by one."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import msgspec
import pytest

from engine.core import Engine
from engine.features.token_catalogue import TOKEN_CATALOGUE
from engine.model.events import Event, GemBlocked, GemFlagged, MarketMoved
from engine.model.market import MarketBatch, Provenance
from engine.model.tokens import ContractFacts, Holder, HolderLabel, Pool, Post, TokenId, TokenSnapshot
from engine.strategies.gems import GemScan
from engine.strategies.gems_config import GemsConfig
from tui.showing.details import detail
from tui.showing.events import line_of
from tui.showing.gems import gems_view
from tui.shown.deck import EventKind
from tui.shown.details import GemDetail, Topic
from tui.shown.gems import NO_GEMS, GemKind, GemRow, GemsView, SafetyWord

Make = Callable[..., TokenSnapshot]
Live = Callable[..., None]
RUGGED = (Holder("0xlock", 22.0, HolderLabel.LOCK, is_locked=True),)


@pytest.fixture
def batch(make_token: Make, clean_facts: ContractFacts, look_us: int) -> MarketBatch:
    """Nine tokens of every kind, and a word about those that could be flagged."""

    def token(symbol: str, **changes: Any) -> TokenSnapshot:
        return make_token(id=TokenId(f"base:0x{symbol.lower()}"), symbol=symbol, **changes)

    unverified = {"is_verified": False}
    tokens = (
        token("PLINTH"),
        token("VOLE", lp_holders=RUGGED),
        token("TAMARK", contract=None),
        token("PEWTR", contract=_changed(clean_facts, **unverified)),
        token("HOLLIN", buys_h24=10, sells_h24=2_000, transfers_24h=60, buyers_h24=9, sellers_h24=90),
        token("SEEN", community_members=None, dev_commits_30d=None, holders_7d_ago=None),
        token("YOUNG", created_us=look_us - 1_800_000_000, price_change_24h_pct=None),
        token("OLD", ts_event=look_us - 400_000_000),
        token("EVIL\x1b]52;c;cm0K\x07", name="[@click=app.halt()]x\u202e", chain="base\x1b[2J"),
    )
    spoken_of = ("PLINTH", "VOLE", "TAMARK", "PEWTR", "HOLLIN")
    posts = tuple(
        Post(TokenId(f"base:0x{name.lower()}"), "to the moon", 30, 4, look_us, look_us, Provenance.SYNTHETIC)
        for name in spoken_of
    )
    return MarketBatch(look_us, tokens=tokens, posts=posts)


def _changed(facts: ContractFacts, **changes: Any) -> ContractFacts:
    values = {field.name: getattr(facts, field.name) for field in fields(facts)}
    return ContractFacts(**values | changes)


def rows_of(view: GemsView) -> dict[str, GemRow]:
    return {row.symbol: row for row in view.rows}


def test_what_a_batch_tells_of_tokens_is_scored_and_told(live: Live, batch: MarketBatch) -> None:
    told: list[Event] = []

    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        assert [type(event) for event in told] == [GemFlagged, MarketMoved]
        flagged = told[0]
        assert isinstance(flagged, GemFlagged)
        line = line_of(flagged)
        assert line is not None
        assert line.kind is EventKind.YOURS
        assert line.text == f"PLINTH flagged: {flagged.score:.1f}, {flagged.signals} signals"

    live(go, gems=GemScan(GemsConfig()), publish=told.append)


def test_a_market_without_tokens_has_an_empty_list(live: Live, batch: MarketBatch) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        assert gems_view(engine) is NO_GEMS
        assert detail(engine, Topic.GEM, "base:0xplinth") is None

    live(go)


def test_the_list_shows_every_token_with_what_decides(live: Live, batch: MarketBatch, look_us: int) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        assert gems_view(engine).note == "No tokens scored yet"
        engine.take(batch)
        view = gems_view(engine)
        assert (view.scanned, view.last_scan_us, view.note) == (9, look_us, "")
        rows = rows_of(view)
        assert (view.flagged, view.blocked) == (1, 4)
        assert view.rows[0] == rows["PLINTH"]
        said = {name: (row.kind, row.safety, row.words) for name, row in rows.items()}
        assert said["PLINTH"] == (GemKind.FLAGGED, SafetyWord.PASS, "flagged")
        assert said["VOLE"] == (GemKind.BLOCKED, SafetyWord.BLOCK, "LP 22%")
        assert said["TAMARK"] == (GemKind.BLOCKED, SafetyWord.UNKNOWN, "unproved")
        assert said["PEWTR"] == (GemKind.PASSIVE, SafetyWord.CAUTION, "safety .40")
        assert said["HOLLIN"] == (GemKind.PASSIVE, SafetyWord.PASS, "score < 70")
        assert said["YOUNG"] == (GemKind.BLOCKED, SafetyWord.BLOCK, "age 30m")
        assert said["OLD"] == (GemKind.BLOCKED, SafetyWord.UNKNOWN, "unproved")
        assert said["SEEN"][0] is GemKind.PROVISIONAL
        assert view.provisional == sum(row.kind is GemKind.PROVISIONAL for row in view.rows)
        assert "EVIL" in rows
        plinth = rows["PLINTH"]
        assert plinth.change_24h_ratio == pytest.approx(0.142)
        assert plinth.liquidity_usd == 2_410_000
        assert plinth.age_us == 41 * 86_400_000_000
        assert len(plinth.parts) == 8
        assert plinth.score <= plinth.score_max
        assert (rows["YOUNG"].change_24h_ratio, rows["OLD"].liquidity_usd) == (None, None)
        assert all(len(row.words) <= 14 for row in view.rows)
        assert all(f"{row.symbol}{row.chain}".isprintable() for row in view.rows)

    live(go, gems=GemScan(GemsConfig()))


def test_a_gem_whose_flag_ended_says_so_while_it_passes_again(
    live: Live, make_token: Make, clean_facts: ContractFacts, look_us: int
) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        words = []
        for at, holders in enumerate((None, RUGGED, None)):
            ts = look_us + at * 1_000_000
            held = {} if holders is None else {"lp_holders": holders}
            token = make_token(id=TokenId("base:0xplinth"), symbol="PLINTH", ts_event=ts, ts_known=ts, **held)
            post = Post(token.id, "to the moon", 30, 4, look_us, look_us, Provenance.SYNTHETIC)
            engine.take(MarketBatch(ts, tokens=(token,), posts=(post,) if at == 0 else ()))
            words.append(rows_of(gems_view(engine))["PLINTH"].words)
        assert words == ["flagged", "LP 22%", "flag ended"]

    live(go, gems=GemScan(GemsConfig()))


def test_the_list_is_made_anew_only_when_the_board_changed(live: Live, batch: MarketBatch) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        view = gems_view(engine)
        engine.take(MarketBatch(batch.ts + 1_000_000))
        assert gems_view(engine) is view
        post = Post(TokenId("base:0xhollin"), "a scam", 9, 9, batch.ts, batch.ts, Provenance.SYNTHETIC)
        engine.take(MarketBatch(batch.ts + 2_000_000, posts=(post,)))
        changed = gems_view(engine)
        assert changed is not view
        old, new = rows_of(view), rows_of(changed)
        assert {name for name in new if new[name] is not old[name]} == {"HOLLIN"}

    live(go, gems=GemScan(GemsConfig()))


NO_NUMBERS = {
    **{
        field.name: float("nan")
        for field in fields(TokenSnapshot)
        if field.name.endswith(("_pct", "_usd", "_supply")) and field.name != "price_usd"
    },
    "pools": (Pool("uniswap", "WETH", float("nan"), 1.0, float("nan"), float("inf")),),
    "top_holders": (Holder("0x1", float("nan")), Holder("0x2", float("inf"))),
    "lp_holders": (Holder("0x3", float("nan"), is_locked=True),),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_what_is_no_number_is_not_known_and_reaches_no_face(
    live: Live, make_token: Make, look_us: int, name: str
) -> None:
    """A face far away could not read it: JSON has no word for it."""

    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        token = make_token(**{name: NO_NUMBERS[name]})
        engine.take(MarketBatch(look_us, tokens=(token,)))
        (row,) = gems_view(engine).rows
        shown = detail(engine, Topic.GEM, token.id)
        for value in (row, shown):
            assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value

    live(go, gems=GemScan(GemsConfig()), token_prices=lambda *asked: ((1, float("nan")), (2, 1.0), (3, 1.1)))


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_token_without_a_price_is_refused(live: Live, make_token: Make, look_us: int, price: float) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(MarketBatch(look_us, tokens=(make_token(price_usd=price),)))
        scan = engine.parts.gems
        assert scan is not None
        assert (gems_view(engine).rows, scan.refused) == ((), 1)

    live(go, gems=GemScan(GemsConfig()))


def test_a_rug_pull_is_told_with_value_and_limit(
    live: Live, batch: MarketBatch, make_token: Make, look_us: int
) -> None:
    told: list[Event] = []

    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        after = look_us + 30_000_000
        drained = make_token(
            id=TokenId("base:0xplinth"),
            symbol="PLINTH",
            pools=(Pool("uniswap", "WETH", 1.0, 1.0, 61_000.0, 1.0),),
            ts_event=after,
            ts_known=after,
        )
        engine.take(MarketBatch(after, tokens=(drained,)))
        (blocked,) = [event for event in told if isinstance(event, GemBlocked)]
        line = line_of(blocked)
        assert line is not None
        assert (line.kind, line.text) == (
            EventKind.BLOCKED,
            "PLINTH blocked: liquidity -97% <= -30% in 24 h",
        )

    live(go, gems=GemScan(GemsConfig()), publish=told.append)


def test_one_gem_is_shown_with_all_that_it_stands_on(live: Live, batch: MarketBatch, look_us: int) -> None:
    asked: list[tuple[TokenId, int, int]] = []

    def prices(token: TokenId, now_us: int, count: int) -> list[tuple[int, float]]:
        asked.append((token, now_us, count))
        return [(300_000_000 * index, value) for index, value in enumerate((1.0, 3.0, 2.0), start=1)]

    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        found = detail(engine, Topic.GEM, "base:0xplinth")
        assert isinstance(found, GemDetail)
        assert (found.symbol, found.address, found.quote_symbol) == ("PLINTH", "0xplinth", "WETH")
        points = [row.points for row in found.contributions]
        assert points == sorted(points, reverse=True)
        assert sum(points) == pytest.approx(found.score)
        assert sum(row.weight for row in found.contributions) == pytest.approx(100)
        assert found.contributions[0].name == "accumulation"
        assert (found.safety, found.safety_score, found.deductions) == ("pass", 1, ())
        gates = {row.gate: (row.verdict, row.value, row.limit) for row in found.gates}
        assert len(gates) == 11
        assert gates["LP locked"] == ("pass", "94.1 %", ">= 50 %")
        assert gates["liquidity"] == ("pass", "2.41M", ">= 50k")
        assert gates["tax"] == ("pass", "buy 0 / sell 0 %", "<= 10 %")
        assert found.pools == ("aerodrome 1.71M", "uniswap 700k")
        assert [row.name for row in found.holders] == [
            "0xpool",
            "0xteam",
            "0x19c2ae07",
            "0xaa",
            "top 10 together",
        ]
        assert found.holders[0].note == "pool"
        assert (found.holders[-1].share_pct, found.holders[-1].note) == (pytest.approx(18.5), "1 left out")
        assert (found.flagged_us, found.since_flag_ratio) == (look_us, 0)
        assert found.missing == ()
        assert found.chart is not None
        assert found.chart.ts == (300_000_000, 600_000_000)
        assert (found.chart.open, found.chart.close) == ((1.0, 3.0), (3.0, 2.0))
        assert (found.chart.high, found.chart.low) == ((3.0, 3.0), (1.0, 2.0))
        assert asked == [("base:0xplinth", engine.parts.clock.now_us(), 289)]

    live(go, gems=GemScan(GemsConfig()), token_prices=prices)


def test_what_is_missing_is_listed_with_its_reason_and_what_would_tell(
    live: Live, batch: MarketBatch
) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        found = detail(engine, Topic.GEM, "base:0xseen")
        assert isinstance(found, GemDetail)
        assert "holder_growth_7d_pct: missing" in found.missing
        community = next(row for row in found.contributions if row.name == "community")
        assert (community.score, community.points) == (None, 0)
        assert community.missing == "needs holders of 7 days, members, commits (missing)"
        assert found.score_max - found.score >= 8
        unproved = detail(engine, Topic.GEM, "base:0xtamark")
        assert isinstance(unproved, GemDetail)
        assert unproved.safety == "unkn"
        assert {row.verdict for row in unproved.gates if row.gate == "honeypot"} == {"unknown"}
        caution = detail(engine, Topic.GEM, "base:0xpewtr")
        assert isinstance(caution, GemDetail)
        assert (caution.safety, caution.deductions) == ("caution", ("source not verified -0.60",))
        assert found.chart is None

    live(go, gems=GemScan(GemsConfig()))


def test_hostile_names_of_a_token_and_its_pools_come_out_harmless(
    live: Live, make_token: Make, look_us: int
) -> None:
    evil = "\x1b]52;c;cm0K\x07[@click=app.halt()]" + "Z" * 10_000
    token = make_token(
        id=TokenId(f"base:{evil}"),
        symbol=evil,
        name=evil,
        pools=(Pool(evil, evil, 1.0, 1.0, 1e6, 1e6),),
        top_holders=(Holder(evil, 3.0),),
    )

    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(MarketBatch(look_us, tokens=(token,)))
        found = detail(engine, Topic.GEM, token.id)
        assert isinstance(found, GemDetail)
        texts = (
            *(found.symbol, found.name, found.chain, found.address, found.quote_symbol),
            *found.pools,
            *(row.name for row in found.holders),
        )
        assert all(text.isprintable() and len(text) <= 80 for text in texts)

    live(go, gems=GemScan(GemsConfig()))


def test_the_records_of_a_gem_are_all_features(live: Live, batch: MarketBatch) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        engine.take(batch)
        scan = engine.parts.gems
        assert scan is not None
        assert {len(gem.reading.features()) for gem in scan.ranked()} == {len(TOKEN_CATALOGUE)}

    live(go, gems=GemScan(GemsConfig()))
