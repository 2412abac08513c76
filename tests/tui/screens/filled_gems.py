"""The board of the pictures 02 and the token of the pictures 03; names and figures are invented."""

from engine.model.tokens import TokenId
from tui.shown.details import ChartBars, GemDetail, HolderRow, SafetyRow, ScorePart
from tui.shown.gems import GemKind, GemRow, GemsView, SafetyWord

S = 1_000_000
HOUR = 3_600 * S
DAY = 24 * HOUR
FLAGGED, HELD, BLOCKED = GemKind.FLAGGED, GemKind.HELD, GemKind.BLOCKED
PROVISIONAL, PASSIVE = GemKind.PROVISIONAL, GemKind.PASSIVE
PASS, CAUTION, BLOCK, UNKNOWN = SafetyWord.PASS, SafetyWord.CAUTION, SafetyWord.BLOCK, SafetyWord.UNKNOWN
LISTED = (
    ("PLINTH", 79.5, 88, PASS, "77685857", 2_410_000, 0.142, FLAGGED, "flagged"),
    ("FERNET", 76.4, 91, PASS, "67777777", 3_870_000, 0.068, FLAGGED, "flagged"),
    ("OKAPI", 71.5, 76, PASS, "77755776", 1_120_000, 0.227, FLAGGED, "flagged"),
    ("SORREL", 70.5, 84, PASS, "67677846", 1_940_000, 0.021, PASSIVE, "2/3 signals"),
    ("QUILL", 67.7, 93, PASS, "66677845", 4_600_000, 0.004, PASSIVE, "2/3 signals"),
    ("LANTRN", 66.2, 79, PASS, "66667775", 884_000, -0.034, HELD, "held"),
    ("DUSKY", 64.0, 81, BLOCK, "77764177", 642_000, 0.613, BLOCKED, "freezable"),
    ("HESPER", 61.9, 72, UNKNOWN, "77..4.67", None, 0.05, BLOCKED, "unproved"),
    ("GANNET", 53.9, 83, PASS, "46446744", 518_000, 0.017, PASSIVE, "score < 70"),
    ("VOLE", 53.4, 72, BLOCK, "76446155", 187_000, 0.18, BLOCKED, "LP 22%"),
    ("HOLLIN", 53.1, 90, PASS, "46446744", 1_050_000, -0.003, PASSIVE, "score < 70"),
    ("PEWTR", 53.1, 86, CAUTION, "66666446", 731_000, -0.089, PASSIVE, "safety .35"),
    ("TAMARK", 52.0, 61, UNKNOWN, "7.....6.", None, None, PROVISIONAL, "provisional"),
    ("CINDR", 50.1, 89, PASS, "44446744", 960_000, -0.026, PASSIVE, "score < 70"),
    ("BRINE", 49.8, 58, PASS, "4664.644", 402_000, -0.012, PASSIVE, "conf 58 < 60"),
)
"""Symbol, score, confidence, safety, parts in tenths, liquidity, change of a day, kind, words."""
CHAINS = ("base", "ethereum", "solana", "arbitrum", "bsc")
FIRST, SECOND = ("SAN", "BRI", "RON", "HAL", "PAX"), ("MERIDIAN", "KOLN", "TAR", "LUMN")
MANY = 150


def _parts(tenths: str) -> tuple[float | None, ...]:
    return tuple(None if digit == "." else int(digit) / 10 for digit in tenths)


def _row(at: int, now: int) -> GemRow:
    symbol, score, confidence, safety, tenths, liquidity, change, kind, words = LISTED[at]
    return GemRow(
        id=TokenId(f"{CHAINS[at % 5]}:0x7a3e{at:02d}c0ffee41c9"),
        symbol=symbol,
        chain=CHAINS[at % 5],
        score=score,
        score_max=round(min(100.0, score + 9.3 * tenths.count(".")), 1),
        confidence=confidence,
        change_24h_ratio=change,
        parts=_parts(tenths),
        safety=safety,
        price_usd=0.00008127 * 7**at if at < 9 else 1.0 / (at + 1),
        liquidity_usd=liquidity,
        volume_24h_usd=None if liquidity is None else liquidity * 0.41,
        age_us=None if at == 7 else (at * at * 7 + 1) * HOUR,
        seen_us=now - 9 * S,
        kind=kind,
        words=words,
    )


def _passive(at: int, now: int) -> GemRow:
    """One of the many that nobody acts on: the lower, the less is known."""
    score = 49.0 - at * 0.3
    return GemRow(
        id=TokenId(f"{CHAINS[at % 5]}:0xbeef{at:03d}41c9"),
        symbol=f"{FIRST[at % 5]}{SECOND[at % 4]}{at}",
        chain=CHAINS[at % 5],
        score=score,
        score_max=score,
        confidence=40 + at % 50,
        change_24h_ratio=((at * 37) % 41 - 20) / 100,
        parts=_parts("".join(str((at * 3 + part * 2) % 5 + 1) for part in range(8))),
        safety=PASS,
        price_usd=0.0123 * (at + 1),
        liquidity_usd=51_000 + at * 977.0,
        volume_24h_usd=1_200.0 * at,
        age_us=(at + 1) * HOUR,
        seen_us=now - at * S,
        kind=PASSIVE,
        words="score < 70",
    )


