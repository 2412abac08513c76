"""The token scan: one writer of the ranked board of scored tokens and of the review queue (SPEC 2)."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite

from engine.features.lexicon import score as tone_of
from engine.features.token_catalogue import plan_of, read_again, read_token
from engine.features.token_look import FUTURE_US, US_PER_DAY, US_PER_HOUR, PostsSeen, TokenReading
from engine.model.events import GemBlocked, GemFlagged, GemUnflagged
from engine.model.text import clean
from engine.model.tokens import Post, TokenId, TokenSnapshot
from engine.scoring.confidence import INPUTS, Confidence, confidence_of
from engine.scoring.findings import Finding, GateVerdict
from engine.scoring.flags import FlagState, Judgement, judge_flag, move_flag
from engine.scoring.gemscore import GemScore, gem_score, sub_scores
from engine.scoring.safety import Safety, judge
from engine.strategies.gems_config import GemsConfig
from engine.strategies.gems_posts import PostBook

GemEvent = GemFlagged | GemUnflagged | GemBlocked

SCORE_MAX_AGE_US = 300_000_000
"""A score is good for so long without a new look; then it is made again of what went stale (SPEC 1.4.9)."""
LOOK_MAX_AGE_US = 60_000_000
"""A post waits for the next look when the last one is older: prices and pools of it would count as unknown,
and talk about a token would end its flag."""
HISTORY_US = 6 * US_PER_HOUR
HISTORY_STEP_US = 300_000_000
FORGET_US = US_PER_DAY
BLOCKED_STAYS_US = US_PER_HOUR
"""A token that a person was shown does not vanish down the board when a gate blocks it."""
TELL_AGAIN_US = US_PER_HOUR
"""A token at a gate's limit that goes to and fro is told as blocked once in this time."""
MAX_TOKENS = 5_000
SYMBOL_LENGTH, NAME_LENGTH, CHAIN_LENGTH = 24, 80, 16
SHOWN = ("price_change_24h_pct", "volume_24h_usd", "liquidity_pool_usd", "token_age_hours")
"""Features that a row of the board shows."""
_PLAN = plan_of((*INPUTS, *SHOWN))


@dataclass(frozen=True, slots=True, eq=False)
class Gem:
    """One scored token. `snapshot` carries cleaned texts. `change_6h` in points; None while it is younger."""

    snapshot: TokenSnapshot
    posts: PostsSeen | None
    scored: TokenReading
    """Of what the score and a row need."""
    score: GemScore
    safety: Safety
    confidence: Confidence
    judgement: Judgement
    flag: FlagState
    change_6h: float | None
    scored_us: int

    @property
    def id(self) -> TokenId:
        """What it is."""
        return self.snapshot.id

    @property
    def reading(self) -> TokenReading:
        """Every feature of the catalogue as it was when this was scored; made when it is asked for."""
        return read_token(self.snapshot, self.posts, self.scored_us)

    @property
    def is_flagged(self) -> bool:
        """Whether it waits in the review queue."""
        return self.flag.is_flagged


