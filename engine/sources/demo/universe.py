"""Who is listed in the demo market: eighty invented companies in seven sectors, and two indexes.

No company, name or symbol stands for a real one. What a company is like (its price, how wild it is, how much
of it is traded) is drawn anew for each seed.
"""

from dataclasses import dataclass
from math import sqrt
from random import Random

from engine.model.ids import InstrumentId, instrument_id
from engine.sources.demo.chance import between, ladder

SPY = instrument_id("SPY")
VIX = instrument_id("VIX")
_STEPS = 256
_WILDNESS = ladder(0.0145, 0.0620, _STEPS)
_TRADED_USD = ladder(5.5e6, 1.6e8, _STEPS)
_PRICES = ladder(1.6, 18.0, _STEPS)
_CENTS = ladder(0.62, 0.95, _STEPS)
_THIN_USD = ladder(1.5e6, 4.5e6, _STEPS)

_LISTED = {
    "Tech": """
        QUVO Quvora Systems|VEKO Vekora Networks|ZORU Zorun Software|NYLO Nylonta Data
        BIXO Bixora Devices|LUXO Luxoria Imaging|OPVI Opvia Photonics|KRYO Kryovex Computing
        DUXA Duxara Cloud|FIZU Fizuma Games|GLYX Glyxon Semiconductors|HEXU Hexura Robotics
        ZEPU Zepura Security
    """,
    "Health": """
        MELU Meluva Therapeutics|BYLA Bylara Biosciences|CURU Curulis Pharma|DERA Deralto Skin
        GENU Genuvia Genomics|LYVA Lyvanta Oncology|NEXU Nexulo Devices|OVRA Ovrasis Diagnostics
        PYRU Pyrulen Vaccines|RYVO Ryvonta Cardio|SYVO Syvolin Care|TYLU Tylurex Labs
    """,
    "Retail": """
        SHOZ Shozari Outlets|BOKA Bokalia Foods|DREZ Drezzano Apparel|FANO Fanovo Home
        GUSO Gusoro Grills|HAVU Havuna Furniture|JUBO Jubola Toys|LOVU Lovunda Beauty
        MOZA Mozarela Shoes|PEZO Pezolli Pets|TOVA Tovarin Markets|WEZO Wezora Outdoors
    """,
    "Energy": """
        AMPU Ampulo Storage|BORU Borunda Drilling|DRYL Drylane Services|FLOZ Flozen Pipelines
        GASU Gasuvar Gas|HYDU Hydunor Hydrogen|KELU Kelurian Oil|NUKO Nukovar Fuels
        PETU Petunda Resources|SOLZ Solzara Solar|VULO Vulonar Geothermal|WATU Watunor Grid
    """,
    "Finance": """
        BAZU Bazunto Bank|CREZ Crezalon Credit|DEBU Debunor Lending|FUNZ Funzaro Capital
        LEDO Ledovan Ledger|LOZA Lozanta Loans|MUTU Mutundo Insurance|PAZO Pazolin Payments
        SAVU Savunda Savings|TRUZ Truzello Trust
    """,
    "Mining": """
        AURU Aurunda Gold|COPZ Copzaro Copper|DOLU Dolunor Minerals|FERU Ferunda Iron
        GOLU Golunto Streams|KOBA Kobalora Cobalt|LITU Litunor Lithium|NIKU Nikunda Nickel
        OREZ Orezano Ventures|RUBU Rubunto Gems|ZINU Zinunor Zinc
    """,
    "Travel": """
        BOTU Botunda Charters|CRUO Cruovia Cruises|FLYO Flyonda Air|HOTU Hotunor Hotels
        JOLU Jolunda Resorts|LODU Lodunor Lodges|NAVU Navunda Ferries|RYDO Rydonto Rides
        SKIO Skionda Parks|VOYU Voyunor Tours
    """,
}


@dataclass(frozen=True, slots=True)
class Company:
    """A listed company; `sector` is at most seven letters, as wide as its column."""

    instrument: InstrumentId
    name: str
    sector: str


def _listed() -> tuple[Company, ...]:
    entries = [
        (entry.strip().split(" ", 1), sector)
        for sector, text in _LISTED.items()
        for line in text.strip().splitlines()
        for entry in line.split("|")
    ]
    return tuple(Company(instrument_id(symbol), name, sector) for (symbol, name), sector in entries)


COMPANIES = tuple(sorted(_listed(), key=lambda company: company.instrument))
NAMES = {company.instrument: company.name for company in COMPANIES} | {
    SPY: "S&P 500 fund (simulated)",
    VIX: "Volatility index (simulated)",
}
SECTORS = {company.instrument: company.sector for company in COMPANIES}


@dataclass(frozen=True, slots=True)
class Traits:
    """What one company's stock is like under one seed."""

    company: Company
    base_price: float
    """USD; its price is drawn back to it, slowly."""
    beta: float
    wildness: float
    """Standard deviation of a day's own return in normal times."""
    shares_a_day: float
    spread_ratio: float
    """Of the price, in normal times."""


def draw_traits(random: Random) -> tuple[Traits, ...]:
    """One for each company, in their order. About one in ten is thinly traded, one in ten costs cents."""
    return tuple(_traits(company, random) for company in COMPANIES)


def _traits(company: Company, random: Random) -> Traits:
    bits = random.getrandbits
    is_cheap, is_thin = bits(24) % 10 == 0, bits(24) % 10 == 0
    base_price = (_CENTS if is_cheap else _PRICES)[bits(8)]
    traded_usd = (_THIN_USD if is_thin else _TRADED_USD)[bits(8)]
    wildness = _WILDNESS[bits(8)]
    return Traits(
        company=company,
        base_price=base_price,
        beta=between(bits, 0.9, 2.0),
        wildness=wildness,
        shares_a_day=traded_usd / base_price,
        # Known of stocks at large: a spread grows with what moves the price and shrinks with what is traded.
        spread_ratio=0.0009 * (wildness / 0.03) * sqrt(2e7 / traded_usd) * (1 + 0.8 / base_price),
    )
