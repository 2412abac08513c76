"""`tradedeck accounts`: an amount and a reason, or a name, or nothing is asked of the engine."""

from decimal import Decimal
from typing import Any

import pytest

from engine.model.commands import Answer
from tui.commands import asking

OK = Answer(True, "ok", "Booked a deposit of 500.00: cash is 10,500.00.")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the engine was asked to book; it answers `answers`, then yes."""
    found: list[Any] = []

    def settle(at: Any, difference: Decimal, reason: str) -> Answer:
        found.append((difference, reason))
        return OK if reason != "no" else Answer(False, "no_such_difference", "There is nothing to book.")

    monkeypatch.setattr(asking, "settle", settle)
    return found


@pytest.mark.parametrize(
    ("command", "amount", "difference"),
    [("deposit", "1,500.25", "1500.25"), ("withdrawal", "500", "-500")],
)
def test_money_that_came_or_went_is_booked(
    deck: Any, settled: list[Any], command: str, amount: str, difference: str
) -> None:
    ended = deck("accounts", command, amount, "--reason", "wire\x07 of May")
    assert (ended.code, ended.out) == (0, f"{OK.text}\n")
    assert settled == [(Decimal(difference), "wire of May")]


def test_a_refusal_is_told_with_its_exit_code(deck: Any, settled: list[Any]) -> None:
    ended = deck("accounts", "deposit", "5", "--reason", "no")
    assert (ended.code, ended.out, ended.err) == (65, "", "There is nothing to book.\n")
    document = deck("accounts", "deposit", "5", "--reason", "no", "--json")
    assert '"code": "no_such_difference"' in document.out


@pytest.mark.parametrize("amount", ["0", "nan", "Infinity", "much", "", "-5"])
def test_what_is_no_amount_is_refused(deck: Any, settled: list[Any], amount: str) -> None:
    assert deck("accounts", "deposit", "--reason", "wire", "--", amount).code == 2
    assert settled == []


@pytest.mark.parametrize("reason", ["", "  ", "\x1b\x07"])
def test_a_reason_is_needed(deck: Any, settled: list[Any], reason: str) -> None:
    ended = deck("accounts", "deposit", "5", "--reason", reason)
    assert ended.code == 2
    assert "--reason is empty" in ended.err
    assert settled == []


def test_a_drawdown_stop_is_released_by_the_name_that_was_typed(
    deck: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[str] = []

    def release(at: Any, account: str) -> Answer:
        typed.append(account)
        if account != "paper":
            return Answer(False, "wrong_name", "That is not the account's name. Nothing was released.")
        return Answer(True, "ok", "Released: the drawdown is counted from 9,000.00.")

    monkeypatch.setattr(asking, "release_breaker", release)
    ended = deck("accounts", "release", "paper")
    assert (ended.code, ended.out) == (0, "Released: the drawdown is counted from 9,000.00.\n")
    refused = deck("accounts", "release", "Paper")
    assert (refused.code, refused.out) == (65, "")
    assert typed == ["paper", "Paper"]
    assert deck("accounts", "release").code == 2
