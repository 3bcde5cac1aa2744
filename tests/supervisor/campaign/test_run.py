"""One campaign as the settings say: guarded, listened to, and reported."""

import pytest

from chaos import rehearsal
from chaos.drill.campaign import Assignment
from chaos.drill.drill import Refusal
from chaos.drill.events import CampaignEnded, DrillEnded, Event
from chaos.drill.report import DrillReport
from chaos.errors import UsageError
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.process.ports import free_port
from chaos.scenario.expand import Selection
from supervisor.campaign import halts
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import refuse_the_impossible, run_drills
from supervisor.settings.model import DrillSettings, Settings, WitnessSettings
from supervisor.store.halt_file import end_halt, halt_file, write_halt
from supervisor.store.location import store_url
from supervisor.store.records import Halt
from tests.fakes.drilling import GATEWAY, scenario
from tests.fakes.http_server import answering
from tests.fakes.manual_clock import NOON
from tests.fakes.model_lists import Losing
from tests.fakes.plans import plan_for
from tests.fakes.whole_gateway import permitting, whole_gateway

CHAT = Selection(shapes=("chat",), stream=False, depth=1)


async def campaign(models=None, *, engines=None, request=None, said=None, states=None, **changes):
    """Run the drills of the little gateway as the command line does."""
    address = f"127.0.0.1:{free_port()}"
    settings = Settings(
        drills=DrillSettings(injector="redirect", **changes),
        witness=WitnessSettings(listen=(address,), url=f"http://{address}"),
        engines=engines or {},
    )
    permitted = permitting(GATEWAY, rf"^http://{address}/lane/")
    heard: list[Event] = []
    async with whole_gateway(models) as (gateway, _):
        gateway._topology = permitted
        report = await run_drills(
            gateway,
            settings,
            request or DrillRequest(CHAT, seed=1),
            listen=heard.append,
            grew=lambda make: (states if states is not None else []).append(make()),
            say=(said if said is not None else []).append,
        )
    return report, heard


async def test_a_report_holds_what_the_listener_heard():
    """One stream of events, and two that listen."""
    report, heard = await campaign()
    ended = [event.drill.plan.id for event in heard if isinstance(event, DrillEnded)]
    assert [row.id for row in report.drills] == ended
    assert {row.outcome for row in report.drills} == {Outcome.PASSED}
    assert isinstance(heard[-1], CampaignEnded)
    assert len(ended) == 3
    assert report.seed == 1
    assert report.summary.requests == 4  # one of them to see how fast the gateway is


async def test_a_report_can_be_made_after_each_drill():
    """One that was killed has all before the drill that ran."""
    states: list[DrillReport] = []
    await campaign(states=states)
    assert [(len(one.drills), one.summary.not_started) for one in states] == [
        (1, 2),
        (2, 1),
        (3, 0),
    ]


async def test_before_a_long_campaign_its_length_is_said(monkeypatch):
    """Nobody starts two thousand drills without knowing how long they take."""
    monkeypatch.setattr(rehearsal, "FROM", 2)
    said: list[str] = []
    await campaign(said=said)
    assert any(line.startswith("3 drills, about 1 min at this gateway's 0.") for line in said)
    monkeypatch.setattr(rehearsal, "FROM", 3)
    said.clear()
    await campaign(said=said)
    assert not any("drills, about" in line for line in said)


async def test_max_drills_keeps_the_first_ones():
    """A limit shortens the list, it does not reorder it."""
    everything, _ = await campaign()
    report, _ = await campaign(request=DrillRequest(CHAT, max_drills=2))
    keys = [row.scenario.key for row in everything.drills]
    assert [row.scenario.key for row in report.drills] == keys[:2]


async def test_what_is_found_after_the_last_drill_replaces_its_row():
    """The report has one row for each drill, with the verdict that counts."""
    said: list[str] = []
    report, _ = await campaign(Losing(2), said=said)
    assert [row.kind for row in report.drills] == [None, None, Kind.COLLATERAL]
    assert "after the last drill: deployment 2 vanished from group 'gpt'" in said


async def test_a_named_engine_is_asked_whether_it_is_busy_where_the_user_says():
    """LiteLLM's address for it may be one that we cannot reach."""
    busy = b"vllm:num_requests_waiting 3\n"
    with answering({"/metrics": (200, "text/plain", busy)}) as url:
        report, _ = await campaign(engines={"backup": url})
    assert {row.kind for row in report.drills} == {Kind.ENGINE_BUSY}


def refused(kind):
    """A scenario that cannot be drilled."""
    return Assignment(plan_for(GATEWAY, scenario()), Refusal(kind, "because", "do this"))


def test_a_gateway_that_permits_nothing_is_an_error():
    """Forty inconclusive lines with one cause are one error with one remedy."""
    with pytest.raises(UsageError, match="nothing can be drilled: because") as caught:
        refuse_the_impossible([refused(Kind.GATEWAY_REFUSED)] * 2)
    assert caught.value.remedy == "do this"


@pytest.mark.parametrize(
    "others", [[Assignment(plan_for(GATEWAY, scenario()))], [refused(Kind.HOP_NOT_FORWARDABLE)]]
)
def test_what_can_be_drilled_beside_is_drilled(others):
    """One refused group is a row of the report."""
    refuse_the_impossible([refused(Kind.GATEWAY_REFUSED), *others])
    assert others


async def test_nothing_is_sent_while_drills_are_halted(monkeypatch):
    """Whoever halted them meant these too; begun in the middle it ends what is left."""
    file = halt_file(store_url(Settings().store))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_halt(file, "a new driver")
    with pytest.raises(UsageError, match="drills are halted: a new driver"):
        await campaign()
    end_halt(file)
    states: list[DrillReport] = []
    seen = iter([None, None, None, Halt("a new driver", NOON)])
    monkeypatch.setattr(halts, "read_halt", lambda _: next(seen, Halt("a new driver", NOON)))
    report, _ = await campaign(states=states)
    kinds = [row.kind for row in report.drills]
    assert kinds[0] is None
    assert kinds[-1] is Kind.HALTED
