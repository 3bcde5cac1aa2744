"""Templates, the style sheet and the script: read once, served from here and nowhere else."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from supervisor.age import ago

HERE = Path(__file__).parent

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from outside, nothing inline."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file that pages name.

    Attributes:
        tag: Changes with its content, so that a browser may keep it for ever.
    """

    content: bytes
    media_type: str
    tag: str


@cache
def environment() -> Environment:
    """Make the templates' environment; every value is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["tag_of"] = lambda name: static_files()[name].tag
    made.filters["ago"] = ago
    return made


@cache
def static_files() -> dict[str, StaticFile]:
    """Read the files that pages name."""
    types = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    found = {}
    for file in sorted((HERE / "static").iterdir()):
        content = file.read_bytes()
        tag = hashlib.sha256(content).hexdigest()[:12]
        found[file.name] = StaticFile(content, types[file.suffix], tag)
    return found


def page(template: str, status: int = 200, **values: Any) -> web.Response:
    """Draw a page."""
    text = environment().get_template(template).render(**values)
    return web.Response(
        status=status,
        text=text,
        content_type="text/html",
        headers={"Content-Security-Policy": POLICY},
    )
