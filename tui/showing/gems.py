"""The list of gems and one gem, made from the engine's board. Pure: reads, never writes."""

from functools import lru_cache
from math import isfinite

from engine.core import Engine
from engine.features.token_chain import is_free
from engine.features.token_look import US_PER_HOUR, TokenReading
from engine.features.token_market import deepest
from engine.model.candidates import MissingReason
from engine.model.text import clean
from engine.model.tokens import Holder, HolderLabel, Pool, TokenId
from engine.scoring.confidence import NEEDED
from engine.scoring.findings import Finding, Gate
from engine.scoring.gemscore import SUB_SCORES
from engine.scoring.safety import DEDUCTIONS
from engine.strategies.gems import Gem, GemScan
from tui import format
from tui.shown.details import ChartBars, GemDetail, HolderRow, SafetyRow, ScorePart
from tui.shown.gems import NO_GEMS, GemKind, GemRow, GemsView, SafetyWord

MAX_ROWS = 500
CHART_BARS = 288
"""Of five minutes: 24 hours."""
BAR_US = 300_000_000
HOLDERS_SHOWN = 12
_DEX_LENGTH, _SYMBOL_LENGTH, _ADDRESS_LENGTH = 24, 16, 64
_PART_WORDS = {
    "s_sentiment": "sentiment",
    "s_accumulation": "accumulation",
    "s_onchain": "on-chain",
    "s_liquidity_depth": "liquidity",
    "s_tokenomics": "tokenomics",
    "s_contract_safety": "contract safety",
    "s_narrative": "narrative",
    "s_community": "community",
}
_GATE_WORDS = {Gate.RUG_LP: "LP locked", Gate.RUG_CREATOR: "creator", Gate.LIQUIDITY_FLOOR: "liquidity"}
_DEDUCTION_WORDS = {
    "unverified": "source not verified",
    "blacklist": "can block addresses",
    "pausable": "can be paused",
    "proxy": "code can be replaced",
    "tax_modifiable": "tax can be changed",
    "lp_lock": "LP locked under 80 %",
    "tax": "tax of 5 % or more",
    "creator_share": "creator holds over 15 %",
    "top10_share": "ten hold over 70 %",
    "mint_renounced": "mintable, owner renounced",
    "unlock": "10 % unlock in 30 d",
    "large_unlock": "20 % unlock in 30 d",
}
_SUPPLIED_BY = {
    "s_sentiment": "posts of 24 h",
    "s_accumulation": "trades of its pools",
    "s_onchain": "transfers and traders",
    "s_liquidity_depth": "its pools",
    "s_tokenomics": "supply and holders",
    "s_narrative": "posts, and mentions of 8 days",
    "s_community": "holders of 7 days, members, commits",
}


def gems_view(engine: Engine) -> GemsView:
    """The board now; made anew only when it changed."""
    scan = engine.parts.gems
    return NO_GEMS if scan is None else _view(scan, scan.version)


@lru_cache(maxsize=2)
def _view(scan: GemScan, version: int) -> GemsView:
    ranked = scan.ranked()
    return GemsView(
        rows=tuple(_row(gem) for gem in ranked[:MAX_ROWS]),
        flagged=sum(gem.is_flagged for gem in ranked),
        provisional=sum(kind_of(gem) is GemKind.PROVISIONAL for gem in ranked),
        blocked=sum(gem.safety.is_blocked for gem in ranked),
        scanned=scan.scanned,
        last_scan_us=scan.last_scan_us,
        note="" if ranked else "No tokens scored yet",
    )


@lru_cache(maxsize=2 * MAX_ROWS)
def _row(gem: Gem) -> GemRow:
    values, kind = gem.scored.values, kind_of(gem)
    change, hours = values.get("price_change_24h_pct"), values.get("token_age_hours")
    is_named = kind in (GemKind.FLAGGED, GemKind.PROVISIONAL)
    return GemRow(
        id=gem.id,
        symbol=gem.snapshot.symbol,
        chain=gem.snapshot.chain,
        score=gem.score.score,
        score_max=gem.score.score_max,
        confidence=gem.confidence.value,
        change_24h_ratio=None if change is None else change / 100,
        parts=gem.score.parts,
        safety=safety_word(gem),
        price_usd=gem.snapshot.price_usd,
        liquidity_usd=values.get("liquidity_pool_usd"),
        volume_24h_usd=values.get("volume_24h_usd"),
        age_us=None if hours is None else round(hours * US_PER_HOUR),
        seen_us=gem.snapshot.ts_event,
        kind=kind,
        # A flag that ended comes back only after the score fell (SPEC 2.6), however well it passes now.
        words=kind.value if is_named else gem.judgement.obstacle or "flag ended",
    )


def kind_of(gem: Gem) -> GemKind:
    """What a gem's row is."""
    if gem.is_flagged:
        return GemKind.FLAGGED
    if gem.safety.is_blocked:
        return GemKind.BLOCKED
    return GemKind.PROVISIONAL if gem.judgement.is_provisional else GemKind.PASSIVE


def safety_word(gem: Gem) -> SafetyWord:
    """The verdict on a gem in one word."""
    if gem.safety.is_unproved:
        return SafetyWord.UNKNOWN
    if gem.safety.is_blocked:
        return SafetyWord.BLOCK
    return SafetyWord.PASS if gem.judgement.is_safe else SafetyWord.CAUTION


