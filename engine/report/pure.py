"""What a decision follows from by calculation alone, worked out again from its stored inputs."""

import re
from collections.abc import Iterator
from decimal import Decimal
from math import isclose

from engine.agents.panel import TrackRecord, agree
from engine.execution.gating import QUOTE_AGE_PROPOSAL_US
from engine.model.candidates import GateResult, GateStatus, Vote
from engine.model.market import Instrument
from engine.model.tickets import Ticket
from engine.model.whynot import Outcome
from engine.money import ZERO, equity_tick, to_decimal
from engine.report.comparing import Comparison, compared, held, unknown
from engine.report.facts import Facts, TicketFact
from engine.report.scores import scores
from engine.risk.fatfinger import liquidity_room
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_orders import EntryPrices, price_entry, size_share

_TOLERANCE = 1e-9
_FACTOR = re.compile(r" x ([0-9.]+) for ")
"""In the name of a bound: what its room was multiplied by, and why."""


def recalculated(facts: Facts) -> Iterator[Comparison]:
    """Gap, vote, prices, size and the gates whose inputs are stored."""
    yield from _gap(facts)
    yield from scores(facts)
    yield _consensus(facts)
    fact = facts.ticket
    if fact is None:
        return
    yield _prices(fact, facts.config.gaps)
    yield _size(fact, facts.config.gaps)
    yield from _gates(fact.ticket)


