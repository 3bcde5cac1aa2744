"""The page: how large it is with many paths, and how long it takes to draw."""

import time

from jinja2 import Template

from supervisor.status import Status
from supervisor.web.page.home import home
from supervisor.web.page.render import environment
from tests.fakes.pages import many_paths

GROUPS = 20
"""25 paths each."""


def run(*, rounds: int) -> None:
    """Draw it, and print the best of some rounds."""
    status = many_paths(GROUPS)
    template = environment().get_template("home.html.j2")
    text = template.render(home=home(status, None, ()))
    best_s = min(_timed(template, status) for _ in range(max(rounds, 3) * 3))
    print(
        f"page, {len(status.paths)} paths in every state: {len(text.encode()) / 1000:.1f} KB, "
        f"drawn in {best_s * 1000:.1f} ms"
    )


def _timed(template: Template, status: Status) -> float:
    began_s = time.perf_counter()
    template.render(home=home(status, None, ()))
    return time.perf_counter() - began_s
