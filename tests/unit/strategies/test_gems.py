"""The token scan: what is scored when, the board, the queue, what a person hears of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.features.token_look import US_PER_DAY, US_PER_HOUR
from engine.model.events import GemBlocked, GemFlagged, GemUnflagged
from engine.model.market import Provenance
from engine.model.tokens import ContractFacts, Holder, Pool, Post, TokenId, TokenSnapshot
from engine.strategies import gems
from engine.strategies.gems import Gem, GemScan
from engine.strategies.gems_config import GemsConfig
from engine.strategies.gems_posts import MAX_POSTS, PostBook

Make = Callable[..., TokenSnapshot]
MINUTE_US = 60_000_000
RUG = {"lp_holders": (Holder("0xlock", 22.0, is_locked=True),)}
DULL = {"buys_h24": 1400, "sells_h24": 2100, "transfers_24h": 60, "buyers_h24": 20, "sellers_h24": 30}


class Market:
    """Looks at tokens minute by minute."""

    def __init__(self, make: Make, facts: ContractFacts, now_us: int) -> None:
        self.make, self.facts, self.now_us = make, facts, now_us

    def look(self, minutes: float = 0, **changes: Any) -> TokenSnapshot:
        self.now_us += round(minutes * MINUTE_US)
        times = {"ts_event": self.now_us, "ts_known": self.now_us}
        return self.make(**{"contract": replace(self.facts, **times), **times, **changes})

    def post(self, text: str, token: TokenId, likes: int = 20) -> Post:
        return Post(token, text, likes, 2, self.now_us, self.now_us, Provenance.SYNTHETIC)


@pytest.fixture
def market(make_token: Make, clean_facts: ContractFacts, look_us: int) -> Market:
    return Market(make_token, clean_facts, look_us)


@pytest.fixture
def scan() -> GemScan:
    return GemScan(GemsConfig())


def one(scan: GemScan) -> Gem:
    (gem,) = scan.ranked()
    return gem


def test_a_good_token_is_flagged_once(scan: GemScan, market: Market) -> None:
    token = market.look()
    praise = market.post("to the moon, diamond hands", token.id)
    (event,) = scan.take([token], [praise], market.now_us)
    assert isinstance(event, GemFlagged)
    assert (event.symbol, event.ts) == ("PLINTH", market.now_us)
    gem = one(scan)
    assert event.score == gem.score.score > 70
    assert (event.signals, event.confidence) == (gem.judgement.signals, gem.confidence.value)
    assert scan.take([market.look(1)], (), market.now_us) == ()
    assert gem.flag.price_usd == token.price_usd


def test_the_same_look_is_scored_once(scan: GemScan, market: Market) -> None:
    token = market.look()
    scan.take([token], (), market.now_us)
    version, gem = scan.version, one(scan)
    assert scan.take([token], (), market.now_us) == ()
    assert (scan.version, one(scan), scan.refused) == (version, gem, 1)


def test_a_look_and_a_post_of_one_instant_are_scored_once(scan: GemScan, market: Market) -> None:
    scan.take([market.look()], (), market.now_us)
    version = scan.version
    token = market.look(1)
    scan.take([token], [market.post("to the moon", token.id)], market.now_us)
    assert scan.version == version + 1
    assert one(scan).reading.values["twitter_volume_24h"] == 1


def test_nothing_new_costs_nothing(scan: GemScan, market: Market) -> None:
    scan.take([market.look()], (), market.now_us)
    version, gem = scan.version, one(scan)
    for second in range(1, 300):
        assert scan.take((), (), market.now_us + second * 1_000_000) == ()
    assert (scan.version, one(scan)) == (version, gem)


def test_an_older_look_and_one_not_known_yet_change_nothing(scan: GemScan, market: Market) -> None:
    scan.take([market.look()], (), market.now_us)
    old = market.look(0, ts_event=market.now_us - 1, price_usd=9.0)
    ahead = market.look(0, ts_event=market.now_us + 1, ts_known=market.now_us + 1, price_usd=9.0)
    far = market.look(0, ts_event=market.now_us + 3_000_000, price_usd=9.0)
    scan.take([old, ahead, far], (), market.now_us)
    assert one(scan).snapshot.price_usd != 9.0
    assert scan.refused == 3


def test_a_post_scores_its_token_again(scan: GemScan, market: Market) -> None:
    token = market.look()
    scan.take([token], (), market.now_us)
    assert one(scan).score.missing == ("s_sentiment", "s_narrative")
    scan.take((), [market.post("a scam, rug pull", token.id)], market.now_us + 1)
    gem = one(scan)
    assert gem.score.missing == ()
    assert gem.reading.values["twitter_sentiment_24h"] < -0.3
    other = market.post("to the moon", TokenId("base:0xother"))
    scan.take((), [replace(other, ts_event=market.now_us + 2)], market.now_us + 2)
    assert one(scan) is gem


def test_a_post_about_a_token_of_an_older_look_ends_no_flag(scan: GemScan, market: Market) -> None:
    token = market.look(1)
    praise = [market.post("to the moon", token.id)]
    scan.take([token], praise, market.now_us)
    gem = scan.get(token.id)
    assert gem is not None
    assert gem.is_flagged
    later = market.now_us + 61_000_000
    assert scan.take((), [market.post("to the moon", token.id)], later) == ()
    assert scan.get(token.id) is gem, "its next look will hear the post"
    assert scan.take((), [market.post("to the moon", token.id)], market.now_us + 60_000_000) == ()
    assert scan.get(token.id) is not gem


def test_the_board_is_ranked_flagged_first_then_score_then_confidence(scan: GemScan, market: Market) -> None:
    names = {"good": {}, "dull": DULL, "rug": RUG, "young": {"created_us": market.now_us - 60_000_000}}
    tokens = [market.look(0, id=TokenId(f"base:{name}"), **changes) for name, changes in names.items()]
    posts = [market.post("to the moon", token.id) for token in tokens]
    scan.take(tokens, posts, market.now_us)
    ranked = scan.ranked()
    assert ranked[0].id == "base:good"
    assert ranked[0].is_flagged
    rest = [(-gem.score.score, -gem.confidence.value) for gem in ranked[1:]]
    assert rest == sorted(rest)
    assert scan.get(TokenId("base:nobody")) is None
    assert scan.scanned == 4


def test_what_a_gate_blocked_a_moment_ago_stays_under_the_flagged_for_an_hour(
    scan: GemScan, market: Market
) -> None:
    good, rugged, better = (TokenId(f"base:{name}") for name in ("good", "rugged", "better"))
    looks = [market.look(id=good), market.look(id=rugged)]
    scan.take(looks, [market.post("to the moon", token) for token in (good, rugged)], market.now_us)
    looks = [market.look(1, id=better, **RUG), market.look(id=rugged, **RUG, **DULL)]
    scan.take(looks, [market.post("to the moon", better)], market.now_us)
    assert [gem.id for gem in scan.ranked()] == [good, rugged, better]
    late = [market.look(60, id=id, **RUG, **DULL) for id in (rugged,)]
    scan.take([*late, market.look(id=better, **RUG)], [market.post("to the moon", better)], market.now_us)
    assert [gem.id for gem in scan.ranked()][-1] == rugged


def test_a_flagged_token_that_is_rugged_is_told_as_blocked(scan: GemScan, market: Market) -> None:
    token = market.look()
    scan.take([token], [market.post("to the moon", token.id)], market.now_us)
    (event,) = scan.take([market.look(1, **RUG)], (), market.now_us)
    assert event == GemBlocked(token.id, "PLINTH", "rug_lp", "LP 22% < 50%", True, market.now_us)
    assert not one(scan).is_flagged
    assert scan.take([market.look(1)], (), market.now_us) == (), "only after the score fell below 65"
    scan.take([market.look(1, **DULL)], (), market.now_us)
    (event,) = scan.take([market.look(1)], (), market.now_us)
    assert isinstance(event, GemFlagged)


def test_a_flag_is_lost_when_the_score_falls(scan: GemScan, market: Market) -> None:
    token = market.look()
    scan.take([token], [market.post("to the moon", token.id)], market.now_us)
    (event,) = scan.take([market.look(1, **DULL)], (), market.now_us)
    assert isinstance(event, GemUnflagged)
    assert event.reason.startswith("score ")
    assert event.reason.endswith(" < 65")
    assert event.score == one(scan).score.score < 65


def test_a_token_that_was_fine_and_blocks_is_told_once_an_hour(scan: GemScan, market: Market) -> None:
    scan.take([market.look(0, **DULL)], (), market.now_us)
    told = []
    for minute in range(1, 130):
        change = {**DULL, **(RUG if minute % 2 else {})}
        told += scan.take([market.look(1, **change)], (), market.now_us)
    assert [type(event) for event in told] == [GemBlocked] * 3
    assert not told[0].was_flagged
    assert told[1].ts - told[0].ts >= US_PER_HOUR


def test_a_new_token_that_blocks_and_an_unproved_one_are_no_news(scan: GemScan, market: Market) -> None:
    assert scan.take([market.look(0, **RUG)], (), market.now_us) == ()
    scan.take([market.look(1, **DULL)], (), market.now_us)
    assert scan.take([market.look(1, contract=None, **DULL)], (), market.now_us) == ()
    assert one(scan).safety.is_unproved


def test_a_token_that_nobody_looks_at_goes_stale_and_loses_its_flag(scan: GemScan, market: Market) -> None:
    token = market.look()
    scan.take([token], [market.post("to the moon", token.id)], market.now_us)
    seen = market.now_us
    assert scan.take((), (), seen + 299_999_999) == ()
    assert one(scan).is_flagged
    (event,) = scan.take((), (), seen + 300_000_000)
    assert isinstance(event, GemBlocked)
    assert (event.gate, event.was_flagged) == ("liquidity_floor", True)
    assert one(scan).safety.is_unproved
    assert one(scan).scored_us == seen + 300_000_000


def test_a_flag_expires_after_six_hours_of_looks(scan: GemScan, market: Market) -> None:
    token = market.look()
    scan.take([token], [market.post("to the moon", token.id)], market.now_us)
    events: list[Any] = []
    for _ in range(361):
        posts = [market.post("to the moon", token.id)]
        events += scan.take([market.look(1)], posts, market.now_us)
    (event,) = events
    assert isinstance(event, GemUnflagged)
    assert event.reason == "nobody decided in 6 h"


def test_the_change_of_six_hours_needs_six_hours(scan: GemScan, market: Market) -> None:
    scan.take([market.look(0, **DULL)], (), market.now_us)
    low = one(scan).score.score
    for _ in range(72):
        scan.take([market.look(5)], (), market.now_us)
        if market.now_us - 6 * US_PER_HOUR < 1_700_000_000_000_000:
            assert one(scan).change_6h is None
    gem = one(scan)
    assert gem.change_6h == pytest.approx(gem.score.score - low)
    scan.take([market.look(5)], (), market.now_us)
    assert one(scan).change_6h == pytest.approx(0, abs=1)
    assert len(scan._history[gem.id]) <= 75


def test_a_token_that_is_gone_is_forgotten_after_a_day(scan: GemScan, market: Market) -> None:
    scan.take([market.look(0, **DULL)], (), market.now_us)
    scan.take((), (), market.now_us + US_PER_DAY)
    assert scan.scanned == 1
    version = scan.version
    scan.take((), (), market.now_us + US_PER_DAY + 300_000_000)
    assert (scan.ranked(), scan.scanned) == ((), 0)
    assert scan.version > version


def test_more_tokens_than_fit_are_refused(
    scan: GemScan, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gems, "MAX_TOKENS", 3)
    tokens = [market.look(0, id=TokenId(f"base:{index}")) for index in range(5)]
    scan.take(tokens, (), market.now_us)
    assert (scan.scanned, scan.refused) == (3, 2)


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("PEPE[/]", "PEPE[/]"),
        ("[@click=app.halt()]x", "[@click=app.halt()]x"),
        ("\x1b]52;c;cm0gLXJm\x07EVIL", "EVIL"),
        ("A\u202eB", "AB"),
        ("X" * 10_000, "X" * 24),
        ("\x1b[2J", "0x7a3e41c9"),
        ("", "0x7a3e41c9"),
    ],
)
def test_what_a_token_calls_itself_is_made_safe_at_the_door(
    scan: GemScan, market: Market, symbol: str, shown: str
) -> None:
    events = scan.take([market.look(0, symbol=symbol, name=f"{symbol}\nname")], (), market.now_us)
    gem = one(scan)
    assert gem.snapshot.symbol == shown
    assert gem.snapshot.name.isprintable()
    assert len(gem.snapshot.name) <= 80
    assert all(event.symbol == shown for event in events)


def test_the_provenance_of_posts_counts_too(scan: GemScan, market: Market) -> None:
    token = market.look(0, provenance=Provenance.LIVE)
    scan.take([token], (), market.now_us)
    assert one(scan).reading.provenance is Provenance.LIVE
    scan.take((), [market.post("hello there friend", token.id)], market.now_us)
    assert one(scan).reading.provenance is Provenance.SYNTHETIC


def test_other_limits_make_other_flags(market: Market) -> None:
    strict = GemScan(GemsConfig(flag_score=99.0))
    token = market.look()
    assert strict.take([token], [market.post("to the moon", token.id)], market.now_us) == ()
    assert one(strict).judgement.obstacle == "score < 99"


def test_a_larger_pool_is_a_better_one(scan: GemScan, market: Market) -> None:
    def pools(usd: float) -> tuple[Pool, ...]:
        return (Pool("uniswap", "WETH", 1.0, 1.0, usd, 1.0),)

    scores = []
    for usd in (60e3, 600e3, 6e6):
        scan.take([market.look(1, pools=pools(usd), liquidity_24h_ago_usd=None)], (), market.now_us)
        scores.append(one(scan).score.score)
    assert scores == sorted(scores)


class Tones:
    """A tone for each text: its number."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, text: str) -> float:
        self.heard.append(text)
        return float(text)


