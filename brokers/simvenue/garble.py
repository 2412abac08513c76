"""Answers with a field that cannot be true: no number, beyond all bounds, below zero, another account."""

import re
from random import Random

from brokers.simvenue.faults import Fault

_NUMBERS = re.compile(rb'"(quantity|cum_filled|price|fee|cash|equity|ts_us)":("[^"]*"|[0-9]+)')
_VALUES = (b'"NaN"', b'"Infinity"', b'"-7"', b'"1E+999"', b"null", b'"' + b"9" * 40 + b'"', b"[]", b"NaN")
_ACCOUNT = re.compile(rb'"account":"[^"]*"')


def garbled(body: bytes, fault: Fault, random: Random) -> bytes:
    """The same JSON with one field spoiled; as it was where it has no such field."""
    if fault is Fault.WRONG_ACCOUNT:
        return _ACCOUNT.sub(b'"account":"OTHER-9"', body)
    found = list(_NUMBERS.finditer(body))
    if not found:
        return body
    spot = random.choice(found)
    return body[: spot.start(2)] + random.choice(_VALUES) + body[spot.end(2) :]