class GemScan:
    """Scores what changed and keeps the board. Whoever drives it publishes the events that `take` returns."""

    def __init__(self, config: GemsConfig, tone: Callable[[str], float] = tone_of) -> None:
        self._limits = config
        self._weights = config.weights.as_row()
        self._posts = PostBook(tone)
        self._gems: dict[TokenId, Gem] = {}
        self._history: dict[TokenId, deque[tuple[int, float]]] = {}
        self._told_us: dict[TokenId, int] = {}
        self._due_us = 0
        self._ranked: tuple[Gem, ...] | None = ()
        self.version = 0
        """Rises whenever the board changes."""
        self.last_scan_us: int | None = None
        self.refused = 0
        """Snapshots of the future, without a price, not newer than the last one, or of one token too many."""

    @property
    def limits(self) -> GemsConfig:
        """What it measures against."""
        return self._limits

    @property
    def scanned(self) -> int:
        """Tokens looked at within 24 hours."""
        return len(self._gems)

    def get(self, token: TokenId) -> Gem | None:
        """One token of the board."""
        return self._gems.get(token)

    def ranked(self) -> tuple[Gem, ...]:
        """Flagged ones, then provisional ones, then the rest; each by score, ties by confidence."""
        if self._ranked is None:
            self._ranked = tuple(sorted(self._gems.values(), key=_rank))
        return self._ranked

    def take(
        self, snapshots: Iterable[TokenSnapshot], posts: Iterable[Post], now_us: int
    ) -> tuple[GemEvent, ...]:
        """Look at tokens and hear posts that are known by `now_us`; what a person should hear of."""
        events: list[GemEvent] = []
        spoken_of = self._posts.take(posts, now_us)
        for snapshot in snapshots:
            self.last_scan_us = now_us
            if self._accepts(snapshot, now_us):
                self._score(_cleaned(snapshot), now_us, events)
                spoken_of.discard(snapshot.id)
        for token in sorted(spoken_of & self._gems.keys()):
            last = self._gems[token].snapshot
            if now_us - last.ts_event <= LOOK_MAX_AGE_US:
                self._score(last, now_us, events)
        if now_us >= self._due_us:
            self._review(now_us, events)
        return tuple(events)

    def _accepts(self, snapshot: TokenSnapshot, now_us: int) -> bool:
        before = self._gems.get(snapshot.id)
        is_late = before is not None and snapshot.ts_event <= before.snapshot.ts_event
        is_ahead = snapshot.ts_known > now_us or snapshot.ts_event > now_us + FUTURE_US
        is_priced = isfinite(snapshot.price_usd) and snapshot.price_usd > 0
        if is_late or is_ahead or not is_priced or (before is None and len(self._gems) >= MAX_TOKENS):
            self.refused += 1
            return False
        return True

    def _review(self, now_us: int, events: list[GemEvent]) -> None:
        """Score again what nobody looked at for too long, and forget what is gone."""
        self._posts.forget(now_us)
        for token, gem in list(self._gems.items()):
            if now_us - gem.snapshot.ts_event > FORGET_US and not gem.is_flagged:
                del self._gems[token], self._history[token]
                self._told_us.pop(token, None)
                self._changed()
            elif now_us - gem.scored_us >= SCORE_MAX_AGE_US:
                self._score(gem.snapshot, now_us, events)
        oldest = min((gem.scored_us for gem in self._gems.values()), default=now_us)
        self._due_us = oldest + SCORE_MAX_AGE_US

    def _score(self, snapshot: TokenSnapshot, now_us: int, events: list[GemEvent]) -> None:
        before = self._gems.get(snapshot.id)
        posts = self._posts.seen(snapshot.id, now_us)
        stood = None if before is None else before.scored.standing
        reading = read_again(snapshot, posts, now_us, _PLAN, stood)
        safety = judge(snapshot, reading, self._limits, None if before is None else before.safety)
        score = gem_score(sub_scores(reading.values, safety.score), self._weights)
        confidence = confidence_of(reading, score.missing)
        judgement = judge_flag(score, safety, confidence, self._limits)
        flag, lost = move_flag(
            FlagState() if before is None else before.flag,
            judgement,
            score,
            safety,
            self._limits,
            snapshot.price_usd,
            now_us,
        )
        change = self._remember(snapshot.id, score.score, now_us)
        gem = Gem(snapshot, posts, reading, score, safety, confidence, judgement, flag, change, now_us)
        self._gems[snapshot.id] = gem
        self._changed()
        event = self._event(before, gem, lost)
        if event is not None:
            events.append(event)

    def _event(self, before: Gem | None, gem: Gem, lost: str) -> GemEvent | None:
        token, symbol, now_us = gem.id, gem.snapshot.symbol, gem.scored_us
        was_flagged = before is not None and before.is_flagged
        if gem.is_flagged and not was_flagged:
            return GemFlagged(
                token, symbol, gem.score.score, gem.judgement.signals, gem.confidence.value, now_us
            )
        found = gem.safety.decisive
        if found is not None and (was_flagged or self._is_news(before, gem, found)):
            self._told_us[token] = now_us
            return GemBlocked(token, symbol, found.gate.value, found.reason, was_flagged, now_us)
        return GemUnflagged(token, symbol, gem.score.score, lost, now_us) if lost else None

    def _is_news(self, before: Gem | None, gem: Gem, found: Finding) -> bool:
        """A token that was fine is not any more, for a reason that is known, and that was not just told."""
        if before is None or before.safety.is_blocked or found.verdict is not GateVerdict.BLOCK:
            return False
        told_us = self._told_us.get(gem.id)
        return told_us is None or gem.scored_us - told_us >= TELL_AGAIN_US

    def _remember(self, token: TokenId, score: float, now_us: int) -> float | None:
        """Keep a score every five minutes; the change since the one of six hours ago."""
        history = self._history.setdefault(token, deque())
        while len(history) > 1 and history[1][0] <= now_us - HISTORY_US:
            history.popleft()
        change = score - history[0][1] if history and history[0][0] <= now_us - HISTORY_US else None
        if not history or now_us - history[-1][0] >= HISTORY_STEP_US:
            history.append((now_us, score))
        return change

    def _changed(self) -> None:
        self.version += 1
        self._ranked = None


def _rank(gem: Gem) -> tuple[int, float, float, str]:
    """Flagged, then what a gate blocked a moment ago that was flagged, then provisional, then the others."""
    group = 0 if gem.is_flagged else 1 if _was_blocked(gem) else 2 if gem.judgement.is_provisional else 3
    return group, -gem.score.score, -gem.confidence.value, gem.id


def _was_blocked(gem: Gem) -> bool:
    since = gem.flag.blocked_us
    return since is not None and gem.safety.is_blocked and gem.scored_us - since < BLOCKED_STAYS_US


def _cleaned(snapshot: TokenSnapshot) -> TokenSnapshot:
    """The snapshot with what the token calls itself made safe; its address where nothing of that is left."""
    symbol, name, chain = _words(snapshot.id, snapshot.symbol, snapshot.name, snapshot.chain)
    if (symbol, name, chain) == (snapshot.symbol, snapshot.name, snapshot.chain):
        return snapshot
    return replace(snapshot, symbol=symbol, name=name, chain=chain)


@lru_cache(maxsize=512)
def _words(token: TokenId, symbol: str, name: str, chain: str) -> tuple[str, str, str]:
    """Symbol, name and chain as they may be shown."""
    address = token.rpartition(":")[2]
    shown = clean(symbol, SYMBOL_LENGTH).strip() or clean(address, SYMBOL_LENGTH)
    return shown, clean(name, NAME_LENGTH), clean(chain, CHAIN_LENGTH)
