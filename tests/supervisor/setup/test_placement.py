"""The witness stands where LiteLLM reaches it, and on no more addresses than that takes."""

import os
import socket

import pytest

from supervisor.setup.placement import Place, Surroundings, detect, look_around, placement

LOCAL = "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    ("url", "seen", "place"),
    [
        (LOCAL, Surroundings(), Place.HOST),
        ("http://localhost:4000", Surroundings(gateway_holder="litellm (pid 7)"), Place.HOST),
        (LOCAL, Surroundings(gateway_holder="docker-proxy (pid 7)"), Place.BRIDGE),
        ("http://172.17.0.5:4000", Surroundings(bridge="172.17.0.1"), Place.BRIDGE),
        ("http://10.9.0.5:4000", Surroundings(bridge="10.9.0.1"), Place.BRIDGE),
        ("http://litellm:4000", Surroundings(in_container=True), Place.COMPOSE),
        ("http://gateway.example", Surroundings(), Place.HOST),
    ],
)
def test_the_place_is_found_out(url, seen, place):
    """From the gateway's address, who holds it, and where we are ourselves."""
    assert detect(url, seen) is place


def test_on_the_host_only_loopback_is_used():
    """Nobody else can reach it there."""
    found = placement(Place.HOST, LOCAL, Surroundings(own_address="192.0.2.7"), 8941)
    assert (found.listen, found.url) == (("127.0.0.1:8941",), "http://127.0.0.1:8941")
    assert found.extra == ""
    assert found.sentence == "LiteLLM runs on this machine."


@pytest.mark.parametrize(
    ("own", "address"), [("192.0.2.7", "192.0.2.7:9000"), ("2001:db8::7", "[2001:db8::7]:9000")]
)
def test_for_another_machine_our_own_address_towards_it_is_used(own, address):
    """Loopback would be that machine's own."""
    seen = Surroundings(own_address=own)
    found = placement(Place.HOST, "http://gateway.example", seen, 9000)
    assert (found.listen, found.url) == ((address,), f"http://{address}")


def test_a_container_on_the_bridge_dials_the_host():
    """The witness listens on that bridge and on nothing else."""
    found = placement(Place.BRIDGE, LOCAL, Surroundings(bridge="10.9.0.1"), 8941)
    assert found.listen == ("10.9.0.1:8941",)
    assert found.url == "http://host.docker.internal:8941"
    assert "host.docker.internal:host-gateway" in found.extra
    assert placement(Place.BRIDGE, LOCAL, Surroundings(), 1).listen == ("172.17.0.1:1",)


def test_in_one_compose_project_the_service_is_dialled():
    """Its name is an address in the project's network."""
    found = placement(Place.COMPOSE, "http://litellm:4000", Surroundings(), 8941)
    assert (found.listen, found.url) == (("0.0.0.0:8941",), "http://understudy:8941")


def test_looking_around_names_the_holder_of_the_gateways_port():
    """It is how a published port of a container is told from a process of the host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = look_around(f"http://127.0.0.1:{server.getsockname()[1]}")
    assert f"(pid {os.getpid()})" in seen.gateway_holder
    assert seen.own_address == "127.0.0.1"


def test_looking_around_survives_a_name_without_an_address():
    """The gateway was reached by somebody's proxy, say."""
    seen = look_around("https://no-such-host.invalid")
    assert (seen.gateway_holder, seen.own_address) == ("", None)
