"""Whether what was written down of a decision fits together: hashes, copies, the order that was sent."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose

from engine.execution.bracket import Bracket
from engine.execution.records import round_trip_of, round_trip_row
from engine.model.forecasts import Forecast
from engine.model.orders import OrderRole, OrderSpec
from engine.model.tickets import canonical_json
from engine.report.comparing import Comparison, compared, held, unknown
from engine.report.facts import Facts, TicketFact

_TOLERANCE = 1e-9
_DIGEST = re.compile(r"[0-9a-f]{8}")
_SENT = frozenset({OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET})


@dataclass(frozen=True, slots=True)
class Proof:
    """What only the rim can check. Each text says what is wrong, "" nothing, None: not looked at."""

    chain: str | None
    """Of the whole audit log."""
    signature: str | None
    """Of the approval."""
    memory: str | None
    """Whether the agents' memory tells the same of the candidate."""
    model: str | None = None
    """Of the registered model's files, hashes and signature."""
    forecast: Forecast | None = None
    """What that model says of the stored features now; None: it was not asked."""


NO_PROOF = Proof(None, None, None)


def digests(facts: Facts, proof: Proof) -> Iterator[Comparison]:
    """Every comparison of stored things with each other, in the order of the decision."""
    yield _said("audit log", proof.chain, "whole", "the hash of every row of the log covers the row before")
    yield _policy(facts)
    yield _candidate(facts)
    for fact in facts.tickets:
        yield from _ticket(fact, facts)
    if facts.ticket is not None and facts.ticket.approved_us is not None:
        words = "HMAC of ticket, hash, nonce, actor, time and price shown"
        yield _said("approval signature", proof.signature, "fits", words)
    if facts.bracket is not None:
        yield from _orders(facts, facts.bracket)
    yield _said("memory", proof.memory, "same", "features and votes as the agents' memory has them")
    yield from _model(facts, proof)


def _model(facts: Facts, proof: Proof) -> Iterator[Comparison]:
    """The model's files, and its forecast of the stored features; nothing where no model was asked."""
    found = None if facts.candidate is None else facts.candidate.assessment
    stored = None if found is None else found.forecast
    if stored is None:
        return
    name = f"model {stored.model_id}"
    yield _said(name, proof.model, "whole", "hashes of its files, signature, self-test")
    if proof.forecast is None:
        yield unknown("forecast", "the model could not be asked again", _chances(stored))
        return
    made = proof.forecast
    pairs = zip(_numbers(stored), _numbers(made), strict=False)
    ok = len(_numbers(stored)) == len(_numbers(made)) and all(
        isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) for left, right in pairs
    )
    words = "the registered model asked again with the stored features"
    yield held("forecast", ok, _chances(stored), _chances(made), words)


def _chances(forecast: Forecast) -> str:
    bounds = f"{forecast.low:.4f} to {forecast.high:.4f}"
    return f"p_touch {forecast.p_touch:.6f}, q {forecast.q_bounce:.6f}, {bounds}"


def _numbers(forecast: Forecast) -> tuple[float, ...]:
    moved = sorted((one.feature, one.amount) for one in forecast.contributions)
    chances = (forecast.p_touch, forecast.q_bounce, forecast.low, forecast.high)
    return (*chances, forecast.r_target, forecast.r_stop, forecast.r_time, *(amount for _, amount in moved))


def _said(name: str, problem: str | None, good: str, words: str) -> Comparison:
    if problem is None:
        return unknown(name, "not looked at in this report")
    return held(name, not problem, good, problem or good, words)


def _policy(facts: Facts) -> Comparison:
    """The id of the naive policy ends with the start of its config's hash."""
    fact, gaps = facts.ticket, facts.config.gaps
    if fact is None:
        return unknown("policy", "there is no ticket that names one")
    policy = fact.ticket.policy_id
    if gaps is None:
        return unknown("policy", "the config of that moment was not kept", policy)
    head, _, digest = policy.rpartition("-")
    if not _DIGEST.fullmatch(digest):
        return unknown("policy", "its id names no config: look at tradedeck policy", policy)
    derived = hashlib.sha256(canonical_json(gaps)).hexdigest()[: len(digest)]
    return compared(
        "policy", policy, f"{head}-{derived}", "it ends with the hash of the config that was kept"
    )


