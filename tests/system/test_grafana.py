"""The dashboard: of Grafana's own types, and every query on what a daemon really serves."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.daemons import Daemon
from tests.fakes.monitoring import eventually
from tests.patience import PATIENCE_S
from tests.system.test_prometheus import key, query, scraped

__all__ = ["key", "scraped"]

pytestmark = pytest.mark.prometheus

REPOSITORY = Path(__file__).parents[2]
DASHBOARD = REPOSITORY / "config" / "grafana" / "understudy.json"
CHECK = REPOSITORY / "tests" / "data" / "grafana"
EMPTY_WHERE_ALL_IS_WELL = {
    "Broken now",
    "Failures per day, by kind",
    "Engines: tokens per second",
    "How long a look takes",
}


def dashboard() -> dict[str, Any]:
    """Read it."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def expressions() -> list[tuple[str, str]]:
    """List each panel's title with each of its queries, for all groups."""
    return [
        (panel["title"], target["expr"].replace("$group", ".*"))
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]


@pytest.fixture(scope="session")
def types(lab_dir: Path) -> Path:
    """Grafana's types and TypeScript, by npm; kept in the lab's folder."""
    npm = shutil.which("npm")
    assert npm is not None, "no npm: make test-system installs it"
    folder = lab_dir / "grafana"
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "package.json").exists() and (
        (folder / "package.json").read_text() == (CHECK / "package.json").read_text()
    ):
        return folder
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    shutil.copy(CHECK / "package.json", unfinished)
    ran = subprocess.run(
        [npm, "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund"],
        cwd=unfinished,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    (unfinished / "node_modules").rename(folder / "node_modules")
    # Last of all: an install that was killed is made anew.
    (unfinished / "package.json").replace(folder / "package.json")
    return folder


def compiled(types: Path, text: str) -> str:
    """Compare *text* with Grafana's types; returns what is wrong."""
    file = types / "dashboard.ts"
    file.write_text(f"{(CHECK / 'head.ts').read_text()}{text};\n")
    options = ("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022")
    modules = ("--module", "esnext", "--moduleResolution", "bundler")
    ran = subprocess.run(
        [types / "node_modules" / ".bin" / "tsc", *options, *modules, file],
        cwd=types,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr


def test_it_is_what_grafana_s_schema_says(types: Path):
    """Every field has a type that Grafana knows; and one that has not would be found."""
    text = DASHBOARD.read_text()
    assert compiled(types, text) == ""
    assert "timezon" in compiled(types, text.replace('"timezone"', '"timezon"'))
    assert "palette-clasic" in compiled(types, text.replace("palette-classic", "palette-clasic"))


async def test_every_query_is_answered_by_what_a_daemon_serves(scraped: tuple[Daemon, str]):
    """None has an error, and each finds something where all is well, but those about trouble."""
    daemon, url = scraped

    async def scraped_twice() -> bool:
        return bool(await query(daemon, url, "increase(understudy_drills_total[1m])"))

    await eventually(scraped_twice)
    found: dict[str, list[Any]] = {}
    for title, expression in expressions():
        found.setdefault(title, []).extend(await query(daemon, url, expression))
    assert {title for title, results in found.items() if not results} <= EMPTY_WHERE_ALL_IS_WELL


async def test_every_metric_has_a_place(scraped: tuple[Daemon, str]):
    """None of those that a daemon serves is forgotten, and none is asked for that it does not."""
    daemon, _ = scraped
    async with daemon.session.get(f"{daemon.url}/metrics") as reply:
        text = await reply.text()
    served = {
        name.removesuffix("_total") for name in re.findall(r"(?m)^# TYPE understudy_(\w+) ", text)
    }
    asked = {
        re.sub(r"_(bucket|total)$", "", name)
        for _, expression in expressions()
        for name in re.findall(r"understudy_(\w+)", expression)
    }
    assert served == asked


def test_nothing_lies_over_something_else():
    """Panels fill the rows of twenty-four columns, and have an id, a title and an explanation."""
    panels = dashboard()["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["description"].endswith(".")
    assert (
        len({panel["id"] for panel in panels}) == len({p["title"] for p in panels}) == len(panels)
    )
