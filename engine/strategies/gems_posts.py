"""What was posted about each token in the last 24 hours: counted, and how it sounds (SPEC 1.4.5)."""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.features.token_look import FUTURE_US, US_PER_DAY, PostsSeen
from engine.model.market import Provenance, least_trusted
from engine.model.tokens import Post, TokenId

MAX_POSTS = 1_000
"""Kept of one token; of a louder one the newest."""
MAX_TOKENS = 5_000
"""Talked about within 24 hours; posts about more are left out."""


@dataclass(slots=True)
class _Talk:
    """Posts about one token as (ts_event, weight, score), in the order they came."""

    posts: deque[tuple[int, float, float]] = field(default_factory=lambda: deque(maxlen=MAX_POSTS))
    mean: float | None = None
    is_summed: bool = False


class PostBook:
    """Takes posts in and tells what is heard of a token. `tone`: text -> -1 (bad) .. 1 (good)."""

    def __init__(self, tone: Callable[[str], float]) -> None:
        self._tone = tone
        self._talks: dict[TokenId, _Talk] = {}
        self._heard_us = self._known_us = 0
        self._provenance = Provenance.LIVE
        self.left_out = 0
        """Posts of the future, too old ones, and those about more tokens than are followed."""

    def take(self, posts: Iterable[Post], now_us: int) -> set[TokenId]:
        """Hear posts; the tokens they speak of."""
        touched = set()
        for post in posts:
            is_out = not now_us - US_PER_DAY <= post.ts_event <= now_us + FUTURE_US
            talk = self._talks.get(post.token)
            if is_out or post.ts_known > now_us or (talk is None and len(self._talks) >= MAX_TOKENS):
                self.left_out += 1
                continue
            if talk is None:
                talk = self._talks[post.token] = _Talk()
            weight = math.log1p(max(post.likes, 0) + max(post.reposts, 0))
            talk.posts.append((post.ts_event, weight, self._tone(post.text) if weight else 0.0))
            talk.is_summed = False
            touched.add(post.token)
            self._heard_us = max(self._heard_us, post.ts_event)
            self._known_us = max(self._known_us, post.ts_known)
            self._provenance = least_trusted(self._provenance, post.provenance)
        return touched

    def seen(self, token: TokenId, now_us: int) -> PostsSeen | None:
        """Of the 24 hours before `now_us`; None while the feed never spoke of any token."""
        if not self._heard_us:
            return None
        talk = self._talks.get(token)
        count, mean = (0, None) if talk is None else _summed(talk, now_us - US_PER_DAY)
        return PostsSeen(count, mean, self._heard_us, self._known_us, self._provenance)

    def forget(self, now_us: int) -> None:
        """Let go of tokens that nobody spoke of for 24 hours."""
        for token, talk in list(self._talks.items()):
            _trim(talk, now_us - US_PER_DAY)
            if not talk.posts:
                del self._talks[token]


def _summed(talk: _Talk, since_us: int) -> tuple[int, float | None]:
    _trim(talk, since_us)
    posts = talk.posts
    if not talk.is_summed:
        weights = math.fsum([weight for _, weight, _ in posts])
        talk.mean = math.fsum([weight * score for _, weight, score in posts]) / weights if weights else None
        talk.is_summed = True
    return len(posts), talk.mean


def _trim(talk: _Talk, since_us: int) -> None:
    """Let go of the posts that came before any of the last 24 hours."""
    posts = talk.posts
    while posts and posts[0][0] < since_us:
        posts.popleft()
        talk.is_summed = False
