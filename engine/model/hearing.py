"""What of a made-up market is told at all: the market goes on the same whoever listens to how much of it."""

from typing import Protocol

from engine.model.tokens import TokenId


class Ear(Protocol):
    """Asked in order of time, just before something would be told."""

    def takes_token(self, token: TokenId, ts: int) -> bool:
        """Whether a token is to be told of at `ts`; yes means that it was."""
        ...

    def takes_books(self, ts: int, next_us: int) -> bool:
        """Whether order books are to be told at `ts`, the next ones coming at `next_us`."""
        ...


class Everything:
    """An ear that misses nothing."""

    def takes_token(self, token: TokenId, ts: int) -> bool:
        """Always."""
        return True

    def takes_books(self, ts: int, next_us: int) -> bool:
        """Always."""
        return True


EVERYTHING = Everything()
