"""Opens the places where a person's keys are; the one who is asked for a passphrase sits at the terminal."""

from collections.abc import Callable, Mapping
from getpass import GetPassWarning, getpass
from warnings import catch_warnings, simplefilter

from engine.errors import ConfigError, UsageError
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, Secret
from engine.ports import Secrets
from storage.locked_keys import LockedKeys
from storage.paths import Home
from storage.secrets import (
    FILE,
    LOCKED_FILE,
    CredentialFiles,
    KeyBook,
    LockedFile,
    PlainFile,
    Variables,
    find_keyring,
    passphrase_of,
)


def ask_unseen(prompt: str) -> Secret | None:
    """What a person types at the terminal, without an echo; None where there is no terminal."""
    with catch_warnings():
        # Where the echo cannot be turned off nothing is read at all.
        simplefilter("error", GetPassWarning)
        try:
            return Secret(getpass(prompt))
        except (GetPassWarning, EOFError, OSError):
            return None


def require_live(secrets: Secrets) -> None:
    """Raises ConfigError naming every key of live prices that is missing, and what to do."""
    missing = [name for name in (ALPACA_KEY_ID, ALPACA_SECRET) if secrets.get(name) is None]
    if missing:
        what = f"{'keys' if len(missing) > 1 else 'key'} {' and '.join(missing)}"
        each = "each" if len(missing) > 1 else "it"
        raise ConfigError(
            f"live prices need the {what}, which no place holds",
            f"Set {each}: tradedeck keys set {missing[0]}. Or try tradedeck --demo, which needs none",
        )


def open_keys(
    home: Home,
    environment: Mapping[str, str],
    *,
    warn: Callable[[str], None],
    learned: Callable[[Secret], None],
    ask: Callable[[str], Secret | None] = ask_unseen,
    for_live: bool = False,
    env_keys: bool = False,
) -> KeyBook:
    """All places, in the order of RELIABILITY 9. Nothing is read yet."""
    credentials = CredentialFiles(environment)

    def told(secret: Secret) -> Secret:
        learned(secret)
        return secret

    def again() -> Secret | None:
        first, second = ask("Passphrase for the keys: "), ask("Once more: ")
        if first != second:
            raise UsageError("the two passphrases differ", "Nothing was kept")
        return first

    def known() -> Secret:
        return told(passphrase_of(credentials, lambda: ask("Passphrase of the keys: "))())

    def chosen() -> Secret:
        return told(passphrase_of(credentials, again)())

    keyring = find_keyring()
    places = (
        credentials,
        PlainFile(home.config / FILE),
        LockedFile(LockedKeys(home.config / LOCKED_FILE), known, chosen),
        *(() if keyring is None else (keyring,)),
        Variables(environment),
    )
    return KeyBook(places, for_live=for_live, env_keys=env_keys, warn=warn, learned=learned)
