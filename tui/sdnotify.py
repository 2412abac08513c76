"""The service manager's notification protocol: sd_notify(3), and the watchdog of sd_watchdog_enabled(3)."""

import os
import socket
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"
_US_PER_S = 1_000_000


def notify(state: str, environment: Mapping[str, str]) -> bool:
    """Send one state line; False when no service manager asked for it.

    Never waits: raises OSError when the manager is gone, or does not read what it was told before.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
        messenger.setblocking(False)
        messenger.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        messenger.sendall(state.encode())
    return True


def watchdog_period_s(environment: Mapping[str, str]) -> float | None:
    """How often to send WATCHDOG: half of what the manager allows; None when it does not watch us."""
    allowed_us = environment.get("WATCHDOG_USEC", "")
    watched = environment.get("WATCHDOG_PID", "") or str(os.getpid())
    if not allowed_us.isdigit() or int(allowed_us) == 0 or watched != str(os.getpid()):
        return None
    return int(allowed_us) / 2 / _US_PER_S
