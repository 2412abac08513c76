"""What kinds of token the demo market has, in numbers; which kind a token is, no snapshot tells.

Ranges are what a token of the kind draws from when it is made. They follow what public pool lists look like:
most tokens are small and calm, a few trade their pool over every day, scams are shallow and loud.
"""

from dataclasses import dataclass, replace

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Nature:
    """Ranges per token. Shares in permille; `move_ppm` is the deviation of the fair price a minute."""

    name: str
    age_days: Range
    depth_usd: Range
    """Both sides of its deepest pool."""
    turnover: Range
    """Organic volume of a day over that depth."""
    orders_day: Range
    buys: Range
    """Share of orders that buy."""
    whales_day: Range
    whale_buys: Range
    move_ppm: Range
    holders: Range
    holder_growth_week: Range
    members: Range
    commits: Range
    mentions_day: Range
    mentions_before: Range
    """Mentions of each of the seven days before, over those of a day now."""
    positive: Range
    negative: Range
    """Shares of posts that praise and that warn."""
    top_ten: Range
    creator: Range
    locked: Range
    circulating: Range
    up: int = 150
    down: int = 150
    """How often a new mood of the market for it is a rise or a fall."""


STEADY = Nature(
    name="steady",
    age_days=(20, 900),
    depth_usd=(70_000, 2_500_000),
    turnover=(120, 700),
    orders_day=(120, 1_600),
    buys=(465, 520),
    whales_day=(0, 2),
    whale_buys=(420, 560),
    move_ppm=(700, 1_900),
    holders=(900, 40_000),
    holder_growth_week=(-10, 45),
    members=(600, 40_000),
    commits=(0, 60),
    mentions_day=(6, 160),
    mentions_before=(850, 1_150),
    positive=(330, 520),
    negative=(150, 300),
    top_ten=(180, 480),
    creator=(5, 60),
    locked=(620, 995),
    circulating=(550, 1_000),
)
QUIET = replace(
    STEADY,
    name="quiet",
    depth_usd=(6_000, 90_000),
    turnover=(8, 70),
    orders_day=(3, 60),
    whales_day=(0, 0),
    move_ppm=(300, 900),
    holders=(90, 2_500),
    holder_growth_week=(-25, 8),
    members=(60, 3_000),
    commits=(0, 6),
    mentions_day=(0, 9),
    top_ten=(300, 700),
)
RISING = replace(
    STEADY,
    name="rising",
    age_days=(12, 140),
    depth_usd=(450_000, 2_600_000),
    turnover=(700, 1_500),
    orders_day=(2_200, 9_000),
    buys=(545, 585),
    whales_day=(8, 16),
    whale_buys=(640, 760),
    move_ppm=(1_300, 2_400),
    holders=(6_000, 45_000),
    holder_growth_week=(80, 210),
    members=(12_000, 90_000),
    commits=(18, 90),
    mentions_day=(240, 1_100),
    mentions_before=(520, 800),
    positive=(620, 780),
    negative=(40, 110),
    top_ten=(140, 300),
    creator=(5, 40),
    locked=(860, 998),
    circulating=(780, 960),
    up=600,
    down=80,
)
PROMISING = replace(
    RISING,
    name="promising",
    depth_usd=(200_000, 1_500_000),
    turnover=(400, 1_100),
    orders_day=(900, 4_500),
    buys=(510, 555),
    whales_day=(4, 10),
    whale_buys=(540, 680),
    holders=(3_000, 25_000),
    holder_growth_week=(35, 130),
    members=(5_000, 50_000),
    commits=(4, 50),
    mentions_day=(120, 600),
    mentions_before=(650, 950),
    positive=(520, 680),
    negative=(60, 160),
    up=350,
    down=150,
)
"""Between the steady and the rising: some of them come to the limit of a flag, and some over it."""
LOUD = replace(
    STEADY,
    name="loud",
    orders_day=(600, 2_400),
    members=(20_000, 160_000),
    mentions_day=(300, 2_000),
    mentions_before=(600, 1_000),
    positive=(560, 760),
    holder_growth_week=(10, 90),
)
SCAM = replace(
    STEADY,
    name="scam",
    age_days=(2, 40),
    depth_usd=(18_000, 190_000),
    turnover=(300, 1_400),
    orders_day=(250, 2_600),
    buys=(560, 720),
    whales_day=(0, 3),
    move_ppm=(1_800, 4_000),
    holders=(150, 3_500),
    holder_growth_week=(60, 500),
    members=(300, 9_000),
    commits=(0, 2),
    mentions_day=(60, 700),
    mentions_before=(100, 700),
    positive=(700, 900),
    negative=(30, 140),
    top_ten=(350, 850),
    creator=(60, 320),
    locked=(0, 450),
)
FRESH = replace(
    SCAM,
    name="fresh",
    age_days=(0, 0),
    depth_usd=(14_000, 140_000),
    turnover=(2_000, 7_000),
    orders_day=(900, 6_000),
    buys=(530, 640),
    move_ppm=(3_500, 7_000),
    holders=(20, 150),
    mentions_day=(20, 600),
    positive=(450, 700),
    top_ten=(300, 800),
    creator=(20, 200),
    locked=(300, 1_000),
    up=450,
    down=250,
)
SEEDED = replace(STEADY, name="seeded", age_days=(0, 0), whales_day=(0, 0), locked=(950, 950))
"""The token of the `[demo]` profile."""
