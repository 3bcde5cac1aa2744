"""Pictures for the documentation, from a real daemon and a real drill beside a lab.

``make pictures``: a fallback without its tool-call flags, the drill that found it on a terminal
and on the page, and the same gateway when the engine has been started with them.
"""

import asyncio
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright
from rich.console import Console
from rich.text import Text

from chaos.lab.lab import Lab, running_lab
from chaos.process.ports import free_port
from chaos.process.readiness import StartLimit
from supervisor.cli.console import err, say
from supervisor.cli.demo_daemon import DemoDaemon, demo_daemon
from supervisor.coverage.ledger import PathState
from supervisor.web.answers.paths import CoverageAnswer

FOLDER = Path(__file__).parent / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
REHEARSE = {"shapes": ["chat", "tool_call"], "faults": ["billing", "rate_limit"]}
NOBODY = "http://127.0.0.1:9/nobody"
COLUMNS = 108
SETTLED_MS = 1500
"""Until the page has followed its first events."""


async def make() -> None:
    """Make them all."""
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("no Chromium: make test-system installs it")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        async with running_lab("no_tool_flags", Path(folder), say=say, witness_port=port) as lab:
            await _terminal(lab, port)
            await _pages(lab, Path(folder), executable)


async def _terminal(lab: Lab, port: int) -> None:
    """Draw what a drill prints."""
    shown = ["understudy", "drill", "--group", "claude-opus", "--fault", "billing", "--depth", "1"]
    shown += ["--shape", "chat", "--shape", "tool_call"]
    hidden = ["--gateway", lab.gateway_url, "--key-env", "LAB_KEY"]
    hidden += ["--witness-listen", f"127.0.0.1:{port}", "--witness-url", f"http://127.0.0.1:{port}"]
    drill = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("understudy")), *shown[1:], *hidden),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LAB_KEY": lab.key, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)},
    )
    printed, _ = await drill.communicate()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {' '.join(shown)}", style="bold"))
    console.print(Text.from_ansi(printed.decode()))
    picture = console.export_svg(title="A fallback that answers chat, and refuses every tool call")
    # rich names fonts on a server of others'; a reader's own monospace font does.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (FOLDER / "terminal.svg").write_text(picture, "utf-8")


async def _pages(lab: Lab, folder: Path, executable: str) -> None:
    """Photograph the page."""
    async with (
        demo_daemon(lab, folder, NOBODY, REHEARSE, StartLimit()) as daemon,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        known = await daemon.coverage(_all_tried, PathState.PROVEN, err)
        broken = next(path for path in known.paths if path.state is PathState.FAILED)
        await _shoot(browser, daemon, "/", "broken-dark.png", scheme="dark")
        await _shoot(browser, daemon, f"/drills/{broken.verdicts[0].drill}", "drill.png")
        await lab.engine.restart(enable_auto_tool_choice=True, tool_call_parser="gemma4")
        await daemon.coverage(_all_proven, PathState.PROVEN, err)
        await _shoot(browser, daemon, "/", "proven.png", begins="All")
        await _shoot(browser, daemon, "/", "phone.png", width=390, begins="All")
        await browser.close()


def _all_tried(known: CoverageAnswer) -> bool:
    return bool(known.paths) and not known.states.get(PathState.NEVER_PROVEN)


def _all_proven(known: CoverageAnswer) -> bool:
    return bool(known.paths) and set(known.states) == {PathState.PROVEN}


async def _shoot(
    browser: Browser,
    daemon: DemoDaemon,
    path: str,
    name: str,
    *,
    scheme: str = "light",
    width: int = 1100,
    begins: str = "",
) -> None:
    """Take a picture of *path*, once its first sentence *begins* so."""
    viewport = {"width": width, "height": 760}
    context = await browser.new_context(color_scheme=scheme, viewport=viewport)
    page = await context.new_page()
    await page.goto(daemon.url + path)
    await page.wait_for_timeout(SETTLED_MS)
    await page.wait_for_function(
        "begins => document.querySelector('h1').textContent.startsWith(begins)", arg=begins
    )
    await page.screenshot(path=FOLDER / name)
    await context.close()


if __name__ == "__main__":
    asyncio.run(make())
