"""systemd's side doors: one datagram for each state of the service, and the sockets it holds.

Our own code, because no maintained library sends ``RELOADING=1`` with the timestamp that
``Type=notify-reload`` waits for. Without systemd every message goes nowhere.

Source: sd_notify(3), sd_listen_fds(3), systemd.service(5), of systemd 252 and 257.
"""

import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass

FIRST_SOCKET = 3
"""systemd passes its sockets from this descriptor on."""

STATUS_CHARACTERS = 1000
"""A datagram that does not fit into the receiver's buffer would not be sent at all."""


@dataclass(frozen=True, slots=True)
class Systemd:
    """What the service manager is waiting for.

    Attributes:
        address: Its socket; None where nobody listens.
        watchdog_s: Restarts the service after this long without ``alive``; None for never.
    """

    address: str | None = None
    watchdog_s: float | None = None

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> "Systemd":
        """Read where systemd listens, and forget it, so that no child speaks for the service."""
        address = environment.pop("NOTIFY_SOCKET", None)
        microseconds = environment.pop("WATCHDOG_USEC", "")
        for_us = environment.pop("WATCHDOG_PID", None) in {None, str(os.getpid())}
        watches = microseconds.isdigit() and for_us
        return cls(address, int(microseconds) / 1e6 if watches else None)

    def ready(self, status: str) -> None:
        """Everything listens; or a reload has ended."""
        self._send("READY=1", _status(status))

    def reloading(self) -> None:
        """A reload begins; ``ready`` ends it."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def alive(self) -> None:
        """The service works: the watchdog waits for the next of these."""
        self._send("WATCHDOG=1")

    def status(self, status: str) -> None:
        """How the service is, for people."""
        self._send(_status(status))

    def starting(self, status: str, patience_s: float) -> None:
        """The start takes longer: for *patience_s* from now on nobody gives up on it."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(patience_s * 1e6)}", _status(status))

    def stopping(self) -> None:
        """The service ends by itself."""
        self._send("STOPPING=1", _status("Stopping"))

    def _send(self, *lines: str) -> None:
        if not self.address:
            return
        # A manager that does not listen must not stop the service.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            # "@" stands for the zero byte of an abstract address.
            sender.connect(f"\0{self.address[1:]}" if self.address[0] == "@" else self.address)
            sender.send("\n".join(lines).encode())


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())[:STATUS_CHARACTERS]}"


def passed_sockets(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """Take the listening sockets that systemd holds for this process; none without systemd."""
    count = environment.pop("LISTEN_FDS", "")
    for_us = environment.pop("LISTEN_PID", None) == str(os.getpid())
    environment.pop("LISTEN_FDNAMES", None)
    if not for_us or not count.isdigit():
        return []
    passed = []
    for descriptor in range(FIRST_SOCKET, FIRST_SOCKET + int(count)):
        os.set_inheritable(descriptor, False)
        held = socket.socket(fileno=descriptor)
        held.setblocking(False)
        passed.append(held)
    return passed


def refuse_waiting(held: socket.socket) -> None:
    """Close the connections that wait at *held*: systemd would start the service for them anew."""
    with suppress(OSError):
        while True:
            held.accept()[0].close()