def tell(
    book: PostBook, token: str, text: str, ts: int, likes: int = 1, now: int | None = None, reposts: int = 0
) -> None:
    post = Post(TokenId(token), text, likes, reposts, ts, ts, Provenance.LIVE)
    book.take([post], ts if now is None else now)


def test_posts_are_weighed_by_what_others_made_of_them() -> None:
    book = PostBook(Tones())
    tell(book, "a", "1", 10, likes=60, reposts=39)
    tell(book, "a", "-1", 11, likes=9)
    tell(book, "a", "-1", 12, likes=0)
    seen = book.seen(TokenId("a"), 13)
    assert seen is not None
    assert (seen.count, seen.ts_event) == (3, 12)
    assert seen.sentiment == pytest.approx((2 - 1) / (2 + 1))


def test_posts_that_nobody_answered_have_no_tone_and_are_counted() -> None:
    tones = Tones()
    book = PostBook(tones)
    tell(book, "a", "1", 10, likes=0)
    seen = book.seen(TokenId("a"), 11)
    assert seen is not None
    assert (seen.count, seen.sentiment, tones.heard) == (1, None, [])


def test_a_feed_that_never_spoke_is_none_and_one_that_did_is_fresh_for_all() -> None:
    book = PostBook(Tones())
    assert book.seen(TokenId("a"), 5) is None
    tell(book, "a", "1", 10)
    other = book.seen(TokenId("b"), 11)
    assert other is not None
    assert (other.count, other.sentiment, other.ts_event) == (0, None, 10)