def make_gems(now: int) -> GemsView:
    """As many rows as a board has on a good day; the best of them are those of the pictures."""
    rows = [_row(at, now) for at in range(len(LISTED))]
    rows += [_passive(at, now) for at in range(MANY - len(LISTED))]
    return GemsView(
        rows=tuple(rows),
        flagged=3,
        provisional=1,
        blocked=3,
        scanned=1_204,
        last_scan_us=now - 180 * S,
        note="",
    )


def make_no_gems() -> GemsView:
    return GemsView((), 0, 0, 0, 0, None, "No tokens scored yet")


CONTRIBUTIONS = (
    ("accumulation", 0.88, 17.6, 20.0),
    ("on-chain", 0.81, 12.2, 15.0),
    ("contract safety", 1.0, 12.0, 12.0),
    ("sentiment", 0.72, 10.8, 15.0),
    ("tokenomics", 0.74, 8.9, 12.0),
    ("liquidity", 0.69, 6.9, 10.0),
    ("community", 0.77, 6.2, 8.0),
    ("narrative", 0.63, 5.0, 8.0),
)
GATES = (
    ("honeypot", "pass", "no, sell works", "must be no", 41),
    ("evidence", "pass", "41 s old", "< 900 s", 41),
    ("tax", "pass", "buy 0 / sell 0 %", "<= 10 %", 41),
    ("mintable", "pass", "owner 0x0", "no live owner", 720),
    ("owner", "pass", "renounced", "none", 720),
    ("LP locked", "pass", "94.1 %", ">= 50 %", 720),
    ("liquidity", "pass", "2.41M", ">= 50k", 9),
    ("age", "pass", "41 d", ">= 1 h", 9),
    ("siphon", "pass", "none", "none", 41),
)


def chart(now: int, last: float) -> ChartBars:
    """Five-minute closes of a day that end at `last`."""
    count = 288
    closes = [last * (0.86 + 0.14 * at / (count - 1) + 0.03 * abs(at % 36 - 18) / 18) for at in range(count)]
    closes[-1] = last
    opens = (closes[0], *closes[:-1])
    begun = now // (300 * S) * 300 * S - count * 300 * S
    return ChartBars(
        "5m",
        tuple(begun + at * 300 * S for at in range(count)),
        tuple(opens),
        tuple(max(pair) for pair in zip(opens, closes, strict=True)),
        tuple(min(pair) for pair in zip(opens, closes, strict=True)),
        tuple(closes),
        (),
    )


def make_gem(row: GemRow, now: int) -> GemDetail:
    """The token of the pictures, under the name and figures of its row."""
    return GemDetail(
        id=row.id,
        symbol=row.symbol,
        name=f"{row.symbol.title()} Protocol",
        chain=row.chain,
        address=row.id.partition(":")[2],
        quote_symbol="WETH",
        score=row.score,
        score_max=row.score_max,
        change_6h=3.2,
        confidence=row.confidence,
        signals=4,
        safety="pass",
        safety_score=1.0,
        contributions=tuple(ScorePart(*each, "") for each in CONTRIBUTIONS),
        gates=tuple(
            SafetyRow(gate, verdict, value, limit, "goplus", now - age * S)
            for gate, verdict, value, limit, age in GATES
        ),
        deductions=(),
        holders=(
            HolderRow("LP lock", 22.0, "to 2027-08"),
            HolderRow("team vesting", 8.4, ""),
            HolderRow("0x19c2…ae07", 6.1, "exchange"),
            HolderRow("top 10 together", 34.9, "2 left out"),
        ),
        holder_count=12_408,
        pools=("aerodrome 1.71M", "uniswap 0.70M"),
        missing=(),
        price_usd=row.price_usd,
        change_24h_pct=None if row.change_24h_ratio is None else row.change_24h_ratio * 100,
        chart=chart(now, row.price_usd),
        flagged_us=now - 38 * 60 * S,
        since_flag_ratio=0.034,
        seen_us=row.seen_us,
    )


def make_unproved(row: GemRow, now: int) -> GemDetail:
    """A token of which little is known: every value that may be missing is."""
    lacking = ("sentiment", "on-chain", "community", "narrative")
    return GemDetail(
        id=row.id,
        symbol=row.symbol,
        name="",
        chain=row.chain,
        address=row.id.partition(":")[2],
        quote_symbol="",
        score=row.score,
        score_max=row.score_max,
        change_6h=None,
        confidence=row.confidence,
        signals=1,
        safety="unkn",
        safety_score=None,
        contributions=tuple(
            ScorePart(
                name,
                None if name in lacking else score,
                0.0 if name in lacking else points,
                weight,
                "needs a source of posts (source not connected)" if name in lacking else "",
            )
            for name, score, points, weight in CONTRIBUTIONS
        ),
        gates=(
            SafetyRow("honeypot", "unknown", "not asked yet", "must be no", "", None),
            SafetyRow("tax", "block", "buy 4 / sell 31 %", "<= 10 %", "goplus", now - 1_900 * S),
            SafetyRow("liquidity", "pass", "51.2k", ">= 50k", "pools", now - 9 * S),
        ),
        deductions=("proxy contract -0.20", "owner can pause -0.30"),
        holders=(),
        holder_count=None,
        pools=(),
        missing=("posts_24h: source not connected", "holders_24h: insufficient history"),
        price_usd=row.price_usd,
        change_24h_pct=None,
        chart=None,
        flagged_us=None,
        since_flag_ratio=None,
        seen_us=row.seen_us,
    )
