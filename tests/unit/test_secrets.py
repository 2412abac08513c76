"""A secret shows itself to nobody but `reveal`."""

import copy
import json
import pickle
import re
from dataclasses import asdict, dataclass

import pytest

from engine.errors import UsageError
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, EDGAR_CONTACT, KEYS, Secret, key_kind

CANARY = "s3cr3t-CANARY-0123456789"


@dataclass(frozen=True, slots=True)
class Login:
    name: str
    secret: Secret


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        lambda s: f"{s}",
        lambda s: f"{s:>40}",
        lambda s: f"{s!r} {s!s} {s!a}",
        lambda s: "%s %r" % (s, s),  # noqa: UP031 - logging writes so
        lambda s: "{}".format(s),  # noqa: UP032 - the other way
        lambda s: str([s, {"k": s}, (s,)]),
        lambda s: str(Login("me", s)),
        lambda s: str(vars(type(s))),
        lambda s: str(ValueError("refused", s)),
        lambda s: json.dumps({"k": s}, default=str),
    ],
)
def test_every_way_of_showing_it_gives_stars(show) -> None:  # type: ignore[no-untyped-def]
    assert CANARY not in show(Secret(CANARY))


def test_it_is_revealed_only_when_asked() -> None:
    assert Secret(CANARY).reveal() == CANARY
    assert repr(Secret("")) == "***"


@pytest.mark.parametrize(
    "take", [copy.copy, copy.deepcopy, pickle.dumps, json.dumps, hash, lambda s: asdict(Login("me", s))]
)
def test_it_cannot_be_copied_stored_or_hashed(take) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError) as raised:
        take(Secret(CANARY))
    assert CANARY not in str(raised.value)


def test_it_has_nothing_to_look_into() -> None:
    secret = Secret(CANARY)
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(AttributeError):
        secret.text = "x"  # type: ignore[attr-defined]


def test_two_are_compared_by_what_they_hold() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "0")
    assert Secret("é") != Secret("e")
    assert Secret(CANARY) != CANARY


@pytest.mark.parametrize("kind", KEYS.values(), ids=str)
def test_every_key_has_a_place_of_its_own_everywhere(kind) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", kind.name)
    assert re.fullmatch(r"[a-z_]+", kind.credential)
    assert kind.variable == "TRADEDECK_KEY_" + kind.name.replace(".", "_").upper()
    assert sum(other.credential == kind.credential for other in KEYS.values()) == 1


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(
        UsageError, match=r"'alpaca.key' is not the name of a key. The nearest is alpaca.key_id"
    ):
        key_kind("alpaca.key")


@pytest.mark.parametrize("name", ["PKTEST0123456789ABCD", CANARY, "", "a b", "x" * 500])
def test_a_value_in_the_place_of_a_name_is_not_repeated(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        key_kind(name)
    assert not name or name not in str(raised.value)
    assert all(known in str(raised.value) for known in KEYS)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (ALPACA_KEY_ID, "", "empty"),
        (ALPACA_KEY_ID, "pk0123456789abcdef", "16 to 32 capital letters"),
        (ALPACA_KEY_ID, "PKTEST0123456789\n", "line break"),
        (ALPACA_SECRET, "short", "8 to 512"),
        (ALPACA_SECRET, "with a space in it", "without a space"),
        (ALPACA_SECRET, "bell\x07bell\x07bell", "cannot be printed"),
        (ALPACA_SECRET, "x" * 5000, "5,000 characters"),
        (EDGAR_CONTACT, "nobody at home", "mail address"),
    ],
)
def test_a_value_that_cannot_be_this_key_is_refused_without_telling_it(
    name: str, text: str, words: str
) -> None:
    why = key_kind(name).why_not(text)
    assert words in why
    assert not text or text not in why


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (ALPACA_KEY_ID, "PKTEST0123456789ABCD"),
        (ALPACA_SECRET, "abcDEF123/+=._~-abcDEF123"),
        (EDGAR_CONTACT, "me@example.com"),
    ],
)
def test_a_good_value_passes(name: str, text: str) -> None:
    assert key_kind(name).why_not(text) == ""
