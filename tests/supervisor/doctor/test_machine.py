"""What is wrong with a machine is told before a drill finds it out."""

import asyncio
import os
import socket
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest

from chaos.process.ports import free_port
from chaos.witness.server import Witness
from supervisor.doctor import machine as doctor_machine
from supervisor.doctor.items import Status
from supervisor.doctor.machine import (
    machine,
    other_supervisor,
    proxies,
    python,
    twin,
    witness_address,
)
from supervisor.settings.model import Settings, TwinSettings, WitnessSettings


def witness(port, url=None, *more):
    """Settings of a witness on this port."""
    listen = (f"127.0.0.1:{port}", *more)
    return WitnessSettings(listen=listen, url=url or f"http://127.0.0.1:{port}")


def told(items):
    """Name and status of each item."""
    return [(item.name, item.status.value) for item in items]


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((4, 0), "ok")]
)
def test_an_old_python_is_told(version, status):
    """3.11 is the first that will do."""
    assert python(version).status == status


def test_supervisord_in_the_same_environment_is_told(monkeypatch):
    """Its package has our name, and the last one installed wins."""
    monkeypatch.setattr(doctor_machine, "distribution", lambda _: SimpleNamespace(version="4.3.0"))
    item = other_supervisor()
    assert item.status is Status.FAIL
    assert "4.3.0" in item.message


def test_our_own_package_is_well(monkeypatch):
    """It is where it should be."""

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor_machine, "distribution", missing)
    assert other_supervisor().status is Status.OK


def test_a_free_address_that_the_url_leads_to_is_well():
    """Both are tried, and let go again."""
    port = free_port()
    expected = [("witness_address", "ok"), ("witness_url", "ok")]
    assert told(witness_address(witness(port))) == expected
    assert told(witness_address(witness(port))) == expected


async def test_the_witness_of_a_running_daemon_is_well():
    """Whoever holds its socket; drills are handed to it."""
    async with Witness().serving([("127.0.0.1", 0)]) as running:
        port = int(running.url.rpartition(":")[2])
        items = await asyncio.to_thread(lambda: list(witness_address(witness(port))))
    assert told(items) == [("witness_address", "ok")]


def test_a_taken_address_is_told_with_its_holder(monkeypatch):
    """The remedy starts with who it is; one that says nothing is waited for only briefly."""
    monkeypatch.setattr(doctor_machine, "ANSWER_WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        (item,) = witness_address(witness(server.getsockname()[1]))
    assert item.status is Status.FAIL
    assert f"(pid {os.getpid()})" in item.message


def test_an_address_of_another_machine_is_told():
    """Only own addresses can be listened on."""
    port = free_port()
    items = list(witness_address(witness(port, None, f"192.0.2.1:{port}")))
    assert told(items) == [("witness_address", "ok"), ("witness_address", "fail")]
    assert "192.0.2.1" in items[1].message


def test_a_url_that_leads_elsewhere_is_told():
    """A changed port in only one of two places is the usual reason."""
    *_, item = witness_address(witness(free_port(), f"http://127.0.0.1:{free_port()}"))
    assert (item.name, item.status) == ("witness_url", Status.FAIL)


def test_a_url_that_only_litellm_can_resolve_is_left_to_it():
    """A container knows names that this machine does not."""
    *_, item = witness_address(witness(free_port(), "http://no-such-host.invalid:8941"))
    assert (item.name, item.status) == ("witness_url", Status.OK)
    assert "only LiteLLM can tell" in item.message


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ({}, "ok"),
        ({"http": "http://proxy:3128"}, "warn"),
        ({"all": "socks5://proxy:1080"}, "warn"),
        ({"https": "http://proxy:3128"}, "ok"),
        ({"http": "http://proxy:3128", "no": "localhost, 127.0.0.1"}, "ok"),
        ({"http": "http://proxy:3128", "no": "*"}, "ok"),
        ({"http": "http://proxy:3128", "no": "example.com"}, "warn"),
    ],
)
def test_a_proxy_that_catches_loopback_is_told(environment, status):
    """Redirected drills, with their keys, would travel through it."""
    item = proxies(Settings(), environment)
    assert item.status == status
    assert ("NO_PROXY=127.0.0.1" in (item.remedy or "")) == (status == "warn")


def test_a_litellm_for_twins_is_looked_for(monkeypatch, tmp_path: Path):
    """An image, an executable, the lab's, or none."""
    monkeypatch.setenv("UNDERSTUDY_LAB_DIR", str(tmp_path))
    executable = tmp_path / "litellm"
    executable.write_text("")
    assert twin(TwinSettings(litellm_image="litellm:1")).status is Status.OK
    assert twin(TwinSettings(litellm_bin=executable)).status is Status.OK
    assert twin(TwinSettings(litellm_bin=tmp_path / "none")).status is Status.FAIL
    missing = twin(TwinSettings(litellm_config=tmp_path / "none.yaml", litellm_image="litellm:1"))
    assert missing.status is Status.FAIL
    assert "none.yaml" in missing.message
    assert twin(TwinSettings(litellm_config=executable, litellm_image="x:1")).status is Status.OK
    item = twin(TwinSettings())
    assert item.status is Status.WARN
    assert item.remedy == "Install it: understudy lab --prepare"


def test_a_machine_is_looked_at_as_a_whole(monkeypatch, tmp_path: Path):
    """Every part is an item, in a fixed order."""
    monkeypatch.setenv("UNDERSTUDY_LAB_DIR", str(tmp_path))
    settings = Settings(witness=witness(free_port()))
    names = [item.name for item in machine(settings)]
    assert names == ["witness_address", "witness_url", "proxies", "twin"]
