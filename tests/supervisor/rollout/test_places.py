"""Ports and names, and who has them."""

import socket
from collections.abc import Iterator

import pytest

from chaos.process.ports import free_port
from supervisor.rollout.container_spec import ContainerSpec, Port
from supervisor.rollout.docker_host import LABEL
from supervisor.rollout.places import is_free, name_holder, port_holders, ports_of
from tests.fakes.rollouts import ToldHost, command


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that a process of this machine listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def spec(*ports: str, network: str = "bridge") -> ContainerSpec:
    """A container with these ports."""
    return ContainerSpec(image="vllm", network=network, ports=tuple(map(Port.parse, ports)))


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        ("/m --port 9000", (9000,)),
        ("/m --port=9000", (9000,)),
        ("/m", (8000,)),
        ("/m --port $PORT", ()),
    ],
    ids=["written", "with equals", "vLLM's own", "no number"],
)
def test_in_the_hosts_network_the_command_says_the_port(words, ports):
    """What is published does not count there."""
    assert ports_of(spec("1:2", network="host"), command(words)) == ports


def test_in_the_hosts_network_another_engines_port_is_not_known():
    """Its command cannot be read."""
    assert ports_of(spec(network="host"), None) == ()


@pytest.mark.parametrize("network", ["bridge", "llm"])
def test_in_a_network_of_its_own_published_ports_are_taken(network):
    """The container's own port does not matter, nor does one that Docker chooses."""
    held = spec("8001:8000", "127.0.0.1:9001:9000", "7000", network=network)
    assert ports_of(held, command("/m --port 8000")) == (8001, 9001)


def test_a_port_that_another_container_publishes_is_held_by_it():
    """Docker knows its name."""
    port = free_port()
    assert port_holders({port: "other"}, "vllm", (), (port,)) == {port: "the container other"}


def test_a_port_that_a_process_listens_on_is_held(taken):
    """Although Docker knows nothing of it."""
    assert port_holders({}, "vllm", (), (taken,)) == {taken: "a process of this machine"}


def test_a_free_port_is_held_by_nobody():
    """It can be listened on, and is free afterwards too."""
    port = free_port()
    assert port_holders({}, "vllm", (), (port,)) == {}
    assert is_free(port)


def test_what_the_old_engine_has_will_be_free(taken):
    """Published, or in the host's network."""
    assert port_holders({taken: "vllm"}, "vllm", (), (taken,)) == {}
    assert port_holders({}, "vllm", (taken,), (taken,)) == {}


def test_a_port_in_use_at_one_address_is_not_free(taken):
    """An engine listens at every address."""
    assert not is_free(taken)


@pytest.mark.parametrize(
    ("there", "holder"),
    [
        ({}, ""),
        ({"vllm-next": {"Config": {"Labels": {LABEL: "20260301-120000-vllm"}}}}, ""),
        ({"vllm-next": {"Config": {"Labels": {"other": "1"}}}}, "vllm-next"),
        ({"vllm-next": {"Config": {"Labels": None}}}, "vllm-next"),
        ({"vllm-next": {}}, "vllm-next"),
    ],
    ids=["nobody", "ours", "another label", "no labels", "nothing told"],
)
def test_a_name_is_held_by_what_is_not_ours(there, holder):
    """What we made ourselves may be replaced."""
    assert name_holder(ToldHost(containers=there), "vllm-next") == holder
