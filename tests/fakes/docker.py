"""A Docker daemon on a socket, as far as the SDK is used to look into a container.

Source: Docker Engine 20.10.24, API 1.41, run; only what is read of it.
"""

import fcntl
import gc
import json
import queue
import re
import select
import socketserver
import struct
import termios
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        asked: The paths that were asked for.
        ends_when_asked: It ends between a look at it and the command that is to run in it.
        run: Its path and its arguments.
        health: What Docker's own health check found; None without one.
        spoken: The oldest and the newest version of the API that Docker speaks.
        only: Paths that a proxy before the socket lets through; it answers 403 to all others.
        reported: What happens to it, for those who listen.
        listeners: How many listen.
        hung_up: Ends those who listen, as an end of Docker does.
    """

    name: str = "vllm"
    log: str | None = ""
    status: str = "running"
    exit_code: int = 0
    started_at: str = "2026-11-24T00:27:50.123456789Z"
    finished_at: str = "0001-01-01T00:00:00Z"
    restarts: int = 0
    oom_killed: bool = False
    image: str = f"sha256:{'0a' * 32}"
    run: list[str] = field(default_factory=lambda: ["vllm", "serve", "gemma"])
    health: str | None = None
    error: str = ""
    spoken: tuple[str, str] = ("1.12", "1.41")
    only: str = ""
    reported: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    listeners: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)
    output: dict[str, str] = field(default_factory=dict)
    ran: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    ends_when_asked: bool = False


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
        if self._refused():
            return
        if self.path == "/version":
            self._json({"ApiVersion": self.container.spoken[1], "Version": "20.10.24"})
        elif f"/containers/{self.container.name}/json" in self.path or "/containers/0a/json" in (
            self.path
        ):
            self._json(self._description())
        elif "/events" in self.path:
            self._report()
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
            self._json({"message": "No such container: x"}, 404)

    def _refused(self) -> bool:
        """Refuse what a proxy does not let through, and versions in Docker's own words."""
        container = self.container
        if container.only and not re.fullmatch(container.only, self.path):
            self._body(b"<html>Forbidden</html>", "text/html", 403)
            return True
        version = re.match(r"/v1\.(\d+)/", self.path)
        oldest, newest = (int(spoken.removeprefix("1.")) for spoken in container.spoken)
        if version is None or oldest <= int(version[1]) <= newest:
            return False
        new = int(version[1]) > newest
        word, most, allowed = ("new", "Maximum", newest) if new else ("old", "Minimum", oldest)
        self._json(
            {
                "message": f"client version 1.{version[1]} is too {word}. "
                f"{most} supported API version is 1.{allowed}"
                + ("" if new else ", please upgrade your client to a newer version")
            },
            400,
        )
        return True

    def _description(self) -> dict[str, Any]:
        container = self.container
        state = {
            "Status": container.status,
            "Running": container.status in {"running", "paused", "restarting"},
            "Paused": container.status == "paused",
            "Restarting": container.status == "restarting",
            "OOMKilled": container.oom_killed,
            "ExitCode": container.exit_code,
            "Error": container.error,
            "StartedAt": container.started_at,
            "FinishedAt": container.finished_at,
        }
        if container.health is not None:
            state["Health"] = {"Status": container.health, "FailingStreak": 0, "Log": []}
        return {
            "Id": "0a",
            "Name": f"/{container.name}",
            "Path": container.run[0],
            "Args": container.run[1:],
            "Image": container.image,
            "RestartCount": container.restarts,
            "Config": {"Tty": False, "Entrypoint": None, "Cmd": container.run},
            "HostConfig": {"LogConfig": {"Type": "json-file"}},
            "State": state,
        }

    def _report(self) -> None:
        """Send each event as it comes, until the client or Docker hangs up."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        self.container.listeners += 1
        try:
            while not self.container.hung_up.is_set():
                if select.select([self.connection], [], [], 0.01)[0]:
                    return  # It sends nothing more, so it has hung up.
                while not self.container.reported.empty():
                    line = json.dumps({"Action": self.container.reported.get()}).encode() + b"\n"
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        finally:
            self.container.listeners -= 1

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self._refused():
            return
        if self.path.endswith("/containers/0a/exec"):
            if self.container.ends_when_asked:
                self.container.status, self.container.exit_code = "exited", 1
                self._json({"message": "Container 0a is not running"}, 409)
                return
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
        with suppress(ConnectionError):  # A refusal need not be read to its end.
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
