"""Sectors of companies: eleven groups of their Standard Industrial Classification (SPEC 3.7.4).

The SEC gives each filer one four-digit code of the classification of 1987. The groups are those into which
portfolios are usually cut. A code that lies in none is not known; all that are not known count as one sector.
"""

from bisect import bisect_right

ENERGY, MATERIAL, INDUSTRY, CONSUMER = "Energy", "Material", "Industry", "Consumer"
STAPLES, HEALTH, FINANCE, TECH = "Staples", "Health", "Finance", "Tech"
MEDIA, UTILITY, PROPERTY = "Media", "Utility", "Property"
SECTORS = (
    ENERGY,
    MATERIAL,
    INDUSTRY,
    CONSUMER,
    STAPLES,
    HEALTH,
    FINANCE,
    TECH,
    MEDIA,
    UTILITY,
    PROPERTY,
)

_FROM: tuple[tuple[int, str | None], ...] = (
    (0, None),
    (100, STAPLES),  # farming, fishing
    (800, MATERIAL),  # forestry
    (900, STAPLES),
    (1000, MATERIAL),  # metals
    (1200, ENERGY),  # coal, oil, gas
    (1400, MATERIAL),  # stone, salts
    (1500, INDUSTRY),
    (1520, CONSUMER),  # builders of homes
    (1540, INDUSTRY),
    (1800, None),
    (2000, STAPLES),  # food, drink, tobacco
    (2200, CONSUMER),  # cloth, clothes
    (2400, MATERIAL),  # wood
    (2450, CONSUMER),  # mobile homes, furniture
    (2520, INDUSTRY),  # of offices
    (2600, MATERIAL),  # paper
    (2700, MEDIA),  # publishing
    (2750, INDUSTRY),  # printing
    (2800, MATERIAL),  # chemicals
    (2830, HEALTH),  # drugs
    (2840, STAPLES),  # soap, cosmetics
    (2850, MATERIAL),
    (2900, ENERGY),  # refineries
    (2950, MATERIAL),
    (3011, CONSUMER),  # tires, shoes
    (3050, MATERIAL),  # rubber, plastics
    (3100, CONSUMER),  # leather
    (3200, MATERIAL),  # glass, cement, steel
    (3420, INDUSTRY),  # metal products, machines
    (3570, TECH),  # computers
    (3580, INDUSTRY),
    (3630, CONSUMER),  # household appliances, audio
    (3652, MEDIA),  # records
    (3660, TECH),  # communication equipment, semiconductors
    (3690, INDUSTRY),
    (3700, CONSUMER),  # cars
    (3720, INDUSTRY),  # aircraft, ships, trains
    (3750, CONSUMER),  # motorcycles
    (3760, INDUSTRY),  # missiles
    (3790, CONSUMER),
    (3800, INDUSTRY),  # navigation
    (3820, TECH),  # measuring
    (3826, HEALTH),  # laboratory analysis
    (3827, TECH),
    (3840, HEALTH),  # medical instruments
    (3860, TECH),
    (3870, CONSUMER),  # watches, toys, jewelry
    (4000, INDUSTRY),  # transport
    (4800, MEDIA),  # telephone, television
    (4900, UTILITY),
    (4950, INDUSTRY),  # waste
    (4960, UTILITY),
    (5000, INDUSTRY),  # wholesale
    (5045, TECH),
    (5047, HEALTH),
    (5050, INDUSTRY),
    (5065, TECH),
    (5070, INDUSTRY),
    (5122, HEALTH),
    (5130, CONSUMER),
    (5140, STAPLES),
    (5160, MATERIAL),
    (5170, ENERGY),
    (5180, STAPLES),
    (5190, CONSUMER),  # and shops
    (5400, STAPLES),  # of food
    (5500, CONSUMER),
    (5912, STAPLES),  # drug stores
    (5913, CONSUMER),
    (6000, FINANCE),
    (6324, HEALTH),  # medical insurance
    (6325, FINANCE),
    (6500, PROPERTY),
    (6600, FINANCE),
    (6792, ENERGY),  # oil royalties
    (6793, FINANCE),
    (6795, MATERIAL),  # mineral royalties
    (6796, FINANCE),
    (6798, PROPERTY),  # real estate trusts
    (6799, FINANCE),
    (6800, None),
    (7000, CONSUMER),  # hotels, personal services
    (7300, INDUSTRY),
    (7310, MEDIA),  # advertising
    (7320, INDUSTRY),
    (7370, TECH),  # software
    (7380, INDUSTRY),
    (7800, MEDIA),  # films
    (7900, CONSUMER),  # amusement
    (8000, HEALTH),
    (8100, INDUSTRY),  # law
    (8200, CONSUMER),  # schools
    (8400, None),
    (8700, INDUSTRY),  # engineering
    (8731, HEALTH),  # research, laboratories
    (8740, INDUSTRY),
    (8800, None),  # and governments, shells, foreign states
)
"""(first code, sector of it and of those up to the next line)."""
_STARTS = tuple(start for start, _ in _FROM)


def sector_of_sic(sic: str | None) -> str | None:
    """The sector of a four-digit code; None for one that lies in none, and for no code."""
    if sic is None or len(sic) != 4 or not (sic.isascii() and sic.isdigit()):
        return None
    return _FROM[bisect_right(_STARTS, int(sic)) - 1][1]