def _gap(facts: Facts) -> Iterator[Comparison]:
    candidate = facts.candidate
    if candidate is None:
        return
    gap = candidate.decision_price / candidate.prev_close - 1
    ok = isclose(gap, candidate.gap, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    yield held("gap", ok, f"{candidate.gap:.6f}", f"{gap:.6f}", "decision price / prior close - 1")
    stored = next((f.value for f in candidate.features if f.id == "gap_dn"), None)
    if stored is not None:
        down = min(0.0, gap)
        ok = isclose(down, stored, rel_tol=1e-6, abs_tol=_TOLERANCE)
        yield held("gap_dn", ok, f"{stored:.6f}", f"{down:.6f}", "min(0, gap)")


def _consensus(facts: Facts) -> Comparison:
    """Unanimity is worked out again; the weights of a weighted vote are not stored with the decision."""
    if not facts.reports:
        return unknown("vote", "no verdicts are stored")
    outcome = None if facts.whynot is None else facts.whynot["outcome"]
    passed = bool(facts.tickets) or outcome not in (None, Outcome.VETOED)
    stored = "approved" if passed else "vetoed"
    config = facts.config.gaps or GapsConfig()
    count = agree(facts.reports, TrackRecord(), config.consensus_after_trades, config.consensus_min)
    hard = any(report.vote is Vote.VETO and report.hard for report in facts.reports)
    derived = "approved" if count.approved else "vetoed"
    if derived != stored and not hard:
        return unknown("vote", "a weighted vote decided; its weights are in the policy history", stored)
    return compared("vote", stored, derived, count.reason)


def _prices(fact: TicketFact, config: GapsConfig | None) -> Comparison:
    ticket = fact.ticket
    order = ticket.order
    limit = None if order.entry is None else order.entry.limit_price
    shown = " / ".join(str(price) for price in (order.stop.stop_price, limit, order.target.limit_price))
    if config is None:
        return unknown("stop, limit, target", "the config of that moment was not kept", shown)
    for tick in _ticks(limit):
        made = price_entry(ticket.quote, Instrument(ticket.instrument, tick_size=tick), config)
        if made is not None and (made.stop_price, made.limit_price, made.target_price) == (
            order.stop.stop_price,
            limit,
            order.target.limit_price,
        ):
            of = "no tick" if tick is None else f"tick {tick}"
            return held("stop, limit, target", True, shown, _shown(made), f"from the stored quote, {of}")
    made = price_entry(ticket.quote, Instrument(ticket.instrument), config)
    derived = "no two-sided quote" if made is None else _shown(made)
    return held("stop, limit, target", False, shown, derived, "from the stored quote")


def _shown(prices: EntryPrices) -> str:
    return f"{prices.stop_price} / {prices.limit_price} / {prices.target_price}"


def _ticks(limit: Decimal | None) -> tuple[Decimal | None, ...]:
    """The tick is not stored: what the exchange prescribes, or none at all in stored days."""
    return (None,) if limit is None else (equity_tick(limit), None)


def _size(fact: TicketFact, config: GapsConfig | None) -> Comparison:
    """From the bound that is named; the bounds that need the whole account are not stored."""
    ticket, name = fact.ticket, "size"
    entry = ticket.order.entry
    if entry is None or entry.limit_price is None:
        return unknown(name, "the ticket holds no limit entry")
    stored = f"{entry.quantity:f}"
    if fact.replaces:
        return unknown(name, "a person made it smaller", stored)
    if config is None:
        return unknown(name, "the config of that moment was not kept", stored)
    rooms = _rooms(ticket, config)
    if not rooms:
        return unknown(name, f"what bound it ({ticket.size_binding}) is not stored", stored)
    factor = Decimal(1)
    for found in _FACTOR.findall(ticket.size_binding):
        factor *= Decimal(found)
    sizes = {(room * factor / entry.limit_price).to_integral_value("ROUND_DOWN"): room for room in rooms}
    derived = entry.quantity if entry.quantity in sizes else next(iter(sizes))
    allowed = sizes[derived] * factor
    words = f"{ticket.size_binding} allows {allowed:.2f} at {entry.limit_price:f}"
    return held(name, entry.quantity == derived, stored, f"{derived:f}", words)


def _rooms(ticket: Ticket, config: GapsConfig) -> tuple[Decimal, ...]:
    """What the named bound allows; two amounts where the drawdown may have asked for caution."""
    entry = ticket.order.entry
    match ticket.size_binding.partition(" ")[0]:
        case "strategy":
            shares = (size_share(ticket.regime, config, cautious) for cautious in (False, True))
            return tuple(ticket.equity * to_decimal(share) for share in shares)
        case "liquidity":
            adv = next((f.value for f in ticket.features if f.id == "adv_usd_20"), None)
            room = liquidity_room(adv)
            return () if room is None else (room,)
        case "cash" if entry is not None and entry.limit_price is not None:
            return (ticket.cash_after + entry.quantity * entry.limit_price,)
    return ()


def _gates(ticket: Ticket) -> Iterator[Comparison]:
    """The gates that look at nothing but what the ticket holds."""
    results = {gate.gate: gate for gate in ticket.gates}
    if (data := results.get("G2")) is not None:
        age_us = ticket.created_us - ticket.quote.ts_event
        two_sided = ticket.quote.bid is not None and ticket.quote.ask is not None
        passes = two_sided and age_us <= QUOTE_AGE_PROPOSAL_US
        yield _gate(data, passes, f"{age_us / 1e6:.1f} s")
    if (votes := results.get("G4")) is not None:
        voted = [report.vote for report in ticket.reports if report.vote is not Vote.ABSTAIN]
        yes = voted.count(Vote.APPROVE)
        yield _gate(votes, yes == len(voted) > 0, f"{yes} of {len(voted)} approve")
    if (size := results.get("G9")) is not None and ticket.order.entry is not None:
        quantity = ticket.order.entry.quantity
        yield _gate(size, quantity > ZERO, f"{quantity:,f}")


def _gate(gate: GateResult, passes: bool, value: str) -> Comparison:
    """What a gate let through must pass again; one that failed may have failed for more than is stored."""
    name = f"{gate.gate} {gate.title}"
    if gate.status is GateStatus.NOT_APPLICABLE:
        return unknown(name, gate.reason or "it did not apply")
    stored, derived = f"{gate.status.value}, {gate.value}", f"{'pass' if passes else 'fail'}, {value}"
    if gate.status is GateStatus.FAIL:
        if passes:
            return unknown(name, "it failed for what is not stored with the ticket", stored)
        return held(name, True, stored, derived, "from the stored quote, votes and order")
    return held(name, passes, stored, derived, "from the stored quote, votes and order")
