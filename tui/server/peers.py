"""Who is at the other end of a Unix socket, as the kernel says it."""

import os
import pwd
import socket
import struct
import sys
from pathlib import Path
from typing import Any

_DARWIN_SOL_LOCAL = 0
_DARWIN_LOCAL_PEERCRED = 1
_DARWIN_LOCAL_PEERPID = 2
_PTS_MAJOR = range(136, 144)
"""Device numbers of pseudo terminals, 256 each (Linux, admin-guide/devices.txt); 4 is a virtual console."""
_TTY_MAJOR = 4


def peer_uid(connection: Any) -> int | None:
    """The user id of the process that connected; None where the system does not tell.

    `connection` is a connected AF_UNIX socket, or asyncio's view of one.
    """
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    if sys.platform == "darwin":
        # struct xucred: version, uid, count and list of groups (sys/ucred.h).
        raw = connection.getsockopt(_DARWIN_SOL_LOCAL, _DARWIN_LOCAL_PEERCRED, 76)
        return int(struct.unpack_from("=II", raw)[1])
    return None


def peer_pid(connection: Any) -> int | None:
    """The process that connected; None where the system does not tell, or it is of another namespace."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[0]) or None
    if sys.platform == "darwin":
        raw = connection.getsockopt(_DARWIN_SOL_LOCAL, _DARWIN_LOCAL_PEERPID, 4)
        return int(struct.unpack("=I", raw)[0]) or None
    return None


def terminal_of(pid: int | None, proc: Path = Path("/proc")) -> str:
    """`pts/7` of a process with that controlling terminal; "" for one without, or where nothing tells."""
    try:
        # The name in parentheses may hold anything; the seventh field is the fifth after it (proc(5)).
        device = int((proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[4])
    except (OSError, ValueError, IndexError):
        return ""
    major, minor = (device >> 8) & 0xFFF, (device & 0xFF) | ((device >> 12) & 0xFFF00)
    if major in _PTS_MAJOR:
        return f"pts/{(major - _PTS_MAJOR.start) * 256 + minor}"
    return f"tty{minor}" if major == _TTY_MAJOR else ""


def user_name(uid: int) -> str:
    """The login name of a user id; `uid 1000` for one without an account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def own_uid() -> int:
    """The user that this process acts as."""
    return os.geteuid()
