"""The margin in words: what was measured, what would have passed, and how far it is."""

import pytest

from engine.execution.margins import margin


@pytest.mark.parametrize(
    ("value", "limit", "words"),
    [
        ("gap 4.1 %", ">= 5.0 %", "needs 0.9 points more"),
        ("gap -2.50 %", "<= -3.00 %", "needs 0.50 points less"),
        ("price 3.12", ">= 5", "needs 1.88 more"),
        ("price 61", "<= 50", "needs 11 less"),
        ("ADV 812,000 USD", ">= 1,000,000 USD", "needs 188,000 USD more"),
        ("8 open", "< 8 open", "needs 1 less open"),
        ("9 open", "< 8 open", "needs 2 less open"),
        ("0", "> 0", "needs 1 more"),
        ("0.5", "> 1.5", "needs a value above 1.5"),
        ("2.5 %", "< 2.5 %", "needs a value below 2.5 points"),
        ("16.4 s", "3 s", "needs 13.4 s less"),
        ("2.0", "3.5", "needs 1.5 more"),
        (
            "2 in strategy, 20 in all, 0 in instrument",
            "< 8 in strategy, < 20 in all, < 1 in instrument",
            "needs 1 less in all",
        ),
        ("9 in strategy, 20 in all", "off in strategy, < 20 in all", "needs 1 less in all"),
        ("HALTED", "RUNNING", "needs RUNNING"),
        ("no quote", "3 s", "needs 3 s"),
        ("4 of 5 approve", "all", "needs all"),
        ("spy_stress", "normal or high_vix", "needs normal or high_vix"),
        ("1,200", "<= 1,500", "needs <= 1,500"),
        ("a", "b, c", "needs b, c"),
        ("offering 37m ago", "no severe headline in 3d", "needs no severe headline in 3d"),
        ("anything", "", ""),
        ("", "", ""),
    ],
)
def test_what_would_have_passed_is_told_with_its_distance(value: str, limit: str, words: str) -> None:
    assert margin(value, limit) == words


def test_a_number_inside_a_name_is_no_measurement() -> None:
    assert margin("G8 full", "< 8 open") == "needs < 8 open"
