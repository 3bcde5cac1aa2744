"""A LiteLLM comes up, says why it does not, and never outlives us."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from chaos.errors import SetupError
from chaos.gateway.process import running_litellm
from chaos.process.readiness import StartLimit
from tests.patience import PATIENCE_S

# Stands in for LiteLLM: same arguments, same readiness, and a child of its own.
FAKE = """#!{python}
import http.server, os, subprocess, sys, time
import json, pathlib
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
config = pathlib.Path(arguments["--config"]).read_text()
if "broken" in config:
    print("ValueError: no such router setting")
    sys.exit(3)
child = subprocess.Popen(["sleep", "600"])
here = pathlib.Path(arguments["--config"]).parent
(here / "seen.json").write_text(json.dumps(
    {{"pids": [os.getpid(), child.pid], "environment": dict(os.environ), "argv": sys.argv}}
))
if "deaf" in config:
    time.sleep(600)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/liveliness" else 404)
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.HTTPServer((arguments["--host"], int(arguments["--port"])), Handler).serve_forever()
"""

START_AND_TELL = """
import asyncio, sys
from pathlib import Path
from chaos.gateway.process import running_litellm

async def main():
    async with running_litellm(
        Path(sys.argv[1]), {}, directory=Path(sys.argv[2]), master_key="sk-made-up"
    ):
        print("up", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    """A program that behaves like ``litellm`` as far as starting and stopping go."""
    path = tmp_path / "litellm"
    path.write_text(FAKE.format(python=sys.executable))
    path.chmod(0o755)
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where the process writes; what it started is gone afterwards, however the test went."""
    path = tmp_path / "run"
    yield path
    for pid in pids(path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pids(directory: Path) -> list[int]:
    """Name the fake and its child."""
    seen = directory / "seen.json"
    return list(yaml.safe_load(seen.read_text())["pids"]) if seen.exists() else []


def alive(pid: int) -> bool:
    """Tell whether *pid* runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def gone(found: list[int]) -> None:
    """Wait until none of *found* runs."""
    async with asyncio.timeout(PATIENCE_S):
        while any(alive(pid) for pid in found):
            await asyncio.sleep(0.01)


async def test_it_answers_when_it_is_handed_over(executable: Path, directory: Path):
    """Whoever gets the process can ask it at once."""
    async with (
        running_litellm(executable, {}, directory=directory, master_key="sk-made-up") as process,
        aiohttp.ClientSession() as session,
        session.get(f"{process.url}/health/liveliness") as reply,
    ):
        assert reply.status == 200
        assert process.running
        assert process.pid in pids(directory)


async def test_nothing_is_left_when_it_is_stopped(executable: Path, directory: Path):
    """Leaving the block ends the process and its child, and takes the configuration away."""
    async with running_litellm(executable, {}, directory=directory, master_key="sk-made-up"):
        started = pids(directory)
        assert all(alive(pid) for pid in started)
    await gone(started)
    assert len(started) == 2
    assert [path.name for path in directory.iterdir() if "litellm" in path.name] == ["litellm.log"]


async def test_stopping_twice_is_stopping_once(executable: Path, directory: Path):
    """A process that was stopped inside its block is not stopped again at its end."""
    async with running_litellm(
        executable, {}, directory=directory, master_key="sk-made-up"
    ) as process:
        await process.stop()
        assert not process.running
        await process.stop()


async def test_the_master_key_is_in_a_private_file_and_nowhere_else(
    executable: Path, directory: Path
):
    """Nobody else on the machine can read the key: not from the file, arguments or environment."""
    config = {"model_list": [], "general_settings": {"store_model_in_db": False}}
    async with running_litellm(executable, config, directory=directory, master_key="sk-made-up"):
        path = directory / "litellm.yaml"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert yaml.safe_load(path.read_text()) == {
            "model_list": [],
            "general_settings": {"store_model_in_db": False, "master_key": "sk-made-up"},
        }
        assert "sk-made-up" not in (directory / "seen.json").read_text()


async def test_it_inherits_no_provider_key_and_no_proxy(
    executable: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
):
    """Keys and proxies of our environment stay ours; what is asked for gets through."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-the-user")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    async with running_litellm(
        executable,
        {},
        directory=directory,
        master_key="sk-made-up",
        environment={"SSL_CERT_FILE": "/made/up.pem"},
    ):
        environment = yaml.safe_load((directory / "seen.json").read_text())["environment"]
    assert "ANTHROPIC_API_KEY" not in environment
    assert "HTTPS_PROXY" not in environment
    assert environment["SSL_CERT_FILE"] == "/made/up.pem"
    assert environment["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"


async def test_a_bad_start_is_told_in_its_own_words(executable: Path, directory: Path):
    """A configuration that does not load gives LiteLLM's own message, without waiting."""
    with pytest.raises(SetupError, match=r"code 3.*\n  ValueError: no such router setting") as told:
        async with running_litellm(
            executable,
            {"router_settings": {"broken": 1}},
            directory=directory,
            master_key="sk-made-up",
        ):
            pass
    assert str(directory) not in told.value.remedy


async def test_one_that_never_answers_is_ended(executable: Path, directory: Path):
    """A process that does not answer in time is an error, and does not stay."""
    with pytest.raises(SetupError, match="did not answer within 0 s") as raised:
        async with running_litellm(
            executable,
            {"router_settings": {"deaf": 1}},
            directory=directory,
            master_key="sk-made-up",
            limit=StartLimit(0, "twin.start_within_s"),
        ):
            pass
    assert "limit: twin.start_within_s; load average" in raised.value.message
    assert "raise twin.start_within_s" in raised.value.remedy
    # It may have ended before it could write down its number.
    config = str(directory / "litellm.yaml").encode()
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [line for line in lines if config in line]


async def test_a_taken_port_names_its_holder(executable: Path, directory: Path):
    """A port that somebody listens on is told together with who does."""

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SetupError, match=rf"port {port} .* taken by .*pid {os.getpid()}"):
            async with running_litellm(
                executable, {}, directory=directory, master_key="sk-made-up", port=port
            ):
                pass


async def test_it_dies_with_us_at_kill_9(executable: Path, directory: Path):
    """When we are killed without a chance to clean up, no process and no key stays."""
    us = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", START_AND_TELL, str(executable), str(directory)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert us.stdout is not None
    assert await us.stdout.readline() == b"up\n"
    started = pids(directory)
    assert all(alive(pid) for pid in started)

    us.kill()
    await us.wait()

    await gone(started)
    assert not (directory / "litellm.yaml").exists()
    assert not (directory / "litellm.log").exists()
