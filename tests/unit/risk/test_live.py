"""Live mode: every missing condition is named, and none missing is the only way in."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.model.positions import AccountKind
from engine.risk.limits import DATASET, FULL
from engine.risk.live import DOCTOR_MAX_AGE_US, LiveRequest, missing, phrase_of, unmet

NOW = 1_800_000_000_000_000


@pytest.fixture
def request_of() -> Callable[..., LiveRequest]:
    """Everything that live mode needs, changed."""
    full = LiveRequest(
        "live",
        True,
        True,
        "U1234567",
        frozenset({"U1234567"}),
        "U1234567",
        AccountKind.LIVE,
        NOW,
        "4567 LIVE",
        NOW,
    )
    return lambda **changes: replace(full, **changes)


def test_with_everything_nothing_is_missing(request_of: Callable[..., LiveRequest]) -> None:
    assert unmet(request_of()) == ()
    assert unmet(request_of(doctor_green_us=NOW - DOCTOR_MAX_AGE_US)) == ()
    assert phrase_of("U1234567") == "4567 LIVE"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "paper"}, '[engine] mode is "paper", not "live"'),
        ({"flag": False}, "--live was not given"),
        ({"has_credentials": False}, "there is no live credential file"),
        ({"allowed": frozenset({"U7"})}, "account U1234567 is not in the allow-list"),
        ({"venue_account": "U7"}, "the venue says account U7, not U1234567"),
        ({"venue_account": None}, "the venue says account None, not U1234567"),
        ({"venue_kind": AccountKind.PAPER}, "the venue says the account is of kind paper"),
        ({"venue_kind": None}, "the venue says the account is of kind None"),
        ({"doctor_green_us": None}, "doctor was green never, limit 24 h"),
        ({"doctor_green_us": NOW - DOCTOR_MAX_AGE_US - 1}, "doctor was green 24.0 h ago, limit 24 h"),
        ({"doctor_green_us": NOW + 1}, "doctor was green -0.0 h ago, limit 24 h"),
        ({"typed": "4567 live"}, "the phrase was not typed"),
        ({"typed": ""}, "the phrase was not typed"),
    ],
)
def test_each_missing_condition_is_named(
    request_of: Callable[..., LiveRequest], changes: dict[str, object], words: str
) -> None:
    assert unmet(request_of(**changes)) == (words,)


def test_all_that_is_missing_is_named_at_once(request_of: Callable[..., LiveRequest]) -> None:
    nothing = request_of(
        mode="paper",
        flag=False,
        has_credentials=False,
        account="",
        allowed=frozenset(),
        venue_account=None,
        venue_kind=None,
        doctor_green_us=None,
        typed=" LIVE",
    )
    assert len(unmet(nothing)) == 8
    assert "no account number is configured" in unmet(nothing)


def test_only_real_money_needs_anything(request_of: Callable[..., LiveRequest]) -> None:
    assert missing(AccountKind.PAPER, DATASET, None) == ()
    assert missing(AccountKind.LIVE, FULL, request_of()) == ()
    assert missing(AccountKind.LIVE, FULL, None) == ("nobody asked for live mode",)
    assert missing(AccountKind.LIVE, DATASET, request_of(flag=False)) == (
        "--live was not given",
        "the limits of the account are off (dataset)",
    )