def test_posts_leave_after_a_day() -> None:
    book = PostBook(Tones())
    tell(book, "a", "1", 10)
    tell(book, "a", "-1", 20)
    whole = book.seen(TokenId("a"), 10 + US_PER_DAY)
    assert whole is not None
    assert whole.count == 2
    seen = book.seen(TokenId("a"), 11 + US_PER_DAY)
    assert seen is not None
    assert (seen.count, seen.sentiment) == (1, -1)
    book.forget(21 + US_PER_DAY)
    assert not book._talks


def test_posts_of_the_future_and_of_yesterday_are_left_out() -> None:
    book = PostBook(Tones())
    now = 3 * US_PER_DAY
    tell(book, "a", "1", now + 2_000_001, now=now)
    tell(book, "a", "1", now - US_PER_DAY - 1, now=now)
    assert book.seen(TokenId("a"), now) is None
    assert book.left_out == 2


def test_of_a_loud_token_the_newest_posts_are_kept() -> None:
    book = PostBook(Tones())
    for index in range(MAX_POSTS + 5):
        tell(book, "a", "-1" if index < 5 else "1", index + 1)
    seen = book.seen(TokenId("a"), 10_000)
    assert seen is not None
    assert (seen.count, seen.sentiment) == (MAX_POSTS, 1)
