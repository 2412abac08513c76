"""Where a decision came from and what followed, as a Mermaid graph from the sources to the fills.

Every word from outside is reduced to letters, digits and a few signs, so that no text becomes syntax.
"""

import re
from collections.abc import Iterator

from engine.model.candidates import Vote
from engine.model.text import clean
from engine.report.facts import Facts

_LABEL_MAX = 60
_OTHER = re.compile(r"[^A-Za-z0-9 .,:%+/=_-]")
READS: dict[str, tuple[str, ...]] = {
    "sentinel": ("vix_regime", "vix_pct_252", "spy_dist_200"),
    "screener": ("gap_dn", "adv_usd_20", "rsi2", "dist_200", "z5", "market_cap_usd"),
    "forecaster": ("z5", "rsi2", "bb_dev", "dist_200", "trend_63", "gap_dn", "vix_regime"),
    "riskofficer": ("adv_usd_20", "realized_vol_20", "atr_14_pct"),
    "newssentry": ("news_sentiment_24h", "news_sentiment_72h"),
    "trader": (),
}
"""Which features an agent looks at; of those that are not there nothing is drawn."""


def lineage(facts: Facts) -> str:
    """The graph as Mermaid text; always at least one node."""
    return "\n".join(["flowchart LR", *(f"  {line}" for line in _lines(facts))])


def _lines(facts: Facts) -> Iterator[str]:
    yield from _sources(facts)
    yield from _agents(facts)
    decision = f"candidate {facts.correlation[-10:]}"
    yield _node("decision", decision, "{{", "}}")
    fact = facts.ticket
    if fact is None:
        ended = "vetoed" if facts.ended_because else "not known"
        yield f"decision --> {_node('ended', f'{ended}: {facts.ended_because}')}"
        return
    for gate in fact.ticket.gates:
        name = gate.gate.lower()
        yield f"decision --> {_node(name, f'{gate.gate} {gate.title}: {gate.status.value}')}"
        yield f"{name} --> ticket"
    number = f"T-{fact.ticket.number} " if fact.ticket.number else ""
    yield _node("ticket", f"{number}ticket {fact.sha256[:8]}, {fact.state}", "[[", "]]")
    if fact.approved_us is not None:
        yield f"{_node('person', f'approved by {fact.approved_by}')} --> ticket"
    yield from _orders(facts)


def _sources(facts: Facts) -> Iterator[str]:
    features = () if facts.candidate is None else facts.candidate.features
    names: dict[str, str] = {}
    for feature in features:
        source = names.setdefault(feature.source, f"s{len(names)}")
        value = "missing" if feature.value is None else f"{feature.value:.6g}"
        label = f"{feature.id} {feature.version} = {value}"
        yield f"{_node(source, feature.source, '[(', ')]')} --> {_node(_feature(feature.id), label)}"


def _agents(facts: Facts) -> Iterator[str]:
    there = set() if facts.candidate is None else {feature.id for feature in facts.candidate.features}
    for report in facts.reports:
        name = f"a_{_word(report.agent)}"
        vote = report.vote.value if report.vote is not Vote.VETO else "hard veto" if report.hard else "veto"
        yield _node(name, f"{report.agent}: {vote}", "([", "])")
        for feature in READS.get(report.agent, ()):
            if feature in there:
                yield f"{_feature(feature)} --> {name}"
        yield f"{name} --> decision"


def _orders(facts: Facts) -> Iterator[str]:
    if facts.bracket is None:
        return
    for leg in facts.bracket.legs:
        name = f"o{leg.role.value}{leg.n}"
        price = leg.spec.limit_price or leg.spec.stop_price
        at = "" if price is None else f" at {price:f}"
        words = f"{leg.role.name.lower()} {leg.spec.quantity:f}{at}, {leg.state.value}"
        yield f"ticket --> {_node(name, words)}"
        for n, fill in enumerate(leg.fills):
            words = f"fill {fill.quantity:f} at {fill.price:f}"
            yield f"{name} --> {_node(f'{name}f{n}', words, '([', '])')}"
    trip = facts.round_trip
    if trip is not None:
        last = f"{trip.exit_reason.value}, P&L {trip.pnl:f}, fees {trip.fees:f}"
        for leg in facts.bracket.legs:
            for n, _ in enumerate(leg.fills):
                yield f"o{leg.role.value}{leg.n}f{n} --> {_node('trip', last, '[[', ']]')}"


def _feature(id: str) -> str:
    return f"f_{_word(id)}"


def _word(text: str) -> str:
    """Fit for the name of a node, never a word of the language."""
    return re.sub(r"[^A-Za-z0-9]", "_", text)[:_LABEL_MAX]


def _node(name: str, words: str, left: str = "[", right: str = "]") -> str:
    return f'{name}{left}"{_label(words)}"{right}'


def _label(words: str) -> str:
    text = _OTHER.sub("_", clean(words))
    return text if len(text) <= _LABEL_MAX else f"{text[: _LABEL_MAX - 2].rstrip()}.."