def _candidate(facts: Facts) -> Comparison:
    if facts.candidate is None:
        return unknown("candidate", "the log holds no line of this candidate")
    missing = [
        feature.id for feature in facts.candidate.features if feature.ts_known > facts.candidate.decided_us
    ]
    derived = ", ".join(missing) if missing else "none"
    return held("no look-ahead", not missing, "none", derived, "features known only after the decision")


def _ticket(fact: TicketFact, facts: Facts) -> Iterator[Comparison]:
    name = f"T-{fact.ticket.number}" if fact.ticket.number else "gated ticket"
    derived = hashlib.sha256(fact.body.encode()).hexdigest()
    yield compared(f"{name} sha256", fact.sha256, derived, "SHA-256 of the stored text")
    yield held(
        f"{name} text",
        fact.ticket.canonical().decode() == fact.body,
        "canonical",
        "canonical" if fact.ticket.canonical().decode() == fact.body else "another text",
        "the text is the canonical JSON of the ticket that it holds",
    )
    told = [
        str(line.body["sha256"])
        for line in facts.lines
        if line.body.get("ticket") == fact.ticket.id and "sha256" in line.body
    ]
    other = next((digest for digest in told if digest != fact.sha256), fact.sha256)
    if told:
        yield compared(f"{name} in the log", other, fact.sha256, "every line that names its hash")
    else:
        yield unknown(f"{name} in the log", "no line names its hash")
    if facts.candidate is not None:
        yield from _copies(name, fact, facts)


def _copies(name: str, fact: TicketFact, facts: Facts) -> Iterator[Comparison]:
    candidate, ticket = facts.candidate, fact.ticket
    if candidate is None:
        return
    pairs = (
        ("features", candidate.features, ticket.features),
        ("votes", facts.reports, ticket.reports),
        ("gap", candidate.gap, ticket.candidate_gap),
        ("prior close", candidate.prev_close, ticket.prev_close),
        ("decision price", candidate.decision_price, ticket.decision_price),
        ("regime", candidate.regime, ticket.regime),
        ("assessment", candidate.assessment, ticket.assessment),
    )
    different = [what for what, judged, ticketed in pairs if judged != ticketed]
    derived = ", ".join(different) if different else "same"
    yield held(f"{name} and candidate", not different, "same", derived, "the ticket repeats what was judged")


def _orders(facts: Facts, bracket: Bracket) -> Iterator[Comparison]:
    fact = next((one for one in facts.tickets if one.ticket.id == bracket.ticket), None)
    if fact is None:
        yield unknown("order sent", "the bracket belongs to no stored ticket")
        return
    order = fact.ticket.order
    approved = {spec.client_order_id: spec for spec in (order.entry, order.stop, order.target) if spec}
    sent = {leg.id: leg.spec for leg in bracket.legs if leg.role in _SENT and leg.id in approved}
    different = [str(id) for id, spec in sent.items() if _terms(spec) != _terms(approved[id])]
    if bracket.last_action is not None:
        yield unknown("order sent", "a corporate action restated the orders afterwards")
    else:
        derived = ", ".join(different) if different else f"{len(sent)} same"
        words = "the orders of the bracket hold the terms that were approved"
        yield held("order sent", not different, f"{len(sent)} same", derived, words)
    yield _trip(facts, bracket)


def _terms(spec: OrderSpec) -> bytes:
    """Without the parent and the time in force, which the venue's kind of bracket may change."""
    return canonical_json(
        (spec.instrument, spec.side, spec.type, spec.quantity, spec.limit_price, spec.stop_price)
    )


def _trip(facts: Facts, bracket: Bracket) -> Comparison:
    stored = facts.round_trip
    if stored is None:
        return unknown("round trip", "the position is not closed")
    made = round_trip_of(bracket, bracket.last_session)
    if made is None:
        return held("round trip", False, "a trade", "nothing was bought", "worked out from the fills")
    left, right = (dict(round_trip_row(trip).values) for trip in (stored, made))
    # How many sessions were counted at the end depends on the instant, which is not stored.
    different = [key for key in left if key != "sessions" and left[key] != right[key]]
    derived = ", ".join(f"{key} {right[key]}" for key in different) or f"P&L {right['pnl']}"
    return held("round trip", not different, f"P&L {left['pnl']}", derived, "worked out from the fills")
