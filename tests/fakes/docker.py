"""A Docker daemon on a socket, as far as the SDK is used to look into a container.

Source: Docker Engine 20.10.24, API 1.41, run; only what is read of it.
"""

import fcntl
import gc
import json
import socketserver
import struct
import termios
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


@dataclass
class FakeContainer:
    """One container.

    Attributes:
        log: What it wrote since its last start; None: its logging driver cannot be read.
        output: What a command in it prints, by its executable; others are not found.
        ran: The commands that were run in it.
    """

    name: str = "vllm"
    log: str | None = ""
    status: str = "running"
    exit_code: int = 0
    started_at: str = "2026-11-24T00:27:50.123456789Z"
    output: dict[str, str] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers for one container."""

    container: FakeContainer
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.container.asked.append(self.path)
        if self.path == "/version":
            self._json({"ApiVersion": "1.41", "Version": "20.10.24"})
        elif f"/containers/{self.container.name}/json" in self.path or "/containers/0a/json" in (
            self.path
        ):
            self._json(
                {
                    "Id": "0a",
                    "Name": f"/{self.container.name}",
                    "Config": {"Tty": False},
                    "HostConfig": {"LogConfig": {"Type": "json-file"}},
                    "State": {
                        "Status": self.container.status,
                        "ExitCode": self.container.exit_code,
                        "StartedAt": self.container.started_at,
                    },
                }
            )
        elif "/containers/0a/logs" in self.path and self.container.log is None:
            message = "configured logging driver does not support reading"
            self._json({"message": message}, 501)
        elif "/containers/0a/logs" in self.path:
            body = b"".join(_frame(line) for line in (self.container.log or "").splitlines(True))
            self._body(body, "application/vnd.docker.raw-stream")
        elif "/exec/" in self.path:
            self._json(
                {"ExitCode": 0 if self.container.ran[-1][0] in self.container.output else 127}
            )
        else:
            self._json({"message": "No such container"}, 404)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/containers/0a/exec"):
            self.container.ran.append(asked["Cmd"])
            self._json({"Id": "1b"}, 201)
            return
        self.send_response(101)
        self.send_header("connection", "Upgrade")
        self.send_header("upgrade", "tcp")
        self.end_headers()
        self._until_read()
        self.wfile.write(
            _frame(self.container.output.get(self.container.ran[-1][0], "not found\n"))
        )
        self.close_connection = True

    def _until_read(self) -> None:
        """A real process takes a while to start; the SDK loses what comes with the headers."""
        waiting = b"\0" * 4
        while struct.unpack("i", fcntl.ioctl(self.connection, termios.TIOCOUTQ, waiting))[0]:
            time.sleep(0.001)

    def _json(self, value: Any, status: int = 200) -> None:
        self._body(json.dumps(value).encode(), "application/json", status)

    def _body(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingUnixStreamServer):
    """Ends with its test, whoever is still connected."""

    daemon_threads = True


@contextmanager
def docker_with(container: FakeContainer, folder: Path) -> Iterator[str]:
    """Answer for *container* until exit; yields what DOCKER_HOST must be."""
    answering = type("Handling", (Handler,), {"container": container})
    path = folder / "docker.sock"
    # The SDK leaves the socket of a command open to the collector, which warns at any time.
    with warnings.catch_warnings(), Server(str(path), answering) as server:
        warnings.simplefilter("ignore", ResourceWarning)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()
            path.unlink()
            gc.collect()


def _frame(text: str) -> bytes:
    """Pack one piece of standard output."""
    body = text.encode()
    return struct.pack(">BxxxL", 1, len(body)) + body
