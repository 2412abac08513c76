"""Who is at the other end of a Unix socket, as the kernel says it."""

import os
import pwd
import socket
import struct
import sys
from typing import Any

_DARWIN_SOL_LOCAL = 0
_DARWIN_LOCAL_PEERCRED = 1


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


def user_name(uid: int) -> str:
    """The login name of a user id; `uid 1000` for one without an account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def own_uid() -> int:
    """The user that this process acts as."""
    return os.geteuid()
