"""Each kind of audit line as a sentence; one that is not known, or is damaged, is shown as it stands."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.showing.sentences import parsed, role_of, sentence, together

TICKET = "01A86GPWJ0T4G4CPGV7ZPTSKFT"
ENTRY, STOP, TARGET, EXIT = (f"td{TICKET}{mark}00" for mark in "ESTX")


def order(cid: str, **changes: Any) -> dict[str, Any]:
    """What a venue says of an order of 30."""
    body = {
        "client_order_id": cid,
        "instrument": "ABC.US",
        "side": "sell",
        "state": "working",
        "quantity": "30",
        "cum_filled": "0",
        "reason": "",
    }
    return body | changes


def spec(cid: str, **changes: Any) -> dict[str, Any]:
    """An order as it is sent."""
    body = {
        "client_order_id": cid,
        "side": "sell",
        "quantity": "30",
        "limit_price": None,
        "stop_price": None,
    }
    return body | changes


def fact(fact: dict[str, Any], *actions: dict[str, Any], phase: str = "entering") -> dict[str, Any]:
    return {"ticket": TICKET, "fact": fact, "phase": phase, "actions": list(actions)}


FILL = {
    "exec_id": "X1",
    "client_order_id": ENTRY,
    "instrument": "ABC.US",
    "side": "buy",
    "quantity": "30",
    "price": "25.48",
    "fee": "0",
}
PAIR = {
    "entry": None,
    "stop": spec(STOP, stop_price="25.26"),
    "target": spec(TARGET, limit_price="25.77"),
}
ACTION = {"instrument": "ABC.US", "kind": "split", "ratio": 0.5, "ex_date": "2016-01-05", "prior_close": 9.0}
SAID = [
    (
        "started",
        {"config": "0123456789", "kind": "paper"},
        "engine started, account kind paper, config 01234567",
    ),
    ("stopped", {}, "engine stopped"),
    ("stopped", {"unknown": ["a", "b"]}, "engine stopped, fate not known of a, b"),
    (
        "candidate",
        {"candidate": {"instrument": "ABC.US", "gap": -0.0604}, "reports": [], "reason": "ADV 1.2M < 5M"},
        "ABC judged, gap -6.0%: ADV 1.2M < 5M",
    ),
    (
        "candidate",
        {"candidate": {"instrument": "ABC.US", "gap": -0.05}, "reports": [], "reason": ""},
        "ABC judged, gap -5.0%: proposed",
    ),
    (
        "pending",
        {"gates": [{"status": "pass"}, {"status": "not_applicable"}, {"status": "fail"}]},
        "waits for approval, 1 of 3 gates pass, 1 n/a",
    ),
    ("gated_out", {"reason": "G1 engine: HALTED"}, "refused by a gate: G1 engine: HALTED"),
    (
        "approved",
        {"price_shown": 133.57, "sha256": "b36b242c60bc"},
        "approved at a price of 133.57, sha256 b36b242c",
    ),
    ("approved", {"price_shown": None, "sha256": "b36b242c60bc"}, "approved, sha256 b36b242c"),
    ("approval_refused", {"text": "T-1 refused: too old."}, "T-1 refused: too old."),
    ("command_refused", {"text": "B-1 ABC: 0 held."}, "B-1 ABC: 0 held."),
    ("rejected", {"reason": "not now"}, "rejected: not now"),
    ("expired", {"reason": "nobody decided in time"}, "expired: nobody decided in time"),
    (
        "superseded",
        {"reason": "4 of 10 shares by ann on pts/1 at 14:30:00Z, now T-2", "by": "01"},
        "made smaller: 4 of 10 shares by ann on pts/1 at 14:30:00Z, now T-2",
    ),
    ("snoozed", {"until_us": 1451918100000000}, "snoozed until 14:35:00Z"),
    (
        "submitted",
        {
            "order": json.dumps(
                {
                    "entry": spec(ENTRY, side="buy", limit_price="25.50"),
                    **{k: PAIR[k] for k in ("stop", "target")},
                }
            )
        },
        "sent for the ticket: buy 30 limit 25.50, sell 30 stop 25.26, sell 30 limit 25.77",
    ),
    (
        "intent",
        spec(ENTRY, side="buy", limit_price="0.00008127", quantity="1200"),
        "entry intent written to the journal, then sent: buy 1,200 limit 0.00008127",
    ),
    ("VenueOrder", fact(order(STOP)), "stop order working, 0 of 30 filled"),
    (
        "VenueOrder",
        fact(order(TARGET, state="canceled", cum_filled="4", reason="by request")),
        "target order canceled, 4 of 30 filled: by request",
    ),
    (
        "Fill",
        fact(FILL, {"do": "SendBracket", "spec": PAIR}),
        "ABC bought 30 at 25.48. Then sent sell 30 stop 25.26, sell 30 limit 25.77",
    ),
    (
        "Fill",
        fact(FILL | {"client_order_id": STOP, "side": "sell", "fee": "0.30", "price": "4.456381320953369"}),
        "ABC sold 30 at 4.46 by the stop, fee 0.30",
    ),
    ("Accepted", fact({"order": STOP}), "the venue took the stop order"),
    (
        "Found",
        fact({"report": order(ENTRY, state="filled", cum_filled="30")}),
        "asked, and found: entry order filled, 30 of 30 filled",
    ),
    ("Adopted", fact({"report": order(EXIT)}), "adopted: exit order working, 0 of 30 filled"),
    (
        "AnswerLost",
        fact({"order": ENTRY, "reason": "no answer"}, {"do": "AskOrder", "order": ENTRY}),
        "no answer: the entry order may or may not be at the venue. Then asked the venue for the entry",
    ),
    ("NotFound", fact({"order": STOP}), "asked: the venue does not know the stop order"),
    (
        "Refused",
        fact(
            {"order": EXIT, "reason": "no shares"}, {"do": "RaiseAlarm", "text": "ABC: refused", "page": True}
        ),
        "the venue refused the exit order: no shares. Then alarm: ABC: refused",
    ),
    (
        "ExitWanted",
        fact({"reason": "time"}, {"do": "CancelOrder", "order": STOP}),
        "the position is to end: time. Then asked to cancel the stop",
    ),
    ("SessionOver", fact({"session": "2016-01-04"}), "session 2016-01-04 is over"),
    ("Traded", fact({"low": "1.5", "high": "2.25"}), "traded between 1.5 and 2.25"),
    ("VenueHolds", fact({"quantity": "7"}), "the venue holds 7 of it"),
    ("corporate_action", ACTION | {"ticket": TICKET}, "ABC split by 0.5 of 2016-01-05"),
    ("Restatement", fact({"action": ACTION, "ahead": "0"}), "ABC split by 0.5 of 2016-01-05"),
    (
        "review",
        fact(
            {}, {"do": "ReplaceOrder", "order": STOP, "spec": spec(STOP, stop_price="26")}, phase="protected"
        ),
        "time went by, now protected. Then asked to put sell 30 stop 26 in the place of the stop",
    ),
    (
        "review",
        fact({}, {"do": "AskFills", "since_us": 1}),
        "time went by, now entering. Then asked the venue for executions",
    ),
    (
        "Reconciled",
        {
            "facts": [
                {"fact": "Fill", **FILL},
                {"fact": "VenueOrder", **order(STOP)},
                {"fact": "Found", "report": order(TARGET)},
                {"fact": "NotFound", "order": ENTRY},
            ],
            "actions": [{"do": "SendOrder", "spec": spec(EXIT)}],
        },
        "compared with the venue: ABC bought 30 at 25.48; stop order working, 0 of 30 filled; target order"
        " working, 0 of 30 filled; NotFound. Then sent sell 30 at market",
    ),
    (
        "evidence_conflict",
        {"order": STOP, "filled": "39", "said": "0"},
        "the venue counted 0 filled of the stop order, 39 were",
    ),
    ("distrusted", {"order": STOP, "why": "it shrank"}, "a report of the stop is not believed: it shrank"),
    ("halted", {"reason": "lunch"}, "HALTED: lunch"),
    ("halted", {"reason": "split", "instrument": "ABC.US"}, "ABC HALTED: split"),
    ("resumed", {}, "resumed"),
    ("resumed", {"instrument": "ABC.US"}, "ABC released"),
    ("shutdown", {"reason": "anomalies", "flatten": False}, "emergency shutdown: anomalies"),
    (
        "shutdown",
        {"reason": "anomalies", "flatten": True},
        "emergency shutdown: anomalies, every position is to be sold",
    ),
    (
        "shutdown_step",
        {"step": "cancel_entries", "notes": ["1 did not answer"]},
        "emergency shutdown, done: cancel working entries: 1 did not answer",
    ),
    ("shutdown_step", {"step": "snapshot", "notes": []}, "emergency shutdown, done: write the snapshot"),
    (
        "breaker_moved",
        {"level": 1, "was": 0, "drawdown": "0.0631", "high_water": "104000", "equity": "97437"},
        "drawdown 6.3% under 104,000.00: level 0 to 1",
    ),
    ("breaker_released", {"equity": "84000"}, "drawdown breaker released, counted from 84,000.00"),
    (
        "var_tested",
        {"days": 60, "exceptions": 2, "expected": 3.0},
        "2 of 60 sessions lost more than the value at risk, 3.0 were to be expected",
    ),
    ("settled", {"amount": "-500", "reason": "wire"}, "-500.00 booked as paid in or taken out: wire"),
    (
        "orphan",
        {"order": STOP, "instrument": "ABC.US", "side": "sell", "kept": True},
        "ABC: an order of ours that the journal does not know was kept, it protects",
    ),
    ("account first seen", {"changed": {}}, "in the account, not ours: nothing"),
    (
        "external position",
        {"changed": {"ABC.US": {"from": "0", "to": "5"}}},
        "in the account, not ours: ABC.US 0 to 5",
    ),
    ("EntryUnwanted", {"fact": {}, "actions": []}, "the rest of the entry is not wanted any more"),
    ("AskWanted", {"fact": {}, "actions": []}, "asked to find out now"),
    ("difference accepted", {"difference": "ABC.US: we hold 0"}, "accepted: ABC.US: we hold 0"),
    ("model_changed", {"model": "m7", "ticket": TICKET}, "model changed: model m7"),
    ("model_changed", {}, "model changed"),
]


@pytest.mark.parametrize(
    ("kind", "body", "words"), SAID, ids=[f"{kind}-{n}" for n, (kind, _, _) in enumerate(SAID)]
)
def test_a_line_is_told_in_the_words_of_a_trader(kind: str, body: dict[str, Any], words: str) -> None:
    assert sentence(kind, json.dumps(body)) == words


@pytest.mark.parametrize("kind", sorted({kind for kind, _, _ in SAID}))
@pytest.mark.parametrize(
    "body", ["not json", "[]", "7", "null", '{"fact": 1}', '{"fact": {"quantity": "x"}}']
)
def test_a_damaged_line_is_shown_as_it_stands(kind: str, body: str) -> None:
    assert sentence(kind, body)
    assert parsed("not json") is None


def test_an_order_of_a_token_keeps_its_digits_and_a_stored_float_is_rounded() -> None:
    tiny = fact(FILL | {"price": "0.00008127"})
    assert sentence("Fill", json.dumps(tiny)) == "ABC bought 30 at 0.00008127"
    stored = fact(FILL | {"price": "0.000081270000012"})
    assert sentence("Fill", json.dumps(stored)) == "ABC bought 30 at 0.00008127"


def test_the_orders_of_a_group_are_told_at_once() -> None:
    lost = [fact({"order": cid, "reason": "the connection broke"}) for cid in (ENTRY, STOP, TARGET)]
    words = "the connection broke: the entry, stop and target orders may or may not be at the venue"
    assert together("AnswerLost", lost) == words
    assert together("Accepted", lost[1:]) == "the venue took the stop and target orders"
    assert together("NotFound", lost[:1]) == "asked: the venue does not know the entry order"


@pytest.mark.parametrize(
    ("cid", "role"),
    [(ENTRY, "entry"), (STOP, "stop"), (TARGET, "target"), (EXIT, "exit"), ("V4", "order"), ("", "order")],
)
def test_the_role_stands_in_the_id(cid: str, role: str) -> None:
    assert role_of(cid) == role


@given(st.text(max_size=60), st.sampled_from(["rejected", "Refused", "halted", "some_kind"]))
def test_what_a_venue_or_a_person_wrote_moves_no_cursor(text: str, kind: str) -> None:
    body = {"reason": text, "ticket": TICKET, "fact": {"order": STOP, "reason": text}, "actions": []}
    words = sentence(kind, json.dumps(body))
    assert not {unicodedata.category(char) for char in words} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_a_long_line_says_that_it_was_cut() -> None:
    words = sentence("rejected", json.dumps({"reason": "x" * 5000}))
    assert (len(words), words[-2:]) == (300, "x…")


def check(name: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "ok": ok, "is_risk": True, "done": "60 shares", "demanded": "<= 39"}


@pytest.mark.parametrize(
    ("kind", "checks", "words"),
    [
        ("compliance_passed", [check("size", True)] * 12, "looked back: all 12 checks as demanded"),
        (
            "compliance",
            [check("size", False), check("vote", True)],
            "looked back, not as demanded: size 60 shares, demanded <= 39",
        ),
    ],
)
def test_looking_back_names_what_deviated(kind: str, checks: list[dict[str, Any]], words: str) -> None:
    assert sentence(kind, json.dumps({"ticket": TICKET, "checks": checks})) == words


def test_a_kind_without_words_of_its_own_shows_no_structure() -> None:
    body = {"week": "2016-W05", "review": {"n": 1}, "trades": ["a", "b"]}
    assert sentence("weekly_review", json.dumps(body)) == "weekly review: week 2016-W05, 2 trades"
