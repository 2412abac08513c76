"""What a listed symbol is. No field of any free list says it: it is read off the name and the symbol."""

import re

from engine.model.company import ListingKind

_KINDS = (
    (ListingKind.WARRANT, re.compile(r"\bwarrants?\b", re.IGNORECASE), re.compile(r"\.WS(\.[A-Z])?")),
    (ListingKind.RIGHT, re.compile(r"\brights?\b", re.IGNORECASE), re.compile(r"\.RT")),
    (ListingKind.UNIT, re.compile(r"\bunits?\b(?!.*\bcommon\b)", re.IGNORECASE), re.compile(r"\.U")),
    (
        ListingKind.PREFERRED,
        re.compile(r"\b(preferred|preference|depositary shares? each)\b", re.IGNORECASE),
        re.compile(r"\.PR[A-Z]?"),
    ),
    (
        ListingKind.DEBT,
        re.compile(r"\b(notes|debentures?|bonds?)\s+due\b|\bsenior notes\b", re.IGNORECASE),
        None,
    ),
    (
        ListingKind.FUND,
        re.compile(
            r"\b(ETFs?|ETNs?|ETP|ETV|funds?|exchange[- ]traded|index shares|ishares|proshares|direxion|spdr|"
            r"graniteshares|vaneck|wisdomtree|yieldmax|ultrashort|leveraged)\b",
            re.IGNORECASE,
        ),
        None,
    ),
)
"""Words of the name, and the end of the symbol, of each kind; the first that fits counts."""


def listing_kind(symbol: str, name: str) -> ListingKind:
    """What a symbol is, by the words of its name and the end of its symbol."""
    for kind, words, ending in _KINDS:
        if words.search(name) or (ending is not None and re.search(ending.pattern + r"\Z", symbol)):
            return kind
    return ListingKind.STOCK
