"""`[sources]`: which outside services are asked, and how. Keys are never here (RELIABILITY 9)."""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_FEEDS = 20
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(?:/[!-~]*)?")


class Feed(StrEnum):
    """Where Alpaca's live prices come from: one exchange (free), all of them, or all of them a while ago."""

    IEX = "iex"
    SIP = "sip"
    DELAYED_SIP = "delayed_sip"


@dataclass(frozen=True, slots=True)
class SourcesConfig:
    """`[sources]`. `rss`: https addresses of news feeds; `{symbol}` in one is filled for each candidate."""

    alpaca_feed: Feed = Feed.IEX
    rss: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rss) > MAX_FEEDS:
            raise ValueError(f"sources.rss names {len(self.rss)} feeds, limit {MAX_FEEDS}")
        for address in self.rss:
            if not _HTTPS.fullmatch(address):
                raise ValueError(f"sources.rss holds {address!r}, which is no https:// address")
