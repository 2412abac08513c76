"""Sentiment features of tokens (SPEC 1.4.5), as far as posts and a snapshot tell."""

import math
from functools import lru_cache

from engine.features.registry import AssetClass, Category
from engine.features.token_look import US_PER_DAY, Clock, Look, token_feature
from engine.model.candidates import MissingReason

_SENTIMENT = Category.SENTIMENT
_BOTH = AssetClass.BOTH
MENTION_DAYS = 7


@token_feature(
    _SENTIMENT,
    "score",
    3600,
    minimum=-1,
    maximum=1,
    nullable=True,
    clock=Clock.SOCIAL,
    asset_class=_BOTH,
)
def twitter_sentiment_24h(look: Look) -> float | MissingReason:
    """How the posts of 24 hours sound, each weighted by ln(1 + likes + reposts)."""
    if look.posts is None or look.posts.sentiment is None:
        return MissingReason.MISSING
    return look.posts.sentiment


@token_feature(_SENTIMENT, "count", 3600, minimum=0, nullable=True, clock=Clock.SOCIAL, asset_class=_BOTH)
def twitter_volume_24h(look: Look) -> float | MissingReason:
    """Posts in 24 hours; missing only without a feed of posts."""
    return MissingReason.MISSING if look.posts is None else float(look.posts.count)


@token_feature(
    _SENTIMENT,
    "score",
    3600,
    minimum=0,
    maximum=1,
    nullable=True,
    clock=Clock.SOCIAL,
    asset_class=_BOTH,
    depends_on=("twitter_sentiment_24h",),
)
def sentiment_composite(look: Look) -> float | MissingReason:
    """(0.45 posts + 0.15 forum + 0.40 news + 1) / 2 over what is known: of tokens, posts alone so far."""
    score = look.values.get("twitter_sentiment_24h")
    return look.why("twitter_sentiment_24h") if score is None else (score + 1) / 2


@token_feature(_SENTIMENT, "z", 3600, nullable=True, asset_class=_BOTH)
def mention_z_7d(look: Look) -> float | MissingReason:
    """(mentions of 24 hours - mean of the 7 days before) / max(their sample deviation, 1)."""
    now, days = look.snapshot.mentions_24h, look.snapshot.mentions_daily_7d
    if now is None:
        return MissingReason.MISSING
    if len(days) < MENTION_DAYS:
        return look.since((MENTION_DAYS + 1) * US_PER_DAY)
    mean, deviation = _usual(days)
    return (now - mean) / max(deviation, 1.0)


@lru_cache(maxsize=1024)
def _usual(days: tuple[int, ...]) -> tuple[float, float]:
    """Mean and sample deviation; the days are the same ones until midnight."""
    mean = sum(days) / len(days)
    return mean, math.sqrt(sum((day - mean) ** 2 for day in days) / (len(days) - 1))


@token_feature(
    _SENTIMENT,
    "score",
    3600,
    minimum=0,
    maximum=1,
    nullable=True,
    clock=Clock.SOCIAL,
    depends_on=("mention_z_7d", "sentiment_composite"),
)
def narrative_momentum(look: Look) -> float | MissingReason:
    """0.6 * clip((mention_z_7d + 1) / 4, 0, 1) + 0.4 * sentiment_composite."""
    surge, tone = look.values.get("mention_z_7d"), look.values.get("sentiment_composite")
    if surge is None or tone is None:
        return look.why("mention_z_7d", "sentiment_composite")
    return 0.6 * min(max((surge + 1) / 4, 0.0), 1.0) + 0.4 * tone


@token_feature(_SENTIMENT, "count", 86_400, minimum=0, nullable=True, standing=True)
def community_members(look: Look) -> float | MissingReason:
    """Members of its public groups."""
    members = look.snapshot.community_members
    return MissingReason.MISSING if members is None else float(members)


@token_feature(_SENTIMENT, "count", 86_400, minimum=0, nullable=True, standing=True)
def dev_commits_30d(look: Look) -> float | MissingReason:
    """Commits to its repositories in 30 days."""
    commits = look.snapshot.dev_commits_30d
    return MissingReason.MISSING if commits is None else float(commits)
