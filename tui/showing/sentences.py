"""Lines of the audit log as sentences: what happened, in the words of a trader, past tense.

A line of a kind that is not listed is shown with its kind and what it holds: nothing of the log is hidden.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.execution.shutdown import WORDS, ShutdownStep
from engine.model.ids import InstrumentId, symbol_of
from engine.model.orders import OrderRole
from engine.model.text import clean
from tui import format

MOST_LETTERS = 300
MOST_DECIMALS = 8
"""A price with more is a stored float and no price of a venue: it is shown rounded."""
_SMALL = Decimal("0.01")
OF_A_GROUP = {
    "Accepted": "the venue took the {orders}",
    "AnswerLost": "{reason}: the {orders} may or may not be at the venue",
    "NotFound": "asked: the venue does not know the {orders}",
}
"""What happens to the orders of a group at once, told in a line for each."""
Body = Mapping[str, Any]
_ROLES = {
    OrderRole.ENTRY: "entry",
    OrderRole.STOP: "stop",
    OrderRole.TARGET: "target",
    OrderRole.EXIT: "exit",
}


def sentence(kind: str, body: str) -> str:
    """One line's words; `body`: the canonical JSON of it."""
    return told(kind, parsed(body), body)


def parsed(body: str) -> Any:
    """What a line's JSON holds; None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def told(kind: str, held: Any, body: str) -> str:
    """`sentence`, for whoever parsed the line already."""
    try:
        say = _SAYINGS.get(kind)
        words = _other(kind, held) if say is None else say(held)
    except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError):
        # A line of an older program may hold something else: it is shown as it stands.
        words = f"{kind}: {body}"
    return _line(words)


def _line(words: str) -> str:
    """One line without what a terminal obeys; the line's body has all of it."""
    line = clean(words, MOST_LETTERS + 1)
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"


def role_of(order: str) -> str:
    """`stop` of a client order id; `order` for one that is not ours."""
    mark = order[-3:-2]
    return _ROLES[OrderRole(mark)] if mark in tuple(OrderRole) else "order"


def _price(text: str) -> str:
    """As the venue has it; what no venue has, as prices are shown."""
    value = Decimal(text)
    if -int(value.as_tuple().exponent) <= MOST_DECIMALS:
        return text
    return format.token_price(value) if abs(value) < _SMALL else format.price(value)


def _money(text: str) -> str:
    return format.money(Decimal(text))


def _count(text: str) -> str:
    return format.quantity(Decimal(text))


def _symbol(instrument: str) -> str:
    return symbol_of(InstrumentId(instrument))


def _candidate(body: Body) -> str:
    candidate = body["candidate"]
    ended = body["reason"] or "proposed"
    return f"{_symbol(candidate['instrument'])} judged, gap {candidate['gap']:+.1%}: {ended}"


def _pending(body: Body) -> str:
    gates = body["gates"]
    passed = sum(gate["status"] == "pass" for gate in gates)
    others = sum(gate["status"] == "not_applicable" for gate in gates)
    return f"waits for approval, {passed} of {len(gates)} gates pass{f', {others} n/a' if others else ''}"


def _approved(body: Body) -> str:
    shown = body.get("price_shown")
    at = "" if shown is None else f" at a price of {_price(repr(shown))}"
    return f"approved{at}, sha256 {body['sha256'][:8]}"


def _spec(spec: Body) -> str:
    """`stop 25.26`, `sell 30 at market`, `buy 33 limit 139.09`."""
    side, quantity = spec["side"], _count(spec["quantity"])
    if spec["stop_price"] is not None:
        return f"{side} {quantity} stop {_price(spec['stop_price'])}"
    price = "at market" if spec["limit_price"] is None else f"limit {_price(spec['limit_price'])}"
    return f"{side} {quantity} {price}"


def _group(spec: Body) -> str:
    """One order, or the orders of a group."""
    if "stop" not in spec:
        return _spec(spec)
    return ", ".join(_spec(spec[name]) for name in ("entry", "stop", "target") if spec[name] is not None)


def _submitted(body: Body) -> str:
    return f"sent for the ticket: {_group(json.loads(body['order']))}"


def _intent(body: Body) -> str:
    return f"entry intent written to the journal, then sent: {_group(body)}"


