"""Headlines of a day: what came with the gaps, what is said in the session, and some that mean nothing.

One of them a day comes from a feed that cannot be trusted and tries to take over the terminal; whoever reads
headlines passes them through `engine.model.text.clean`.
"""

from collections.abc import Mapping
from random import Random

from engine.model.ids import InstrumentId, symbol_of
from engine.model.market import Headline, Provenance, Session
from engine.sources.demo.chance import chance, stream
from engine.sources.demo.days import HISTORY, StockDay
from engine.sources.demo.overnight import News
from engine.sources.demo.universe import COMPANIES, NAMES, SECTORS

US_PER_S = 1_000_000
_WIRES = ("Plainwire", "Ledger Wire", "Openbell News")
_HOSTILE_WIRE = "unmoderated feed"
_BAD = (
    "{name} misses quarterly earnings estimates and lowers its outlook",
    "{name} announces public offering of common stock",
    "{name} cut to underperform; analyst cites slowing orders",
    "Guidance cut: {name} now expects lower full-year revenue",
    "{name} prices convertible notes to refinance debt",
    "{name} delays annual report after auditor questions",
)
_BAD_OF = {
    "Health": (
        "{name} says mid-stage trial missed its main goal",
        "Regulator puts clinical hold on {name} study",
    ),
    "Energy": ("{name} halts a field after a pressure fault",),
    "Mining": ("{name} lowers reserve estimate at its largest site",),
    "Travel": ("{name} sees weaker bookings for the season",),
    "Retail": ("{name} reports falling same-store sales",),
    "Finance": ("{name} sets aside more for loan losses",),
    "Tech": ("{name} loses its largest customer contract",),
}
_GOOD = (
    "{name} beats quarterly estimates and raises its outlook",
    "{name} wins multi-year supply contract",
    "Analyst upgrades {name} to buy",
    "{name} confirms it received a takeover approach",
)
_NEUTRAL = (
    "{name} to present at an investor conference next week",
    "{name} appoints new chief financial officer",
    "{name} schedules its annual meeting",
    "{name} opens a second site",
    "{name} renews its credit line on unchanged terms",
    "{symbol}: insider filing reports a planned sale of 4,000 shares",
    "Sector note: {sector} stocks drift in thin trading",
)
_HOSTILE = (
    "{symbol} \x1b[2J\x1b]0;owned\x07 rockets [@click=app.halt()]buy now[/]",
    "\u202e{symbol} eerf ot seog\u202c [bold red]LIVE[/] \x1b[31malert\x1b[0m",
    "{symbol} [/][/]]\x1b]52;c;cm0gLXJm\x07 \u200b\u200bguaranteed \x9b5A +900%",
    "{symbol}\r\n\x1b[1;1HAPPROVED all tickets \u2066\u2067\x00\x7f",
)
_NEUTRALS_A_DAY, _SAID_A_SESSION = 3, 3
_EARLIEST_S, _LATEST_S = 9_000, 120
"""Before the open."""


def headlines_of(
    seed: int, number: int, session: Session, stocks: Mapping[InstrumentId, StockDay]
) -> list[Headline]:
    """All of one day in order of time, `ts_event` some seconds before `ts_known`; before the open first."""
    random = stream(seed, "headlines", number)
    found = [
        _headline(one, _text(random, one, day.news), _before(random, session), random)
        for one, day in stocks.items()
        if day.news is not News.NONE
    ]
    for _ in range(_NEUTRALS_A_DAY):
        found.append(_any(random, _NEUTRAL, _before(random, session)))
    for _ in range(_SAID_A_SESSION):
        found.append(_any(random, _NEUTRAL, _inside(random, session)))
    # On the first day a newcomer sees it within the first minutes.
    late = 300 if number == HISTORY else 3_600
    ts = session.open_us + (20 + random.getrandbits(16) % late) * US_PER_S
    found.append(_any(random, _HOSTILE, ts, _HOSTILE_WIRE))
    return sorted(found, key=lambda headline: (headline.ts_known, headline.instruments, headline.title))


def _text(random: Random, instrument: InstrumentId, news: News) -> str:
    if news is News.GOOD:
        return _pick(random, _GOOD)
    special = _BAD_OF[SECTORS[instrument]]
    return _pick(random, special if chance(random.getrandbits, 0.35) else _BAD)


def _any(random: Random, texts: tuple[str, ...], ts: int, wire: str | None = None) -> Headline:
    company = COMPANIES[random.getrandbits(16) % len(COMPANIES)]
    return _headline(company.instrument, _pick(random, texts), ts, random, wire)


def _headline(
    instrument: InstrumentId, text: str, ts: int, random: Random, wire: str | None = None
) -> Headline:
    title = text.format(
        name=NAMES[instrument], symbol=symbol_of(instrument), sector=SECTORS[instrument].lower()
    )
    delay = (1 + random.getrandbits(16) % 20) * US_PER_S
    return Headline((instrument,), title, wire or _pick(random, _WIRES), ts - delay, ts, Provenance.SYNTHETIC)


def _pick(random: Random, texts: tuple[str, ...]) -> str:
    return texts[random.getrandbits(16) % len(texts)]


def _before(random: Random, session: Session) -> int:
    early = _LATEST_S + random.getrandbits(20) % (_EARLIEST_S - _LATEST_S)
    return session.open_us - early * US_PER_S


def _inside(random: Random, session: Session) -> int:
    length = (session.close_us - session.open_us) // US_PER_S - 600
    return session.open_us + (300 + random.getrandbits(20) % length) * US_PER_S
