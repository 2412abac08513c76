"""Invented names, symbols and addresses; and the few that a hostile maker would choose."""

from random import Random

from engine.sources.demo.draws import between, one_of

_HEADS = ("ba", "bo", "bra", "da", "do", "dri", "fa", "fe", "fla", "glo", "ja", "ka", "ke", "kli", "lo", "lu")
_MIDDLES = (
    "bi",
    "do",
    "la",
    "li",
    "lo",
    "ma",
    "mu",
    "na",
    "ni",
    "no",
    "ra",
    "re",
    "ri",
    "ro",
    "ta",
    "ve",
    "vi",
)
_TAILS = (
    "dan",
    "dex",
    "lin",
    "lor",
    "mar",
    "mix",
    "nor",
    "nix",
    "rin",
    "ris",
    "tan",
    "thor",
    "von",
    "vex",
    "zen",
)
_KINDS = ("Protocol", "Network", "Finance", "Labs", "Coin", "Token", "Inu", "Games", "Chain", "Swap")
_SHORT_NAMES = 3_000
"""About a third of those that can be made before names get another syllable."""
_BASE58 = "123456789abcdefghijkmnopqrstuvwxyz"

HOSTILE = (
    ("PEPE[/]", "Pepe [bold red]official[/]"),
    ("[@click=app.halt()]x", "Click [@click=app.quit()]here[/]"),
    ("\x1b[2J\x1b[31mRED", "Escape \x1b]0;owned\x07 Token"),
    ("CLIP\x1b]52;c;cm0gLXJmIH4=\x07", "Clipboard \x9b5m Finance"),
    ("\u202eDSU\u202c", "Right \u202eot tfel\u202c Coin"),
    ("A" * 10_000, "B" * 10_000),
)
"""Symbol and name that try markup, an action link, controls, the clipboard, reversed text, and size."""


class NameMaker:
    """Gives every token another name."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def name(self) -> tuple[str, str]:
        """A symbol of four letters or more and the name that goes with it; longer as short ones run out."""
        rng = self._rng
        longer = len(self._given) // _SHORT_NAMES
        word = ""
        while not 4 <= len(word) <= 8 + 2 * longer or word in self._given:
            middles = longer + min(1, rng.getrandbits(2))
            parts = [
                one_of(rng, _HEADS),
                *(one_of(rng, _MIDDLES) for _ in range(middles)),
                one_of(rng, _TAILS),
            ]
            word = "".join(parts)
        self._given.add(word)
        return word.upper(), f"{word.capitalize()} {one_of(rng, _KINDS)}"


def address(rng: Random, chain: str) -> str:
    """An address as the chain writes them, in lower case; of nobody."""
    if chain != "solana":
        return f"0x{rng.getrandbits(160):040x}"
    return "".join(_BASE58[between(rng, 0, len(_BASE58) - 1)] for _ in range(44))
