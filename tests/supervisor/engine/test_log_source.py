"""An engine's log is fetched from a file or a container, and never too much of it."""

import pytest

from supervisor.engine import log_source as engine_source
from supervisor.engine.log import read_log
from supervisor.engine.log_source import LogText, fetch_log
from supervisor.settings.model import EngineSettings
from tests.fakes.docker import FakeContainer, docker_with

START = "INFO version 1\nINFO non-default args: {'max_model_len': %d}\n"
PERIODIC = "INFO Engine 000: Avg prompt throughput: 0.0 tokens/s\n"


def engine(**places):
    """An engine whose log is there."""
    return EngineSettings(url="http://127.0.0.1:8000", **places)


async def test_no_place_is_no_log():
    """Most settings name none, and nothing is looked for."""
    assert await fetch_log(engine()) is None


async def test_a_file_is_read_from_its_last_start_to_its_end(tmp_path, monkeypatch):
    """What lies between is skipped, however long it is; so are earlier starts."""
    monkeypatch.setattr(engine_source, "START_BYTES", 200)
    monkeypatch.setattr(engine_source, "END_BYTES", 100)
    monkeypatch.setattr(engine_source, "BEFORE_MARK_BYTES", 30)
    file = tmp_path / "vllm.log"
    file.write_text(START % 1 + PERIODIC * 999 + START % 2 + PERIODIC * 999 + "the end\n")
    found = await fetch_log(engine(log=file))
    assert found is not None
    assert read_log(found.text).flags == {"max_model_len": 2}
    assert found.text.endswith("the end\n")
    assert len(found.text) < 400
    assert (found.where, found.problem) == (f"file {file}", "")


@pytest.mark.parametrize("chunk", [7, 23, 40, 1000])
async def test_the_start_is_found_wherever_the_chunks_end(tmp_path, monkeypatch, chunk):
    """A mark that lies across two of them counts."""
    monkeypatch.setattr(engine_source, "_CHUNK", chunk)
    file = tmp_path / "vllm.log"
    text = START % 1 + START % 2 + PERIODIC
    file.write_text(text)
    found = await fetch_log(engine(log=file))
    assert found is not None
    assert (found.text, found.problem) == (text, "")


async def test_a_file_without_a_start_is_told_and_its_end_is_read(tmp_path, monkeypatch):
    """It was rotated away, or is another program's."""
    monkeypatch.setattr(engine_source, "MOST_SEARCHED_BYTES", 1000)
    monkeypatch.setattr(engine_source, "_CHUNK", 100)
    file = tmp_path / "vllm.log"
    file.write_text(START % 1 + PERIODIC * 999)
    found = await fetch_log(engine(log=file))
    assert found is not None
    assert found.problem == f"the log {file} does not show how vLLM was started"
    assert found.text.endswith(PERIODIC)


@pytest.mark.parametrize("kind", ["missing", "folder", "bytes", "empty"])
async def test_what_is_no_log_is_a_fact(tmp_path, kind):
    """Never a crash, and always a remedy."""
    place = tmp_path / kind
    if kind == "folder":
        place.mkdir()
    elif kind != "missing":
        place.write_bytes(b"\xff\x00" if kind == "bytes" else b"")
    found = await fetch_log(engine(log=place))
    assert found is not None
    assert str(place) in found.problem
    assert found.remedy


async def test_a_container_is_asked_by_docker(tmp_path, monkeypatch):
    """A stopped one too: its log tells why."""
    container = FakeContainer(log=START % 3, status="exited", exit_code=1)
    with docker_with(container, tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        found = await fetch_log(engine(container="vllm"))
        missing = await fetch_log(engine(container="vlm"))
    assert found is not None
    assert (found.text, found.where) == (START % 3, "container vllm")
    assert found.problem == "the container 'vllm' is not running: exited, exit code 1"
    assert isinstance(missing, LogText)
    assert (missing.text, missing.problem) == ("", "there is no container 'vlm'")


async def test_a_file_saves_asking_docker(tmp_path):
    """Who may ask Docker is root; a file is enough."""
    file = tmp_path / "vllm.log"
    file.write_text(START % 4)
    found = await fetch_log(engine(log=file, container="vllm"))
    assert found is not None
    assert found.where == f"file {file}"