def gem_detail(engine: Engine, id: str) -> GemDetail | None:
    """One token of the board with everything its score stands on."""
    scan = engine.parts.gems
    if scan is None or (gem := scan.get(TokenId(id))) is None:
        return None
    token, flag, reading = gem.snapshot, gem.flag, gem.reading
    deep = deepest(token.pools)
    return GemDetail(
        id=gem.id,
        symbol=token.symbol,
        name=token.name,
        chain=token.chain,
        address=clean(gem.id.partition(":")[2], _ADDRESS_LENGTH),
        quote_symbol="" if deep is None else clean(deep.quote_symbol, _SYMBOL_LENGTH),
        score=gem.score.score,
        score_max=gem.score.score_max,
        change_6h=gem.change_6h,
        confidence=gem.confidence.value,
        signals=gem.judgement.signals,
        safety=safety_word(gem).value,
        safety_score=gem.safety.score,
        contributions=_contributions(gem, reading, scan.limits.weights.as_row()),
        gates=tuple(_safety_row(found) for found in gem.safety.findings),
        deductions=tuple(
            f"{_DEDUCTION_WORDS[name]} -{DEDUCTIONS[name]:.2f}" for name in gem.safety.deductions
        ),
        holders=_holders(gem, reading),
        holder_count=token.holders,
        pools=_pools(gem),
        missing=tuple(f"{name}: {_reason(why)}" for name, why in reading.missing.items()),
        price_usd=token.price_usd,
        change_24h_pct=reading.values.get("price_change_24h_pct"),
        chart=_chart(engine, gem.id),
        flagged_us=flag.flagged_us,
        since_flag_ratio=token.price_usd / flag.price_usd - 1 if flag.price_usd else None,
        seen_us=token.ts_event,
    )


def _contributions(gem: Gem, reading: TokenReading, weights: tuple[float, ...]) -> tuple[ScorePart, ...]:
    """The one that adds most first; of those that add nothing the heaviest."""
    rows = [
        ScorePart(_PART_WORDS[name], part, points, 100 * weight, _missing_words(reading, name, part))
        for name, part, points, weight in zip(
            SUB_SCORES, gem.score.parts, gem.score.points, weights, strict=True
        )
    ]
    return tuple(sorted(rows, key=lambda row: (-row.points, -row.weight)))


def _missing_words(reading: TokenReading, name: str, part: float | None) -> str:
    if part is not None:
        return ""
    why = next((reading.missing[one] for one in NEEDED[name] if one in reading.missing), None)
    return f"needs {_SUPPLIED_BY[name]}" + ("" if why is None else f" ({_reason(why)})")


def _reason(why: MissingReason) -> str:
    return why.value.replace("_", " ")


def _safety_row(found: Finding) -> SafetyRow:
    gate = _GATE_WORDS.get(found.gate, found.gate.value)
    return SafetyRow(gate, found.verdict.value, found.value, found.threshold, found.source, found.event_us)


def _holders(gem: Gem, reading: TokenReading) -> tuple[HolderRow, ...]:
    known = (holder for holder in gem.snapshot.top_holders if isfinite(holder.share_pct))
    holders = sorted(known, key=lambda holder: -holder.share_pct)
    rows = [
        HolderRow(_short_address(holder.address), holder.share_pct, _holder_note(holder))
        for holder in holders[:HOLDERS_SHOWN]
    ]
    together = reading.values.get("top10_holder_pct")
    if together is not None:
        apart = sum(not is_free(holder) for holder in holders)
        rows.append(HolderRow("top 10 together", together, f"{apart} left out" if apart else ""))
    return tuple(rows)


def _holder_note(holder: Holder) -> str:
    if holder.label is not HolderLabel.UNKNOWN:
        return holder.label.value
    return "locked" if holder.is_locked else ""


def _short_address(address: str) -> str:
    text = clean(address, _ADDRESS_LENGTH)
    return text if len(text) <= 13 else f"{text[:6]}…{text[-4:]}"


def _pools(gem: Gem) -> tuple[str, ...]:
    """Of known size, the deepest first."""
    known = (pool for pool in gem.snapshot.pools if isfinite(pool.liquidity_usd))
    return tuple(_pool_words(pool) for pool in sorted(known, key=lambda pool: -pool.liquidity_usd))


def _pool_words(pool: Pool) -> str:
    return f"{clean(pool.dex, _DEX_LENGTH)} {format.amount(pool.liquidity_usd)}"


def _chart(engine: Engine, token: TokenId) -> ChartBars | None:
    """Closes of five minutes as bars that begin at the close before."""
    prices = engine.parts.token_prices
    if prices is None:
        return None
    found = prices(token, engine.parts.clock.now_us(), CHART_BARS + 1)
    closes = [(ts, close) for ts, close in found if isfinite(close)]
    if len(closes) < 2:
        return None
    before, after = [close for _, close in closes[:-1]], [close for _, close in closes[1:]]
    return ChartBars(
        period="5m",
        ts=tuple(ts - BAR_US for ts, _ in closes[1:]),
        open=tuple(before),
        high=tuple(max(pair) for pair in zip(before, after, strict=True)),
        low=tuple(min(pair) for pair in zip(before, after, strict=True)),
        close=tuple(after),
        volume=(),
    )
