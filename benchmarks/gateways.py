"""What drills are measured against: our fast gateway, or the lab's real LiteLLM."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import fast_gateway
from benchmarks.processes import cores, module, running
from chaos.process.ports import free_port

KEY_VARIABLE = "BENCHMARK_KEY"


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway that runs.

    Attributes:
        surfaces: What it can be drilled with; empty for everything.
    """

    name: str
    url: str
    key: str
    witness_port: int
    surfaces: tuple[str, ...] = ()


@contextmanager
def target(*, lab: bool) -> Iterator[Target]:
    """Run a gateway on the second core until exit."""
    port = free_port()
    if lab:
        with running(module("real_lab", str(port)), core=cores().load) as server:
            url, key = server.url.split()
            yield Target("the lab's LiteLLM", url, key, port)
        return
    with running(module("fast_gateway", str(port)), core=cores().load) as server:
        yield Target("a fast gateway", server.url, "sk-benchmark", port, fast_gateway.SURFACES)
