"""`[reliability]`, and what is expected of each kind of service (SPEC 10.1-10.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from engine.reliability.breaker import BreakerConfig
from engine.reliability.cache import TtlConfig
from engine.reliability.retry import RetryConfig
from engine.reliability.sla import SlaConfig


class ServiceKind(StrEnum):
    """What a service is; the values name its line of `[reliability]`."""

    DEFAULT = "default"
    BROKER = "broker"
    CEX = "cex"
    DEX = "dex"
    TWITTER = "twitter"


class CacheKind(StrEnum):
    """What a cache holds; the values name its line of `[reliability]`."""

    BOOKS = "books"
    DEX = "dex"
    TWITTER = "twitter"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class ReliabilityConfig:
    """`[reliability]` (SPEC 10.1, 10.2). Caches: default, least and greatest time to live in seconds."""

    default: BreakerConfig = field(default_factory=lambda: BreakerConfig(5, 60, 2))
    broker: BreakerConfig = field(default_factory=lambda: BreakerConfig(3, 30, 2))
    cex: BreakerConfig = field(default_factory=lambda: BreakerConfig(5, 30, 2))
    dex: BreakerConfig = field(default_factory=lambda: BreakerConfig(10, 60, 3))
    twitter: BreakerConfig = field(default_factory=lambda: BreakerConfig(3, 120, 1))
    cache_books: tuple[float, float, float] = (5, 2, 15)
    cache_dex: tuple[float, float, float] = (30, 10, 120)
    cache_twitter: tuple[float, float, float] = (300, 60, 900)
    cache_market: tuple[float, float, float] = (60, 30, 300)

    def breaker(self, kind: ServiceKind) -> BreakerConfig:
        """When calls to a kind of service are kept away."""
        return {
            ServiceKind.DEFAULT: self.default,
            ServiceKind.BROKER: self.broker,
            ServiceKind.CEX: self.cex,
            ServiceKind.DEX: self.dex,
            ServiceKind.TWITTER: self.twitter,
        }[kind]

    def ttl(self, kind: CacheKind) -> TtlConfig:
        """How long an answer of a kind stays true."""
        times = {
            CacheKind.BOOKS: self.cache_books,
            CacheKind.DEX: self.cache_dex,
            CacheKind.TWITTER: self.cache_twitter,
            CacheKind.MARKET: self.cache_market,
        }[kind]
        return TtlConfig(*times)


RETRIES: Mapping[ServiceKind, RetryConfig] = MappingProxyType(
    {
        ServiceKind.DEFAULT: RetryConfig(0.5, 10, 3),
        ServiceKind.BROKER: RetryConfig(0.5, 10, 3),
        ServiceKind.CEX: RetryConfig(0.5, 10, 3),
        ServiceKind.DEX: RetryConfig(1, 30, 4),
        ServiceKind.TWITTER: RetryConfig(2, 60, 3),
    }
)
"""SPEC 10.5, which names the last three; all others are asked like an exchange."""

SLAS: Mapping[ServiceKind, SlaConfig] = MappingProxyType(
    {
        ServiceKind.DEFAULT: SlaConfig(3_000, 5_000, 0.90, 5),
        ServiceKind.BROKER: SlaConfig(2_000, 5_000, 0.99, 2),
        ServiceKind.CEX: SlaConfig(1_000, 2_000, 0.95, 3),
        ServiceKind.DEX: SlaConfig(3_000, 5_000, 0.90, 5),
        ServiceKind.TWITTER: SlaConfig(5_000, 10_000, 0.85, 3),
    }
)
"""SPEC 10.3, which has no line for other services: of them is expected what is of a DEX."""
