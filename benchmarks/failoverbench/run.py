"""Run the sixteen scenarios through twins of the lab's LiteLLM, beside what was published.

Real waits: some four minutes. The settings are those under which the LiteLLM proxy was published:
two retries, a timeout of 30 s, a fallback for every group and no cooldown of its own choosing.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from benchmarks.failoverbench.scoring import Scenario, Score, score
from chaos.drill.drill import Drill
from chaos.drill.events import DrillEnded
from chaos.drill.injector import TwinOptions
from chaos.faults.fault import FaultName
from chaos.gateway.redirect_permission import LANES
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.expand import Selection
from chaos.scenario.plan import DrillOptions

DEADLINE_S = 130.0
EVERY_S, BACK_WITHIN_S = 4.0, 30.0
FALLBACKS = ("ok", "ok-noprefill")


def scenarios() -> tuple[Scenario, ...]:
    """Read the sixteen, in their order."""
    text = resources.files("benchmarks.failoverbench").joinpath("scenarios.yaml").read_text("utf-8")
    return tuple(Scenario(**row) for row in yaml.safe_load(text))


def configuration(chosen: Sequence[Scenario]) -> dict[str, Any]:
    """Write LiteLLM's configuration: a group for each scenario, and the fallbacks."""
    chains = [{one.id: [one.fallback]} for one in chosen]
    models: list[dict[str, Any]] = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_key": "unused"},
        }
        for name in (*(one.id for one in chosen), *FALLBACKS)
    ]
    models[-1]["model_info"] = {"supports_assistant_prefill": False}
    return {
        "model_list": models,
        "router_settings": {
            "num_retries": 2,
            "timeout": 30,
            "fallbacks": chains,
            "context_window_fallbacks": chains,
        },
        "litellm_settings": {"drop_params": True},
    }


def run(*, only: Sequence[str] = ()) -> None:
    """Drill, score and print."""
    chosen = [one for one in scenarios() if not only or one.id in only]
    version, drills = asyncio.run(_drilled(chosen))
    print(f"LiteLLM {version}, as a twin; published: the LiteLLM proxy, 2026-09-12")
    print(f"{'':4}{'':37}{'fault':31}{'here':34}published")
    agree = 0
    for one in chosen:
        came = score(one, drills[one.id])
        agree += came.verdict == one.published["verdict"]
        missed = f"  ({', '.join(came.missed)})" if came.missed else ""
        print(f"{one.id:4}{one.title:37}{one.fault:31}{_cell(came):34}{_published(one)}{missed}")
    counts = [score(one, drills[one.id]).verdict for one in chosen]
    told = ", ".join(f"{counts.count(word)} {word}" for word in ("pass", "partial", "safe", "fail"))
    print(f"{told}; {agree} of {len(chosen)} as published")


async def _drilled(chosen: Sequence[Scenario]) -> tuple[str, dict[str, Drill]]:
    """Drill each scenario; the outage in a twin of its own, whose cooldowns are on."""
    drills: dict[str, Drill] = {}
    version = ""
    sequences = [one for one in chosen if one.fault.startswith("outage")]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.yaml")
        file.write_text(yaml.safe_dump(configuration(chosen)), "utf-8")
        for cooldowns in (False, True):
            these = [one for one in chosen if (one in sequences) is cooldowns]
            if not these:
                continue
            options = RehearsalOptions(
                injector="twin",
                drills=DrillOptions(
                    deadline_s=DEADLINE_S,
                    first_token_s=DEADLINE_S,
                    every_s=EVERY_S,
                    recover_within_s=BACK_WITHIN_S,
                ),
                concurrency=LANES,
                witness_listen=(("127.0.0.1", 0),),
                witness_url="",
                twin=TwinOptions(config_file=file, cooldowns=cooldowns),
            )
            async with Rehearsal.opened(None, options) as rehearsal:
                version = rehearsal.topology.litellm_version
                plans = [
                    plan
                    for one in these
                    for plan in rehearsal.plan(rehearsal.scenarios(_selection(one)))
                ]
                async for event in rehearsal.run(plans):
                    if isinstance(event, DrillEnded):
                        drills[event.drill.plan.scenario.group] = event.drill
    return version, drills


def _selection(one: Scenario) -> Selection:
    asked = Selection(shapes=("chat",), surfaces=("chat_completions",), stream=True, depth=1)
    return replace(asked, groups=(one.id,), faults=(FaultName.parse(one.fault),))


def _cell(came: Score) -> str:
    pause = f", pause {came.pause_s:.1f} s" if came.pause_s is not None else ""
    return f"{came.verdict} {came.attempts}{pause}, {came.took_s:.1f} s"


def _published(one: Scenario) -> str:
    told = one.published
    pause = f", pause {told['pause_s']:.1f} s" if "pause_s" in told else ""
    return f"{told['verdict']} {told['attempts']}{pause}, {told['took_s']:.1f} s"