def _order(report: Body) -> str:
    """`stop order working, 0 of 30 filled`."""
    why = f": {report['reason']}" if report["reason"] else ""
    filled = f"{_count(report['cum_filled'])} of {_count(report['quantity'])} filled"
    return f"{role_of(report['client_order_id'])} order {report['state']}, {filled}{why}"


def _fill(fill: Body) -> str:
    verb = "bought" if fill["side"] == "buy" else "sold"
    fee = f", fee {_price(fill['fee'])}" if Decimal(fill["fee"]) else ""
    role = role_of(fill["client_order_id"])
    by = "" if role == "entry" else f" by the {role}"
    quantity, price = _count(fill["quantity"]), _price(fill["price"])
    return f"{_symbol(fill['instrument'])} {verb} {quantity} at {price}{by}{fee}"


def _of_fact(say: Callable[[Body], str]) -> Callable[[Body], str]:
    """What was heard, and what was done about it."""
    return lambda body: say(body["fact"]) + _then(body["actions"])


def together(kind: str, bodies: Sequence[Body]) -> str:
    """The words of one of `OF_A_GROUP` about all orders of a group, of which each has a line of its own."""
    roles = list(dict.fromkeys(role_of(body["fact"]["order"]) for body in bodies))
    names = f"{', '.join(roles[:-1])} and {roles[-1]} orders" if len(roles) > 1 else f"{roles[0]} order"
    reason = bodies[0]["fact"].get("reason", "")
    actions = [action for body in bodies for action in body["actions"]]
    return _line(OF_A_GROUP[kind].format(orders=names, reason=reason) + _then(actions))


def _then(actions: Sequence[Body]) -> str:
    done = [words for action in actions if (words := _action(action))]
    return f". Then {'; '.join(done)}" if done else ""


def _action(action: Body) -> str:
    match action["do"]:
        case "SendOrder" | "SendBracket":
            return f"sent {_group(action['spec'])}"
        case "ReplaceOrder":
            return f"asked to put {_spec(action['spec'])} in the place of the {role_of(action['order'])}"
        case "CancelOrder":
            return f"asked to cancel the {role_of(action['order'])}"
        case "AskOrder":
            return f"asked the venue for the {role_of(action['order'])}"
        case "AskFills":
            return "asked the venue for executions"
        case _:
            return f"alarm: {action['text']}"


def _review(body: Body) -> str:
    return f"time went by, now {body['phase']}{_then(body['actions'])}"


def _reconciled(body: Body) -> str:
    facts = [
        _fill(fact)
        if fact["fact"] == "Fill"
        else _order(fact.get("report", fact))
        if "report" in fact or "cum_filled" in fact
        else fact["fact"]
        for fact in body["facts"]
    ]
    return f"compared with the venue: {'; '.join(facts)}{_then(body['actions'])}"


def _action_of_company(body: Body) -> str:
    action = body["fact"]["action"] if "fact" in body else body
    return f"{_symbol(action['instrument'])} {action['kind']} by {action['ratio']:g} of {action['ex_date']}"


def _halted(body: Body) -> str:
    what = f"{_symbol(body['instrument'])} HALTED" if "instrument" in body else "HALTED"
    return f"{what}: {body['reason']}"


def _resumed(body: Body) -> str:
    return f"{_symbol(body['instrument'])} released" if "instrument" in body else "resumed"


def _shutdown(body: Body) -> str:
    sold = ", every position is to be sold" if body["flatten"] else ""
    return f"emergency shutdown: {body['reason']}{sold}"


def _step(body: Body) -> str:
    notes = f": {'; '.join(body['notes'])}" if body["notes"] else ""
    return f"emergency shutdown, done: {WORDS[ShutdownStep(body['step'])]}{notes}"


def _breaker(body: Body) -> str:
    fall = f"{100 * float(body['drawdown']):.1f}%"
    return f"drawdown {fall} under {_money(body['high_water'])}: level {body['was']} to {body['level']}"


def _foreign(body: Body) -> str:
    moves = [f"{name} {move['from']} to {move['to']}" for name, move in body["changed"].items()]
    return f"in the account, not ours: {', '.join(moves) or 'nothing'}"


