"""The outage through a real LiteLLM, whose cooldowns decide what comes of it."""

from itertools import pairwise

import pytest
import yaml

from chaos.drill.events import DrillEnded
from chaos.drill.injector import TwinOptions
from chaos.faults.fault import FaultName
from chaos.judge.evidence import ANSWERED
from chaos.judge.verdict import Outcome
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.expand import Selection
from chaos.scenario.plan import DrillOptions
from chaos.witness.wire_record import AttemptOutcome
from tests.patience import PATIENCE_S

COOLDOWNS_S = {"short": 1, "middle": 3, "long": 9}
DOWN_S = 5


def configuration():
    """Write three groups that differ in their cooldown alone, and their fallback."""
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{name}",
                "api_key": "unused",
                "cooldown_time": cooldown_s,
            },
        }
        for name, cooldown_s in COOLDOWNS_S.items()
    ]
    spare = {"model_name": "spare", "litellm_params": {"model": "openai/spare", "api_key": "x"}}
    return {
        "model_list": [*models, spare],
        "router_settings": {
            "num_retries": 0,
            "allowed_fails": 0,
            "fallbacks": [{name: ["spare"]} for name in COOLDOWNS_S],
        },
    }


@pytest.mark.litellm
async def test_cooldowns_are_ranked_as_litellms_own_arithmetic_has_them(
    litellm_executable, tmp_path
):
    """The longer one stays away, the less it knocks and the later it is back; nobody is lost."""
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(configuration()), "utf-8")
    options = RehearsalOptions(
        injector="twin",
        drills=DrillOptions(deadline_s=PATIENCE_S, every_s=0.5, recover_within_s=PATIENCE_S),
        witness_listen=(("127.0.0.1", 0),),
        witness_url="",
        twin=TwinOptions(config_file=file, executable=litellm_executable, cooldowns=True),
    )
    selection = Selection(
        groups=tuple(COOLDOWNS_S),
        faults=(FaultName("outage", f"seconds_{DOWN_S}"),),
        shapes=("chat",),
        surfaces=("chat_completions",),
        stream=False,
        depth=1,
    )
    drills = {}
    async with Rehearsal.opened(None, options) as rehearsal:
        async for event in rehearsal.run(rehearsal.plan(rehearsal.scenarios(selection))):
            if isinstance(event, DrillEnded):
                drills[event.drill.plan.scenario.group] = event.drill
    assert list(drills) == list(COOLDOWNS_S)
    knocks = {}
    for name, drill in drills.items():
        assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
        at_primary = [r for r in drill.seen.wire if r.group == name]
        failed = [r for r in at_primary if r.outcome is AttemptOutcome.FAULTED]
        back = next(
            r
            for r in at_primary
            if r.outcome in ANSWERED and r.started_at_s > failed[-1].started_at_s
        )
        # However slow the machine is, nobody comes back before his time.
        for earlier, later in pairwise([*failed, back]):
            assert later.started_at_s - earlier.started_at_s >= 0.9 * COOLDOWNS_S[name]
        knocks[name] = len(failed)
    assert knocks["short"] > knocks["middle"] > knocks["long"] == 1
