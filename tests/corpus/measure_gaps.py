"""Measure on another LiteLLM which rows of ``known_gaps.yaml`` it shows still, pattern by pattern.

    python -m tests.corpus.measure_gaps 1.108.6 [ANOTHER …]

Drills every scenario of the untouched gateway that a row's pattern names (chat; tool calls where
they are cut), as if it were the version that the rows were written for, and prints for each pattern
how many failed as the row says, how many passed, and what else came. What only waits is left to the
corpus. A LiteLLM that is not there is installed beside the lab's. By hand.
"""

import asyncio
import secrets
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TextIO

from chaos.drill.drill import Drill
from chaos.drill.events import DrillEnded
from chaos.drill.report import row_of
from chaos.faults.fault import FaultName
from chaos.gateway.client import open_gateway
from chaos.gateway.install import install_litellm
from chaos.gateway.process import running_litellm
from chaos.gateway.releases import LITELLM_VERSION
from chaos.judge.known_gaps import KnownGap, load
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_provider import simulated_provider
from chaos.process.environment import default_folder
from chaos.process.ports import free_port
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import Profile, Selection, expand
from chaos.scenario.plan import DrillOptions
from chaos.scenario.scenario import Scenario
from chaos.witness.server import Witness
from tests.corpus.format import read_corpus
from tests.corpus.runner import litellm_config

DEADLINE_S = 20.0
WAITING = ("slow_first_token", "keepalive_only", "stream_stall")
SPEC = read_corpus()["untouched"]
GAPS = load()


def _write(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _faults() -> list[FaultName]:
    """Name every fault that a row names, variants too."""
    named = {gap.scenario.split("/")[1].rstrip("*") for gap in GAPS}
    return sorted({FaultName.parse(name) for name in named if name}, key=str)


def _wanted(scenario: Scenario) -> bool:
    shape = {"tool_call_cut": "tool_call"}.get(scenario.fault.name, "chat")
    fits = any(fnmatchcase(scenario.pattern, gap.scenario) for gap in GAPS)
    return (
        fits
        and scenario.fault.name not in WAITING
        and scenario.depth == 1
        and scenario.shape in (shape, "embedding")
    )


async def drilled(executable: Path, version: str, folder: Path) -> list[Drill]:
    """Drill what the rows name."""
    port, key = free_port(), f"sk-{secrets.token_hex(24)}"
    async with AsyncExitStack() as stack:
        engines = {
            name: await stack.enter_async_context(SimulatedEngine(flags))
            for name, flags in SPEC.engine_flags().items()
        }
        server = await stack.enter_async_context(simulated_provider())
        dialects = {one.dialect for group in SPEC.all_groups().values() for one in group}
        config = litellm_config(
            SPEC,
            engines={name: engine.base_url for name, engine in engines.items()},
            servers={name: server.base_url(name) for name in dialects if name is not None},
            witness_port=port,
        )
        litellm = await stack.enter_async_context(
            running_litellm(executable, config, directory=folder, master_key=key)
        )
        gateway = await stack.enter_async_context(open_gateway(litellm.url, key=key, admin_key=key))
        witness = Witness(f"http://127.0.0.1:{port}")
        await stack.enter_async_context(witness.serving([("127.0.0.1", port)]))
        options = RehearsalOptions(
            injector="redirect", drills=DrillOptions(DEADLINE_S, DEADLINE_S), concurrency=4
        )
        async with Rehearsal.opened(gateway, options, witness=witness) as rehearsal:
            selection = Selection(faults=tuple(_faults()), profile=Profile.EXHAUSTIVE)
            found = expand(rehearsal.topology, selection, CATALOGUE)
            scenarios = [one for one in found if _wanted(one)]
            _write(sys.stderr, f"LiteLLM {version}: {len(scenarios)} drills")
            assignments = rehearsal.plan(scenarios)
            return [
                event.drill
                async for event in rehearsal.run(assignments)
                if isinstance(event, DrillEnded)
            ]


def _rows(drills: list[Drill]) -> Iterator[tuple[KnownGap, Counter[str]]]:
    """Count for each row what came of the drills that it means."""
    came: dict[int, Counter[str]] = defaultdict(Counter)
    for drill in drills:
        hops = drill.plan.hops
        primary = hops[0].deployments[0].dialect if hops and hops[0].deployments else None
        told = row_of(drill, litellm_version=LITELLM_VERSION, gaps=GAPS)
        for number, gap in enumerate(GAPS):
            if gap.primary and primary not in gap.primary:
                continue
            if fnmatchcase(drill.plan.scenario.pattern, gap.scenario):
                same = told.known_gap == gap.source
                came[number][
                    "as the row says" if same else f"{told.outcome} {told.kind or ''}".strip()
                ] += 1
    for number, gap in enumerate(GAPS):
        yield gap, came[number]


async def main(versions: list[str]) -> None:
    """Print a table for each version."""
    for version in versions:
        executable = await install_litellm(
            default_folder(), version, say=lambda line: _write(sys.stderr, line)
        )
        with tempfile.TemporaryDirectory() as folder:
            drills = await drilled(executable, version, Path(folder))
        _write(sys.stdout, f"== LiteLLM {version}")
        for gap, came in _rows(drills):
            counts = ", ".join(f"{count} {what}" for what, count in came.most_common())
            _write(
                sys.stdout,
                f"{gap.scenario:60} {','.join(sorted(gap.primary)) or 'any':40} {counts or '-'}",
            )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or [LITELLM_VERSION]))