def _other(kind: str, body: Body) -> str:
    """Plain values and how many of a list; what is nested stands in the record only."""
    held = ", ".join(
        f"{len(value)} {name}" if isinstance(value, list) else f"{name} {value}"
        for name, value in body.items()
        if name != "ticket" and not isinstance(value, dict)
    )
    return f"{kind.replace('_', ' ')}: {held}" if held else kind.replace("_", " ")


def _looked_back(body: Body) -> str:
    wrong = [check for check in body["checks"] if not check["ok"]]
    told = "; ".join(f"{check['name']} {check['done']}, demanded {check['demanded']}" for check in wrong)
    if not told:
        return f"looked back: all {len(body['checks'])} checks as demanded"
    return f"looked back, not as demanded: {told}"


_SAYINGS: Mapping[str, Callable[[Body], str]] = {
    "started": lambda body: f"engine started, account kind {body['kind']}, config {body['config'][:8]}",
    "stopped": lambda body: (
        f"engine stopped, fate not known of {', '.join(body['unknown'])}"
        if body.get("unknown")
        else "engine stopped"
    ),
    "candidate": _candidate,
    "pending": _pending,
    "gated_out": lambda body: f"refused by a gate: {body['reason']}",
    "approved": _approved,
    "approval_refused": lambda body: body["text"],
    "command_refused": lambda body: body["text"],
    "compliance": _looked_back,
    "compliance_passed": _looked_back,
    "rejected": lambda body: f"rejected: {body['reason']}",
    "expired": lambda body: f"expired: {body['reason']}",
    "superseded": lambda body: f"made smaller: {body['reason']}",
    "snoozed": lambda body: f"snoozed until {format.clock_utc(body['until_us'])}",
    "submitted": _submitted,
    "intent": _intent,
    "VenueOrder": _of_fact(_order),
    "Found": _of_fact(lambda fact: f"asked, and found: {_order(fact['report'])}"),
    "Adopted": _of_fact(lambda fact: f"adopted: {_order(fact['report'])}"),
    "Fill": _of_fact(_fill),
    "Accepted": lambda body: together("Accepted", [body]),
    "Refused": _of_fact(
        lambda fact: f"the venue refused the {role_of(fact['order'])} order: {fact['reason']}"
    ),
    "AnswerLost": lambda body: together("AnswerLost", [body]),
    "NotFound": lambda body: together("NotFound", [body]),
    "ExitWanted": _of_fact(lambda fact: f"the position is to end: {fact['reason']}"),
    "EntryUnwanted": _of_fact(lambda fact: "the rest of the entry is not wanted any more"),
    "AskWanted": _of_fact(lambda fact: "asked to find out now"),
    "SessionOver": _of_fact(lambda fact: f"session {fact['session']} is over"),
    "Traded": _of_fact(lambda fact: f"traded between {_price(fact['low'])} and {_price(fact['high'])}"),
    "VenueHolds": _of_fact(lambda fact: f"the venue holds {fact['quantity']} of it"),
    "Restatement": _action_of_company,
    "corporate_action": _action_of_company,
    "review": _review,
    "Reconciled": _reconciled,
    "evidence_conflict": lambda body: (
        f"the venue counted {body['said']} filled of the {role_of(body['order'])} order,"
        f" {body['filled']} were"
    ),
    "distrusted": lambda body: f"a report of the {role_of(body['order'])} is not believed: {body['why']}",
    "halted": _halted,
    "resumed": _resumed,
    "shutdown": _shutdown,
    "shutdown_step": _step,
    "breaker_moved": _breaker,
    "breaker_released": lambda body: f"drawdown breaker released, counted from {_money(body['equity'])}",
    "var_tested": lambda body: (
        f"{body['exceptions']} of {body['days']} sessions lost more than the value at risk,"
        f" {body['expected']:.1f} were to be expected"
    ),
    "settled": lambda body: f"{_money(body['amount'])} booked as paid in or taken out: {body['reason']}",
    "orphan": lambda body: (
        f"{_symbol(body['instrument'])}: an order of ours that the journal does not know was "
        f"{'kept, it protects' if body['kept'] else 'canceled'}"
    ),
    "account first seen": _foreign,
    "external position": _foreign,
    "difference accepted": lambda body: f"accepted: {body['difference']}",
}
