"""Where everything lives. Folders are 0700, and all that belongs to one state is found from its folder.

The sockets lie in the state folder too, so that every process that names the same state finds the same
daemon, whatever its environment says; only a path too long for a Unix socket moves to a short folder of ours.
"""

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigError, UsageError
from engine.model.positions import AccountKind

APP = "tradedeck"
PRIVATE_DIR = 0o700
SOCKET_PATH_MAX = 103
"""Bytes. `sun_path` holds 108 on Linux and 104 on macOS, the closing zero included."""
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_JOURNAL = re.compile(rf"journal-({'|'.join(AccountKind)})-({_ACCOUNT.pattern})\.db")


@dataclass(frozen=True, slots=True)
class Home:
    """The person's folders for configuration, data (bars, models), state (journals) and sockets."""

    config: Path
    data: Path
    state: Path
    runtime: Path

    @property
    def simulations(self) -> Path:
        """Holds one state folder for each replay and demo."""
        return self.state / "simulations"

    @property
    def models(self) -> Path:
        """One folder for each version of each model, and what is known of them."""
        return self.data / "models"

    @property
    def signing_key(self) -> Path:
        """The installation's own key: signs reports and models."""
        return self.data / "signing.key"

    def make(self) -> None:
        """Create the folders that are missing and close all four to other users."""
        for folder in (self.config, self.data, self.state, self.runtime):
            make_private(folder)


def find_home(environment: Mapping[str, str]) -> Home:
    """`TRADEDECK_HOME` puts all under one folder, else the XDG folders (a relative path there is ignored)."""
    if top := environment.get("TRADEDECK_HOME"):
        root = Path(top).expanduser().absolute()
        return Home(root / "config", root / "data", root / "state", root / "run")
    user = Path(environment["HOME"]) if environment.get("HOME") else Path.home()

    def folder(variable: str, default: Path) -> Path:
        value = Path(environment.get(variable, ""))
        return (value if value.is_absolute() else default) / APP

    state = folder("XDG_STATE_HOME", user / ".local" / "state")
    runtime = Path(environment.get("XDG_RUNTIME_DIR", ""))
    return Home(
        config=folder("XDG_CONFIG_HOME", user / ".config"),
        data=folder("XDG_DATA_HOME", user / ".local" / "share"),
        state=state,
        runtime=runtime / APP if runtime.is_absolute() else state / "run",
    )


def make_private(folder: Path) -> Path:
    """Create `folder` 0700 with its parents, or close an existing one to other users. Raises ConfigError."""
    try:
        _make(folder)
        found = folder.stat()
        if found.st_uid != os.geteuid():
            raise ConfigError(
                f"{folder} belongs to another user (uid {found.st_uid}, this is {os.geteuid()})",
                "Run as its owner, or set TRADEDECK_HOME to a folder of your own",
            )
        if stat.S_IMODE(found.st_mode) != PRIVATE_DIR:
            folder.chmod(PRIVATE_DIR)
    except OSError as error:
        raise ConfigError(
            f"cannot use the folder {folder}: {error.strerror}",
            "Check its path and permissions, or set TRADEDECK_HOME to another folder",
        ) from error
    return folder


def _make(folder: Path) -> None:
    """With the parents that are missing, each 0700: `mkdir(parents=True)` would leave those open to all."""
    if not folder.exists():
        _make(folder.parent)
        folder.mkdir(mode=PRIVATE_DIR, exist_ok=True)


def check_account(account: str) -> str:
    """An account id that is fit for a file name. Raises ConfigError."""
    if not _ACCOUNT.fullmatch(account):
        raise ConfigError(
            f"account name {account!r} cannot be used in a file name",
            "Use 1 to 64 letters, digits, - and _, starting with a letter or digit",
        )
    return account


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One account's journal in a state folder."""

    kind: AccountKind
    account: str
    path: Path


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The files of one state folder; `home` is the person's, whose bars all states share."""

    folder: Path
    home: Home

    def make(self) -> None:
        """Create the folders that are missing and close them to other users."""
        make_private(self.folder)
        make_private(self.memory.parent)
        if self.socket_folder != self.folder:
            make_private(self.socket_folder.parent)
            make_private(self.socket_folder)

    def journal(self, kind: AccountKind, account: str) -> Path:
        """The order journal of one account: the only truth of that account."""
        return self.folder / f"journal-{kind.value}-{check_account(account)}.db"

    def journals(self) -> tuple[JournalFile, ...]:
        """Every journal in the folder, by kind and account."""
        if not self.folder.is_dir():
            return ()
        found = ((_JOURNAL.fullmatch(path.name), path) for path in sorted(self.folder.iterdir()))
        return tuple(JournalFile(AccountKind(m[1]), m[2], path) for m, path in found if m)

    def require_journals(self) -> tuple[JournalFile, ...]:
        """Every journal in the folder. Raises UsageError where there is none."""
        found = self.journals()
        if not found:
            raise UsageError(
                f"there is no journal in {self.folder}: no engine ever ran there",
                "Name a state with --state DIR, or --state latest for the newest replay or demo",
            )
        return found

    def paper_book(self, account: str) -> Path:
        """The paper venue's own book of one account."""
        return self.folder / f"paper-{check_account(account)}.db"

    @property
    def memory(self) -> Path:
        """The agents' memory: in the data folder for the person's own state, else beside the journal."""
        return (self.home.data if self.folder == self.home.state else self.folder) / "tradedeck.db"

    @property
    def features(self) -> Path:
        """The point-in-time store of features."""
        return self.folder / "features.db"

    @property
    def bars(self) -> Path:
        """The local store of bars, one for all states."""
        return self.home.data / "bars.db"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes this state."""
        return self.folder / "lock"

    @property
    def halt_file(self) -> Path:
        """A file that halts the account by being there; a person makes and removes it."""
        return self.folder / "HALT"

    @property
    def snapshots(self) -> Path:
        """Documents of emergency shutdowns."""
        return self.folder / "snapshots"

    @property
    def reports(self) -> Path:
        """What the Auditor writes for a person, week by week."""
        return self.folder / "reports"

    @property
    def approval_key(self) -> Path:
        """The HMAC key of approvals, new for each instance (RELIABILITY 9)."""
        return self.folder / "approval.key"

    @property
    def socket_folder(self) -> Path:
        """The state folder, or a short folder of ours where its path is too long. Raises ConfigError."""
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        for folder in (self.folder, self.home.runtime / name):
            if len(os.fsencode(folder / "daemon.sock")) <= SOCKET_PATH_MAX:
                return folder
        return shared_folder() / name

    @property
    def socket(self) -> Path:
        """Where the daemon takes commands."""
        return self.socket_folder / "daemon.sock"

    @property
    def view_socket(self) -> Path:
        """Where the daemon shows its state and takes no commands."""
        return self.socket_folder / "view.sock"


def shared_folder(top: Path = Path("/tmp")) -> Path:  # noqa: S108 - the owner is checked here
    """A folder of ours in `top`, where another user may have taken its name. Raises ConfigError then."""
    folder = top / f"{APP}-{os.geteuid()}"
    if os.path.lexists(folder):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ConfigError(
                f"{folder} is not a folder of this user",
                "Remove it, or choose a state folder with a shorter path",
            )
    return folder


def home_state(home: Home) -> StatePaths:
    """The person's own state."""
    return StatePaths(home.state, home)


def folder_state(home: Home, folder: Path) -> StatePaths:
    """A state of its own in `folder`: a simulation's, or one named on the command line."""
    return StatePaths(folder.expanduser().absolute(), home)
