"""Look at the machine: Python, packages, the witness's address, proxies, the lab's LiteLLM."""

import errno
import socket
import sys
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import supervisor
from chaos.gateway.install import litellm_bin
from chaos.gateway.releases import LITELLM_VERSION
from chaos.process.environment import default_folder
from chaos.process.ports import holder
from chaos.witness.request import CODE
from supervisor.doctor.items import Item, fail, ok, warn
from supervisor.settings.model import Settings, TwinSettings, WitnessSettings

OLDEST_PYTHON = (3, 11)
ANSWER_WITHIN_S = 5.0
MOST_BYTES = 4096


def machine(settings: Settings) -> Iterator[Item]:
    """Look at everything that needs no gateway."""
    yield from witness_address(settings.witness)
    yield proxies(settings)
    yield twin(settings.twin)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Item:
    """Look at the interpreter."""
    shown = ".".join(map(str, version))
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return ok("python", f"Python {shown}")
    return fail("python", f"Python {shown} is too old", "Install Understudy with Python 3.11 on.")


def other_supervisor() -> Item:
    """Look for supervisord, whose package has our name: whoever is installed last wins."""
    ours = Path(supervisor.__file__).parent
    try:
        theirs = distribution("supervisor")
    except PackageNotFoundError:
        return ok("supervisor_package", f"the package supervisor is Understudy's own, at {ours}")
    return fail(
        "supervisor_package",
        f"supervisord {theirs.version} is installed in this environment; its package is called "
        "supervisor too, and each overwrites files of the other",
        "Give Understudy a virtual environment of its own.",
    )


def witness_address(witness: WitnessSettings) -> Iterator[Item]:
    """Look whether the witness could listen, and whether its URL leads to it."""
    held: list[socket.socket] = []
    try:
        for address in witness.listen:
            host, _, port = address.rpartition(":")
            try:
                held.append(_listening(host.strip("[]"), int(port)))
            except OSError as error:
                yield _not_free(address, error)
            else:
                yield ok("witness_address", f"{address} is free")
        if len(held) == len(witness.listen):
            yield _reachable(witness)
    finally:
        for one in held:
            one.close()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def _not_free(address: str, error: OSError) -> Item:
    host, _, port = address.rpartition(":")
    if error.errno == errno.EADDRINUSE and _is_witness(host.strip("[]"), int(port)):
        return ok("witness_address", f"the witness of a running Understudy listens on {address}")
    if error.errno == errno.EADDRINUSE:
        return fail(
            "witness_address",
            f"{address}, where the witness would listen, is taken by {holder(int(port))}",
            "If the daemon's socket unit holds it, start the daemon: systemctl start understudy. "
            "Else end that process, or choose another port in witness.listen, witness.url and "
            "LiteLLM's permission.",
        )
    return fail(
        "witness_address",
        f"the witness cannot listen on {address}: {error.strerror or error}",
        "Name an address of this machine in witness.listen; 'understudy init' finds one.",
    )


def _is_witness(host: str, port: int) -> bool:
    """Ask whoever listens there as a stranger does: a witness refuses by its name."""
    asked = HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)
    try:
        asked.request("GET", "/")
        return CODE in asked.getresponse().read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def _reachable(witness: WitnessSettings) -> Item:
    """Dial the witness's URL while we hold its addresses; another machine may see it otherwise."""
    parts = urlsplit(witness.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ok(
            "witness_url",
            f"{witness.url} has no address on this machine; only LiteLLM can tell whether it "
            "reaches the witness there",
        )
    family, kind, _, _, address = known[0]
    with socket.socket(family, kind) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(address)
        except OSError as error:
            return fail(
                "witness_url",
                f"{witness.url} does not lead to {', '.join(witness.listen)}: "
                f"{error.strerror or error}",
                "Make witness.url and witness.listen name the same address and port.",
            )
    return ok("witness_url", f"{witness.url} leads to the witness")


def proxies(settings: Settings, environment: Mapping[str, str] | None = None) -> Item:
    """Look for a proxy that would catch what goes to the gateway or the witness.

    Args:
        environment: Proxies as ``urllib`` reads them; by default this process's.
    """
    found = dict(getproxies_environment() if environment is None else environment)
    urls = (settings.gateway.url or "http://127.0.0.1:4000", settings.witness.url)
    caught = [
        url
        for url in urls
        if (found.get(urlsplit(url).scheme) or found.get("all"))
        and not _bypassed(urlsplit(url).hostname or "", found)
    ]
    if not caught:
        return ok("proxies", "there is no proxy between the gateway and the witness")
    hosts = ",".join(dict.fromkeys(urlsplit(url).hostname or "" for url in caught))
    return warn(
        "proxies",
        f"this environment sends requests for {', '.join(caught)} through a proxy; a LiteLLM "
        "started from it would send redirected drills there too",
        f"Set NO_PROXY={hosts} where LiteLLM is started.",
    )


def _bypassed(host: str, found: Mapping[str, str]) -> bool:
    """Read ``NO_PROXY`` as most programs do: names, suffixes of names, or everything."""
    names = [name.strip().lstrip(".").lower() for name in found.get("no", "").split(",")]
    return any(
        name == "*" or (name and (host == name or host.endswith(f".{name}"))) for name in names
    )


def twin(settings: TwinSettings) -> Item:
    """Look for a LiteLLM that could be started as a twin, and for its configuration."""
    config = settings.litellm_config
    if config is not None and not config.expanduser().is_file():
        return fail(
            "twin",
            f"twin.litellm_config: there is no {config}",
            "Name LiteLLM's configuration file.",
        )
    if settings.litellm_image is not None:
        return ok("twin", f"twins are started from the image {settings.litellm_image}")
    named = settings.litellm_bin
    if named is not None:
        if named.is_file():
            return ok("twin", f"twins are started with {named}")
        return fail("twin", f"twin.litellm_bin: there is no {named}", "Name LiteLLM's executable.")
    wanted = settings.litellm_version
    if wanted is not None:
        there = litellm_bin(default_folder(), wanted) is not None
        when = "" if there else ", which is installed when it is needed first"
        return ok("twin", f"twins are started with LiteLLM {wanted}{when}")
    found = litellm_bin(default_folder())
    if found is not None:
        return ok("twin", f"twins are started with the lab's LiteLLM {LITELLM_VERSION}, {found}")
    return warn(
        "twin",
        f"there is no LiteLLM in {default_folder()} to start a twin with; redirected drills need "
        "none",
        "Install it: understudy lab --prepare",
    )
