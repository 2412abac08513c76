"""The terms of SPEC 3.4.2 that make a headline severe, and the word that a table shows for each.

Whole words in any case. What may stand between two words is bounded, so that no title can make the search
slow. A wrong alarm costs one trade; a missed one costs money: where a term is unclear it counts.
"""

import re

_UP_TO_3 = r"(?:\W+\w+){0,3}?\W+"
_TERMS = (
    (
        "SEC probe",
        rf"sec{_UP_TO_3}(?:investigat\w+|prob(?:e|es|ing))|"
        rf"(?:investigat\w+|prob(?:e|es|ed)){_UP_TO_3}sec|subpoena\w*",
    ),
    ("fraud", r"fraud|fraudulent|fraudulently"),
    ("restated", rf"restatements?|to\W+restate|restates{_UP_TO_3}(?:results|financials?|earnings)"),
    ("bankruptcy", r"bankrupt|bankruptcy|bankruptcies|chapter\W+(?:11|7|xi|vii)"),
    ("delisting", r"delist\w*"),
    ("insolvency", r"going\W+concern"),
    (
        "halt",
        rf"trading\W+halts?|trading{_UP_TO_3}(?:halted|suspen\w+)|"
        r"(?:halts?|suspen\w+)\W+(?:of\W+|in\W+)?trading",
    ),
    ("offering", r"offerings?"),
    ("ATM sale", r"atm|at\W+the\W+market"),
    ("dilution", r"dilution|dilutive"),
    ("conv. note", r"convertible(?:\W+\w+){0,2}?\W+notes?"),
    (
        "guidance",
        rf"(?:cuts?|cutting|lower(?:s|ed)|withdraw\w*|withdrew|suspends?){_UP_TO_3}(?:guidance|outlook)|"
        rf"(?:guidance|outlook)(?:\W+\w+){{0,2}}?\W+(?:cut|lowered|withdrawn|suspended)",
    ),
    (
        "trial",
        rf"clinical\W+hold|failed{_UP_TO_3}trial|trial(?:\W+\w+){{0,2}}?\W+(?:fail(?:s|ed)?|miss(?:es|ed))",
    ),
    ("default", r"(?<!by )default(?:s|ed|ing)?"),
    ("auditor", rf"auditors?{_UP_TO_3}resign\w*|resign\w*{_UP_TO_3}auditors?"),
)
_FILING = re.compile(r"\b8-?k\b", re.IGNORECASE)
_ITEM = re.compile(r"\b[1-9]\.0\d\b")
SEVERE_ITEMS = frozenset({"1.03", "2.06", "3.01", "3.02", "4.01", "4.02", "5.01"})
"""Of a form 8-K: bankruptcy, impairment, delisting, unregistered sale, auditor, restatement, control."""
_SEARCH = re.compile(
    "|".join(rf"(?P<t{n}>\b(?:{term})\b)" for n, (_, term) in enumerate(_TERMS)), re.IGNORECASE
)


def severe_term(title: str) -> str | None:
    """The first severe term in a cleaned title, in at most 10 characters; None when there is none."""
    filing = _FILING.search(title)
    if filing is not None:
        item = next((found for found in _ITEM.findall(title, filing.end()) if found in SEVERE_ITEMS), None)
        if item is not None:
            return f"8-K {item}"
    found = _SEARCH.search(title)
    if found is None or found.lastgroup is None:
        return None
    return _TERMS[int(found.lastgroup[1:])][0]
