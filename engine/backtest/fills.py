"""What an order gets on a daily bar, in float64: the arithmetic that every kernel of a back-test shares.

The same rules as `engine.execution.matching` (SPEC 9.4, 9.5), which a test holds it against: a stop is looked
at before the target; an order that rested before the open and is jumped over by it fills at that open; a
target fills only when the bar trades through it by a tick. All prices are in entry-day dollars. Every
function is plain arithmetic on numbers, which can be compiled and gives the same bits either way.
"""

from math import ceil, floor, sqrt

from engine.jit import kernel

STOP, TARGET, TIME, CASHED = 0, 1, 2, 3
"""Ways out; `CASHED`: a split left no whole share."""
NOTHING = -1
EPSILON = 1e-9


@kernel
def exit_on(
    open_: float, high: float, low: float, stop: float, target: float, through: float, jumps: bool
) -> tuple[int, float]:
    """Which of a stop and target pair sells on this bar, and at what price before slippage.

    `through`: how far the high must lie beyond the target; `jumps`: the pair rested before the open, and
    fills at it where it lies beyond.
    """
    if low <= stop + EPSILON:
        return STOP, open_ if jumps and open_ < stop else stop
    if high >= target + through - EPSILON:
        return TARGET, open_ if jumps and open_ > target else target
    return NOTHING, 0.0


@kernel
def tick_of(price: float) -> float:
    """Of a US equity."""
    return 0.0001 if price < 1 else 0.01


@kernel
def slippage(half_spread: float, impact: float, sigma: float, value: float, adv: float) -> float:
    """Expected one-way slippage, a fraction of the price: half spread + Y sigma_d sqrt(Q / ADV).

    Without a traded value, or a sigma that is known, the half spread alone.
    """
    if adv > 0 and sigma > 0:
        return half_spread + impact * sigma * sqrt(value / adv)
    return half_spread


@kernel
def cents_up(amount: float) -> float:
    """To the next cent; noise of the sixteenth digit is none."""
    return ceil(amount * 100 - 1e-7) / 100


@kernel
def cents(amount: float) -> float:
    """Money that is paid out, to the cent."""
    return floor(amount * 100 + 0.5) / 100


@kernel
def commission(shares: float, per_share: float, least: float, value: float, most_ratio: float) -> float:
    """Of one execution: at least `least`, then at most that share of its value; 0 where none is charged."""
    if per_share <= 0:
        return 0.0
    return cents_up(min(max(shares * per_share, least), value * most_ratio))


@kernel
def sale_fees(shares: float, value: float, sec: float, taf: float, taf_cap: float) -> float:
    """The two regulatory fees of a sale. `sec`: USD for each USD sold; `taf`: USD a share."""
    return cents_up(value * sec) + cents_up(min(shares * taf, taf_cap))


@kernel
def whole_shares(money: float, price: float) -> float:
    """Shares that money buys, rounded down."""
    return float(floor(money / price + EPSILON))


@kernel
def fillable(volume: float, share: float) -> float:
    """Most that one bar fills of our orders."""
    return float(floor(volume * share + EPSILON))


@kernel
def after_split(shares: float, ratio: float) -> float:
    """Whole shares that are left of `shares`; the prior close is worth `ratio` of what it was."""
    return float(floor(shares / ratio + EPSILON))
