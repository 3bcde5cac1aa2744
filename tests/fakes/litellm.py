"""A program that comes up as LiteLLM does, and does nothing else."""

import sys
from pathlib import Path

PROGRAM = f"""#!{sys.executable}
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

port = int(sys.argv[sys.argv.index('--port') + 1])
http.server.HTTPServer(('127.0.0.1', port), Handler).serve_forever()
"""


def fake_litellm(folder: Path) -> Path:
    """Write the program into *folder*; returns its path."""
    path = folder / "litellm"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return path
