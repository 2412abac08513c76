"""The error tree. Each class says who handles it and what a person is told.

DeckError
├─ UsageError             bad command line value: printed, exit 2
├─ ConfigError            bad file, key or secret: printed, exit 78
├─ DataError              bad or missing input data: printed, exit 65
├─ Busy                   another process owns the state folder, or a peer is not there yet: exit 75
├─ SourceError
│  ├─ SourceUnavailable   retried, then the breaker opens
│  │  ├─ RateLimited      retried after the pause that is asked for; no failure
│  │  └─ SourceOff        the breaker is open: nothing was sent
│  ├─ SourceRefused       it will not serve this, or we will not call it: no retry
│  └─ BadPayload          no retry, counts as a failure
├─ BrokerError
│  ├─ BrokerUnavailable   reads retry; new entries stop; exits stay allowed
│  ├─ AuthFailed
│  ├─ BadAnswer           unreadable: as if it never came, and told
│  ├─ OrderRejected       final; the venue's own words are shown
│  └─ OrderOutcomeUnknown in flight: reconcile, never resubmit
├─ StorageError           cannot journal, so no new orders: exit 65
└─ InvariantBroken        our own bug: halt trading, keep protective orders, exit 70
"""


class DeckError(Exception):
    """One line of what and why in `message`, and what to do in `hint`."""

    exit_code = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(DeckError):
    """A value on the command line cannot be used."""

    exit_code = 2


class ConfigError(DeckError):
    """A config file, key or secret is wrong, or the account does not match the state folder."""

    exit_code = 78


class DataError(DeckError):
    """Input data is missing, unreadable or inconsistent."""

    exit_code = 65


class Busy(DeckError):
    """The same command may work later."""

    exit_code = 75


class SourceError(DeckError):
    """A data source failed."""

    exit_code = 75


class SourceUnavailable(SourceError):
    """The source did not answer."""


class RateLimited(SourceUnavailable):
    """The source asks for a pause of `retry_after_s` seconds."""

    def __init__(self, message: str, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class SourceOff(SourceUnavailable):
    """The source failed too often and is left alone for a while."""


class SourceRefused(SourceError):
    """The source refuses this request, or a rule of ours forbids it. `status`: HTTP, if it answered."""

    exit_code = 78

    def __init__(self, message: str, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint)
        self.status = status


class BadPayload(SourceError):
    """The shape of an answer changed: no retry helps."""

    exit_code = 65


class BrokerError(DeckError):
    """A venue call failed."""

    exit_code = 75


class BrokerUnavailable(BrokerError):
    """The venue could not be reached; nothing was sent."""


class AuthFailed(BrokerError):
    """The venue refused our credentials."""

    exit_code = 78


class BadAnswer(BrokerError):
    """The venue answered something that cannot be read or cannot be meant: no retry of a write helps."""


class OrderRejected(BrokerError):
    """The venue refused an order, finally. `code` and `reason` are its own words."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"the venue rejected the order: {reason} ({code})")
        self.code = code
        self.reason = reason


class OrderOutcomeUnknown(BrokerError):
    """The answer to a write was lost: the order may or may not be at the venue."""


class StorageError(DeckError):
    """A database cannot be read or written."""

    exit_code = 65


class InvariantBroken(DeckError):
    """A rule of our own was violated: a bug, never bad luck."""
