"""Features of the headlines about one instrument (SPEC 1.4.5): not columns of rows, so declared beside them.

Pure functions of (headlines, instant): what was not known by then, and what is older than a day, is not seen.
A title that others repeat is scored and counted once, at the time it was first told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from types import MappingProxyType

from engine.features.lexicon import score
from engine.features.registry import AssetClass, Category, Dtype, FeatureRecord, transform_of
from engine.features.severe import severe_term
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.market import FeedState, Headline
from engine.money import EPSILON

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
HALF_LIFE_US = 12 * HOUR_US
SAME_TITLE_BITS = 3
"""Two titles whose SimHashes differ in no more bits are one."""
NEGATIVE_BELOW = -0.2
"""A mean score below it is negative news (SPEC 3.4, the note of the NewsSentry)."""
SOURCE_WEIGHTS: Mapping[str, float] = MappingProxyType({"edgar": 2.0})
"""What the score of a headline weighs, by source in lower case; 1 for all others."""
SOURCE_NEWS = "headlines"
_HASH_BITS = 64


Compute = Callable[[Sequence[Headline], int], float | None]


@dataclass(frozen=True, slots=True)
class NewsFeature(FeatureRecord):
    """The registry record of a feature that is read off headlines; `None` from `compute`: no news."""

    compute: Compute


def known(headlines: Iterable[Headline], now_us: int, window_us: int = DAY_US) -> list[Headline]:
    """Those known by `now_us` and less than `window_us` old, oldest first.

    A stamp from the future counts as now: it must not hide bad news.
    """
    seen = [item for item in headlines if item.ts_known <= now_us and item.ts_event > now_us - window_us]
    return sorted(seen, key=lambda item: (item.ts_event, item.ts_known, item.title))


def distinct(headlines: Iterable[Headline]) -> list[Headline]:
    """In their order, without those whose title was there before or nearly so."""
    kept: list[tuple[int, Headline]] = []
    for item in headlines:
        mark = simhash(item.title)
        if all((mark ^ other).bit_count() > SAME_TITLE_BITS for other, _ in kept):
            kept.append((mark, item))
    return [item for _, item in kept]


def news_sentiment_24h(headlines: Sequence[Headline], now_us: int) -> float | None:
    """Mean score of the titles, weighted by source and 0.5 ** (age / 12 h), -1..1; None without any."""
    total = weights = 0.0
    for item in distinct(known(headlines, now_us)):
        weight = SOURCE_WEIGHTS.get(item.source.lower(), 1.0)
        weight *= 0.5 ** (max(0, now_us - item.ts_event) / HALF_LIFE_US)
        total += weight * score(item.title)
        weights += weight
    return total / weights if weights else None


def news_volume_24h(headlines: Sequence[Headline], now_us: int) -> float:
    """Distinct titles."""
    return float(len(distinct(known(headlines, now_us))))


def news_severity_24h(headlines: Sequence[Headline], now_us: int) -> float:
    """2 a severe term stands in any title, repeated or not; 1 the mean score is negative; 0 else."""
    if any(severe_term(item.title) for item in known(headlines, now_us)):
        return 2.0
    mean = news_sentiment_24h(headlines, now_us)
    return 1.0 if mean is not None and mean < NEGATIVE_BELOW - EPSILON else 0.0


def _record(
    compute: Compute, unit: str, minimum: float, maximum: float | None, max_age_s: int, nullable: bool = False
) -> NewsFeature:
    dtype = {"count": Dtype.INT, "category": Dtype.CATEGORY}.get(unit, Dtype.FLOAT)
    return NewsFeature(
        id=getattr(compute, "__name__", ""),
        category=Category.SENTIMENT,
        dtype=dtype,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        minimum_excluded=False,
        nullable=nullable,
        max_age_s=max_age_s,
        asset_class=AssetClass.BOTH,
        sources=(SOURCE_NEWS,),
        depends_on=(),
        version="1.0.0",
        transform=transform_of(dtype, unit, minimum, maximum),
        compute=compute,
    )


NEWS: Mapping[str, NewsFeature] = MappingProxyType(
    {
        record.id: record
        for record in (
            _record(news_sentiment_24h, "score", -1, 1, 3_600, nullable=True),
            _record(news_volume_24h, "count", 0, None, 3_600),
            _record(news_severity_24h, "category", 0, 2, 900),
        )
    }
)


def news_features(headlines: Sequence[Headline], now_us: int) -> tuple[FeatureValue, ...]:
    """All of `NEWS` as a decision at `now_us` sees them; their source is known to speak."""
    seen = known(headlines, now_us)
    ts_event = max((min(item.ts_event, now_us) for item in seen), default=now_us)
    ts_known = max((item.ts_known for item in seen), default=now_us)
    found = []
    for spec in NEWS.values():
        value = spec.compute(seen, now_us)
        missing = MissingReason.MISSING if value is None else None
        found.append(FeatureValue(spec.id, value, missing, ts_event, ts_known, SOURCE_NEWS, spec.version))
    return tuple(found)


def why_mute(feeds: Iterable[FeedState], name: str, now_us: int) -> str:
    """Why the feed `name` cannot be relied on now, in words; "" when it can, and for the name ""."""
    if not name:
        return ""
    feed = next((feed for feed in feeds if feed.name == name), None)
    if feed is None or feed.last_us is None:
        return f"{name} told nothing yet"
    silent_us = now_us - feed.last_us
    if silent_us <= feed.max_age_us:
        return ""
    return f"{name} silent {silent_us // 1_000_000} s, limit {feed.max_age_us // 1_000_000} s"


@lru_cache(maxsize=4_096)
def simhash(title: str) -> int:
    """64 bits of which few differ between titles that share most words and word pairs (Charikar 2002)."""
    words = "".join(char if char.isalnum() else " " for char in title.lower()).split()
    shingles = words + [f"{one} {two}" for one, two in pairwise(words)]
    balance = [0] * _HASH_BITS
    for shingle in shingles:
        digest = int.from_bytes(blake2b(shingle.encode(), digest_size=_HASH_BITS // 8).digest(), "big")
        for bit in range(_HASH_BITS):
            balance[bit] += 1 if digest >> bit & 1 else -1
    return sum(1 << bit for bit in range(_HASH_BITS) if balance[bit] > 0)
