"""The dated fee tables of SPEC 9.4."""

from datetime import date
from decimal import Decimal as D

import pytest

from engine.execution.fees import COMMISSIONS, SEC_RATES, TAF_RATES, NoFees, TakerFees, UsEquityFees
from engine.model.orders import OrderSide

BUY, SELL = OrderSide.BUY, OrderSide.SELL


def test_purchases_are_free_of_regulatory_fees() -> None:
    assert UsEquityFees().fee(BUY, D(1000), D(20), date(2024, 6, 3)) == 0


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # 20,000 USD sold, 1,000 shares: section 31 fee and TAF, each rounded up to the cent.
        (date(2010, 1, 4), D("0.45") + D("0.12")),
        (date(2013, 5, 24), D("0.45") + D("0.12")),
        (date(2013, 5, 25), D("0.35") + D("0.12")),
        (date(2016, 1, 4), D("0.37") + D("0.12")),
        (date(2024, 5, 21), D("0.16") + D("0.17")),
        (date(2024, 5, 22), D("0.56") + D("0.17")),
        (date(2025, 6, 2), D("0.00") + D("0.17")),
        (date(2026, 1, 2), D("0.00") + D("0.20")),
        (date(2026, 4, 3), D("0.00") + D("0.20")),
        (date(2026, 4, 6), D("0.42") + D("0.20")),
    ],
)
def test_sales_pay_the_rates_of_their_day(day: date, expected: D) -> None:
    assert UsEquityFees().fee(SELL, D(1000), D(20), day) == expected


def test_taf_is_capped_for_each_execution() -> None:
    assert UsEquityFees().fee(SELL, D(100_000), D("0.0001"), date(2025, 6, 2)) == D("8.30")


def test_commission_on_both_sides_with_its_minimum() -> None:
    fees = UsEquityFees(commission_per_share=D("0.005"), commission_min=D("1"))
    assert fees.fee(BUY, D(100), D(10), date(2025, 6, 2)) == D("1.00")
    assert fees.fee(BUY, D(1001), D(10), date(2025, 6, 2)) == D("5.01")
    assert fees.fee(SELL, D(100), D(10), date(2025, 6, 2)) == D("1.00") + D("0.02")


def test_a_commission_is_no_more_than_its_share_of_a_small_order() -> None:
    """Tiered: 0.0035 a share, at least 0.35, at most 1 % of what is traded."""
    fees = COMMISSIONS["ib"]
    assert fees.fee(BUY, D(1000), D(10), date(2025, 6, 2)) == D("3.50")
    assert fees.fee(BUY, D(12), D(10), date(2025, 6, 2)) == D("0.35")
    assert fees.fee(BUY, D(12), D(2), date(2025, 6, 2)) == D("0.24")
    assert COMMISSIONS["alpaca"].fee(BUY, D(1000), D(10), date(2025, 6, 2)) == 0


def test_taker_fee_is_a_share_of_the_notional() -> None:
    assert TakerFees(D("0.001")).fee(BUY, D("0.5"), D("30000"), date(2025, 6, 2)) == D("15.00")


def test_no_fees() -> None:
    assert NoFees().fee(SELL, D(1), D(1), date(2025, 6, 2)) == 0


def test_tables_are_in_order_of_time() -> None:
    assert list(SEC_RATES) == sorted(SEC_RATES, key=lambda rate: rate.since)
    assert list(TAF_RATES) == sorted(TAF_RATES, key=lambda rate: rate.since)
