"""Log and package are looked into together, and what cannot be read is noted once."""

from supervisor.engine.inspection import Inside, look_inside
from supervisor.settings.model import EngineSettings
from tests.fakes.docker import FakeContainer, docker_with
from tests.fakes.vllm_package import environment, lazily

LOG = "INFO non-default args: {'tool_call_parser': 'hermes'}\n"


def engine(**places):
    """An engine that can be looked into there."""
    return EngineSettings(url="http://127.0.0.1:8000", **places)


async def test_an_engine_of_which_only_the_url_is_known_is_left_alone():
    """Nothing is opened, nothing is run."""
    assert await look_inside(engine()) == Inside()


async def test_log_and_package_are_both_read(tmp_path):
    """From a file and an environment."""
    log = tmp_path / "vllm.log"
    log.write_text(LOG)
    python = environment(tmp_path, {"tool_parsers/__init__.py": lazily("TOOL", hermes="H")})
    inside = await look_inside(engine(log=log, python=python))
    assert inside.log is not None
    assert inside.log.flags == {"tool_call_parser": "hermes"}
    assert inside.parsers is not None
    assert inside.parsers.tool == ("hermes",)
    assert (inside.notes, inside.container) == ((), None)


async def test_one_trouble_with_a_container_is_one_note(tmp_path, monkeypatch):
    """It keeps us from the log and from the package."""
    with docker_with(FakeContainer(name="other"), tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        inside = await look_inside(engine(container="vllm"))
    assert [note.message for note in inside.notes] == ["there is no container 'vllm'"]
    assert (inside.log, inside.container) == (None, "vllm")


async def test_a_log_of_another_program_is_noted(tmp_path, monkeypatch):
    """A sidecar's container, say."""
    container = FakeContainer(log="nginx is up\n", output={"python3": "{}"})
    with docker_with(container, tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        inside = await look_inside(engine(container="vllm"))
    assert inside.log is None
    assert "nothing in the log of container vllm is vLLM's" in [n.message for n in inside.notes]
