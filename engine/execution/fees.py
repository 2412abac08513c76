"""What an execution costs besides its price (SPEC 9.4): dated tables of the fees that sales carry.

Rates are those in force on the trade date, UTC day of the execution; a day before a table begins uses its
first row. SEC: the Section 31 fee rate advisories of www.sec.gov. TAF: FINRA By-Laws, Schedule A, Section 1.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Protocol

from engine.model.orders import OrderSide
from engine.money import CENT, ZERO

ONE = Decimal(1)
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class SecRate:
    """Section 31 fee: USD for each million USD sold, from `since` on."""

    since: date
    usd_per_million: Decimal


@dataclass(frozen=True, slots=True)
class TafRate:
    """Trading activity fee: USD for each share sold, at most `cap` for one execution, from `since` on."""

    since: date
    usd_per_share: Decimal
    cap: Decimal


SEC_RATES = (
    SecRate(date(2012, 4, 1), Decimal("22.40")),
    SecRate(date(2013, 5, 25), Decimal("17.40")),
    SecRate(date(2014, 3, 18), Decimal("22.10")),
    SecRate(date(2015, 2, 14), Decimal("18.40")),
    SecRate(date(2016, 2, 16), Decimal("21.80")),
    SecRate(date(2017, 7, 4), Decimal("23.10")),
    SecRate(date(2018, 5, 22), Decimal("13.00")),
    SecRate(date(2019, 4, 16), Decimal("20.70")),
    SecRate(date(2020, 2, 18), Decimal("22.10")),
    SecRate(date(2021, 2, 25), Decimal("5.10")),
    SecRate(date(2022, 5, 14), Decimal("22.90")),
    SecRate(date(2023, 2, 27), Decimal("8.00")),
    SecRate(date(2024, 5, 22), Decimal("27.80")),
    SecRate(date(2025, 5, 14), ZERO),
    SecRate(date(2026, 4, 4), Decimal("20.60")),
)
TAF_RATES = (
    TafRate(date(2012, 7, 1), Decimal("0.000119"), Decimal("5.95")),
    TafRate(date(2022, 1, 1), Decimal("0.00013"), Decimal("6.49")),
    TafRate(date(2023, 1, 1), Decimal("0.000145"), Decimal("7.27")),
    TafRate(date(2024, 1, 1), Decimal("0.000166"), Decimal("8.30")),
    TafRate(date(2026, 1, 1), Decimal("0.000195"), Decimal("9.79")),
)


def rates_on(day: date) -> tuple[SecRate, TafRate]:
    """The rates of sales in force on a day; before a table begins its first row."""
    sec = SEC_RATES[max(0, bisect_right(SEC_RATES, day, key=lambda rate: rate.since) - 1)]
    taf = TAF_RATES[max(0, bisect_right(TAF_RATES, day, key=lambda rate: rate.since) - 1)]
    return sec, taf


class FeeSchedule(Protocol):
    """What one execution costs, >= 0, in account currency."""

    def fee(self, side: OrderSide, quantity: Decimal, price: Decimal, day: date) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class NoFees:
    """Executions are free."""

    def fee(self, side: OrderSide, quantity: Decimal, price: Decimal, day: date) -> Decimal:
        """Always zero."""
        return ZERO


@dataclass(frozen=True, slots=True)
class UsEquityFees:
    """Commission on both sides; the SEC and TAF fees on sales, each rounded up to the cent.

    The default commission of zero is Alpaca's. When a commission is charged at all it is at least
    `commission_min` for each execution, then at most `commission_max_ratio` of its value.
    """

    commission_per_share: Decimal = ZERO
    commission_min: Decimal = ZERO
    commission_max_ratio: Decimal = ONE

    def fee(self, side: OrderSide, quantity: Decimal, price: Decimal, day: date) -> Decimal:
        """Commission, and for a sale the two regulatory fees."""
        commission = ZERO
        if self.commission_per_share > ZERO:
            charged = max(self.commission_per_share * quantity, self.commission_min)
            commission = _cent_up(min(charged, quantity * price * self.commission_max_ratio))
        if side is OrderSide.BUY:
            return commission
        sec, taf = rates_on(day)
        section_31 = _cent_up(quantity * price * sec.usd_per_million / MILLION)
        return commission + section_31 + _cent_up(min(quantity * taf.usd_per_share, taf.cap))


COMMISSIONS = {
    "alpaca": UsEquityFees(),
    # Tiered, up to 300,000 shares a month; the fees of exchanges and clearing are not in it.
    "ib": UsEquityFees(Decimal("0.0035"), Decimal("0.35"), Decimal("0.01")),
}
"""What brokers charge for US shares (SPEC 9.4), from their own price lists."""


@dataclass(frozen=True, slots=True)
class TakerFees:
    """A share of the notional on both sides, as crypto venues charge it. `ratio` 0.001 means 0.1 %."""

    ratio: Decimal

    def fee(self, side: OrderSide, quantity: Decimal, price: Decimal, day: date) -> Decimal:
        """Notional x ratio, rounded up to the cent."""
        return _cent_up(quantity * price * self.ratio)


def _cent_up(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_CEILING)
