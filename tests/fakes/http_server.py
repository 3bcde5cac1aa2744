"""A server in a thread, for tests that run a whole command on an event loop of its own."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, str, bytes]

NOT_FOUND: Answer = (404, "application/json", b'{"detail": "Not Found"}')


def as_json(value: Any, status: int = 200) -> Answer:
    """Answer with *value* as JSON."""
    return status, "application/json", json.dumps(value).encode()


@contextmanager
def answering(answers: Mapping[str, Answer], otherwise: Answer = NOT_FOUND) -> Iterator[str]:
    """Answer GET by path until exit; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            status, kind, body = answers.get(self.path, answers.get(path, otherwise))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def litellm_answers(
    *, version: str = "1.106.2", permission: str | None = None, groups: tuple[str, ...] = ("gpt",)
) -> dict[str, Answer]:
    """Answer as a LiteLLM with these model groups, none of which has a fallback.

    Source: LiteLLM 1.106.2, run; only what is read of it.
    """
    auth = [{"api_base": permission}] if permission else None
    rows = [
        {
            "model_name": group,
            "litellm_params": {
                "model": f"openai/{group}",
                "configurable_clientside_auth_params": auth,
            },
            "model_info": {"id": f"{group}-id", "mode": "chat"},
        }
        for group in groups
    ]
    return {
        "/model/info": as_json({"data": rows}),
        "/get/config/callbacks": as_json({"router_settings": {"num_retries": 0}}),
        "/router/settings": as_json({"current_values": {}}),
        "/health/readiness/details": as_json({"litellm_version": version}),
    }
