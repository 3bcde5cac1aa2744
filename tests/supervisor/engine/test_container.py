"""A container is looked into by Docker's API, and whatever keeps us from it is told."""

import gc

import docker
import pytest
from docker.errors import DockerException

from chaos.errors import SetupError
from supervisor.engine import container as docker_container
from supervisor.engine.container import open_container, output_of, read_log, trouble_of
from tests.fakes.docker import FakeContainer, docker_with


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A Docker with one container."""
    container = FakeContainer(log="one\ntwo\n", output={"python3": "seen\n"})
    with docker_with(container, tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        yield container


def test_the_log_is_read_from_the_last_start_on(fake):
    """Earlier starts are Docker's to leave out."""
    with open_container("vllm") as container:
        assert read_log(container) == "one\ntwo\n"
        assert trouble_of(container) == ""
    (asked,) = [path for path in fake.asked if "/logs" in path]
    assert "since=1795480070" in asked
    assert "follow=0" in asked


def test_a_long_log_keeps_its_beginning_and_its_end(fake, monkeypatch):
    """The flags are in the one, a death in the other."""
    monkeypatch.setattr(docker_container, "MOST_LOG_BYTES", 40)
    fake.log = "begin\n" + "middle middle middle middle\n" * 9 + "end\n"
    with open_container("vllm") as container:
        text = read_log(container)
    assert text.startswith("begin\n")
    assert text.endswith("end\n")
    assert len(text) < 100


def test_a_container_that_never_started_has_no_beginning_to_ask_for(fake):
    """Docker writes the year 1."""
    fake.started_at = "0001-01-01T00:00:00Z"
    with open_container("vllm") as container:
        read_log(container)
    assert not any("since" in path for path in fake.asked)


def test_a_command_s_output_is_read(fake):
    """With its exit code; what is not there is no crash."""
    with open_container("vllm") as container:
        assert output_of(container, ["python3", "-c", "1"]) == (0, "seen\n")
        assert output_of(container, ["perl"])[0] == 127


def test_a_container_that_has_ended_says_how(fake):
    """137 is a kill."""
    fake.status, fake.exit_code = "exited", 137
    with open_container("vllm") as container:
        told = trouble_of(container)
    assert told == "the container 'vllm' is not running: exited, exit code 137"


def refusal(name="vllm"):
    """What keeps us from it."""
    with pytest.raises(SetupError) as caught, open_container(name) as container:
        read_log(container)
    assert caught.value.remedy
    return caught.value.message


def test_a_container_that_is_not_there_is_named(fake):
    """The name may be misspelt."""
    assert refusal("vlm") == "there is no container 'vlm'"


def test_a_log_that_cannot_be_read_is_told_in_docker_s_words(fake):
    """Some logging drivers only write."""
    fake.log = None
    assert refusal().endswith("configured logging driver does not support reading")


# The SDK leaves the socket open with which it tried; it is collected here, and not elsewhere.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_machine_without_docker_is_told(tmp_path, monkeypatch):
    """There is no socket."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert refusal() == "there is no Docker to ask about the container 'vllm'"
    gc.collect()


def test_a_user_who_may_not_ask_is_told(monkeypatch):
    """With the words of the SDK for a user without access; root, who runs tests, has it always."""

    def refused(**_):
        raise DockerException(
            "Error while fetching server API version: "
            "('Connection aborted.', PermissionError(13, 'Permission denied'))"
        )

    monkeypatch.setattr(docker, "from_env", refused)
    assert refusal() == "this user may not ask Docker about the container 'vllm'"
