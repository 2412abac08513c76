"""What people and bots post about the tokens of the demo market."""

from random import Random

from engine.model.market import Provenance
from engine.model.tokens import Post
from engine.sources.demo.draws import between, happens, one_of
from engine.sources.demo.pools import MICRO
from engine.sources.demo.tokenstate import MENTIONS, LiveToken

MENTIONS_A_POST = 8
"""The feed shows one of so many mentions."""
LONGEST = 280
"""Characters; the feed cuts what is longer."""
_FIRST_DAY_POSTS = 14

_PRAISE = (
    "${} looks bullish, volume keeps building",
    "Adding more ${} here, great team and steady progress",
    "${} breakout on the hourly, holders still growing",
    "Liquidity locked and contract audited, ${} is doing it right",
    "Love how calm ${} stayed in the dip, strong hands",
    "${} shipped the new release today, impressive work",
    "Hidden gem: ${}. Good liquidity, real users",
    "Happy with my ${} bag, the community is the best",
)
_WARNING = (
    "Careful with ${}, top wallets are dumping",
    "${} chart looks terrible, sold everything",
    "Not a fan of ${}, the team is silent and holders lose",
    "${} is bleeding, bad entry for me",
    "Is ${} a scam? Cannot find who runs it",
    "Worst trade of my week: ${}",
)
_RUGGED = (
    "${} rugged, liquidity pulled in one block",
    "Rug pull on ${}. Everything drained, stay away",
    "Cannot sell my ${} any more, honeypot",
    "${} exit scam, lost it all",
)
_PLAIN = (
    "What is the contract of ${}?",
    "${} pool moved to a new page",
    "Which exchange has ${} today?",
    "Watching ${} from the side for now",
    "${} holders call is on Thursday",
    "Where do I read about ${}?",
)
_BOTS = (
    "${} 100x soon!!! to the moon, do not miss it",
    "${} next moonshot, buy now, easy profit, best gem ever",
    "huge news for ${} today!!! bullish, ape in",
)


_HEAT = (70, 85, 120)
"""Percent of the usual mentions, by mood: falling, calm, rising."""


def mention(token: LiveToken, bits: int, minutes: int) -> int:
    """How often it is mentioned in some minutes, by bots too; `bits` are 10 random ones or more."""
    owed = token.part + token.mentions_micro * _HEAT[token.mood] * (bits & 1023) * minutes // 51_150
    if owed < MICRO and not token.bots_left:
        token.part = owed
        return 0
    mentions, token.part = divmod(owed, MICRO)
    if token.bots_left:
        posting = min(minutes, token.bots_left)
        token.bots_left -= posting
        mentions += posting * (2 + (bits & 7))
    token.counts[MENTIONS] += mentions
    token.changed = True
    return mentions


def post_about(token: LiveToken, rng: Random, ts_event: int, ts_known: int) -> Post:
    """One post, in the mood that its nature has, or its rug left."""
    draw = rng.getrandbits(64) % 1000
    if draw < token.positive:
        text = one_of(rng, _PRAISE)
    elif draw < token.positive + token.negative:
        text = one_of(rng, _RUGGED if token.died_us is not None else _WARNING)
    else:
        text = one_of(rng, _PLAIN)
    likes = between(rng, 0, 9) * (12 if happens(rng, 60) else 1)
    return _post(token, text, likes, likes // 4, ts_event, ts_known)


def bot_post(token: LiveToken, rng: Random, ts_event: int, ts_known: int) -> Post:
    """One post of a swarm: the same few texts, liked by hardly anyone."""
    return _post(token, one_of(rng, _BOTS), between(rng, 0, 1), 0, ts_event, ts_known)


def posts_of_minute(token: LiveToken, rng: Random, mentions: int, ts: int) -> list[Post]:
    """The posts that the feed shows of a minute with so many mentions, bots' among them."""
    posts = []
    if mentions and rng.getrandbits(64) % MENTIONS_A_POST < mentions:
        posts.append(post_about(token, rng, ts - between(rng, 1, 50) * 1_000_000, ts))
    if token.bots_left:
        posts.append(bot_post(token, rng, ts - between(rng, 1, 50) * 1_000_000, ts))
    return posts


def posts_before(token: LiveToken, rng: Random, mentions: int, since_us: int, ts: int) -> list[Post]:
    """What a first reading of the feed finds of the day before `ts`, but nothing from before `since_us`."""
    count = min(_FIRST_DAY_POSTS, -(-mentions // MENTIONS_A_POST))
    earliest = max(since_us, ts - 86_400_000_000)
    if earliest >= ts:
        return []
    return [post_about(token, rng, between(rng, earliest, ts), ts) for _ in range(count)]


def _post(token: LiveToken, text: str, likes: int, reposts: int, ts_event: int, ts_known: int) -> Post:
    words = text.format(token.symbol)[:LONGEST]
    return Post(token.id, words, likes, reposts, ts_event, ts_known, Provenance.SYNTHETIC)
