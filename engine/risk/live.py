"""The one guard before real money (RELIABILITY 8, Modes): everything that is missing, at once."""

from collections.abc import Set
from dataclasses import dataclass

from engine.clock import US_PER_S
from engine.model.positions import AccountKind
from engine.risk.limits import LimitSwitches

DOCTOR_MAX_AGE_US = 24 * 3600 * US_PER_S
WORD = "LIVE"
TAIL = 4
"""How many last characters of the account number are typed before the word."""


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What a start in live mode brings with it. Times int microseconds UTC."""

    mode: str
    """`[engine] mode` of the configuration."""
    flag: bool
    """`--live` was typed."""
    has_credentials: bool
    """The live credential file exists and is readable by its owner alone."""
    account: str
    """The account number that the configuration names."""
    allowed: Set[str]
    """The allow-list of account numbers."""
    venue_account: str | None
    """What the venue says it is; None: it did not say."""
    venue_kind: AccountKind | None
    doctor_green_us: int | None
    """When `doctor` last found nothing wrong; None: never."""
    typed: str
    """The phrase that the person typed, or armed the daemon with."""
    now_us: int


def phrase_of(account: str) -> str:
    """What must be typed: the last four characters of the account number, and the word."""
    return f"{account[-TAIL:]} {WORD}"


def missing(kind: AccountKind, switches: LimitSwitches, request: LiveRequest | None) -> tuple[str, ...]:
    """What an account of this kind lacks, in words: only one with real money needs anything.

    No request: nobody asked for live mode. Asked at the start, and by the gates before each entry.
    """
    if kind is not AccountKind.LIVE:
        return ()
    limits = () if switches.portfolio else (f"the limits of the account are off ({switches.name})",)
    return (*(("nobody asked for live mode",) if request is None else unmet(request)), *limits)


def unmet(request: LiveRequest) -> tuple[str, ...]:
    """Every condition that is not met, in words; live mode needs none of them."""
    return tuple(words for met, words in _conditions(request) if not met)


def _conditions(request: LiveRequest) -> tuple[tuple[bool, str], ...]:
    age_us = None if request.doctor_green_us is None else request.now_us - request.doctor_green_us
    doctor = "never" if age_us is None else f"{age_us / US_PER_S / 3600:.1f} h ago"
    return (
        (request.mode == "live", f'[engine] mode is "{request.mode}", not "live"'),
        (request.flag, "--live was not given"),
        (request.has_credentials, "there is no live credential file"),
        (bool(request.account), "no account number is configured"),
        (request.account in request.allowed, f"account {request.account} is not in the allow-list"),
        (
            request.venue_account == request.account,
            f"the venue says account {request.venue_account}, not {request.account}",
        ),
        (
            request.venue_kind is AccountKind.LIVE,
            f"the venue says the account is of kind {request.venue_kind}",
        ),
        (
            age_us is not None and 0 <= age_us <= DOCTOR_MAX_AGE_US,
            f"doctor was green {doctor}, limit 24 h",
        ),
        (request.typed == phrase_of(request.account), "the phrase was not typed"),
    )
