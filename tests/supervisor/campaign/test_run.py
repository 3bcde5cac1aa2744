"""What a campaign of the command line drills, and in which way."""

from datetime import date
from typing import cast

import pytest

from chaos.drill.campaign import Assignment
from chaos.drill.injector import Injector, Objection
from chaos.errors import GatewayError, UsageError
from chaos.gateway.client import Gateway
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.scenario.expand import Profile, Scenario, Selection
from supervisor.campaign.run import (
    DrillRequest,
    Watching,
    _Collateral,
    _drill_all,
    assign,
    engine_keys,
    known_gaps,
    scenarios_for,
    twin_wanted,
)
from supervisor.settings.model import AcceptedFailure, DrillSettings, Settings, TwinSettings
from tests.fakes.drilling import GATEWAY as LITTLE
from tests.fakes.drilling import drilling
from tests.fakes.drilling import scenario as a_scenario
from tests.fakes.gateway import FakeGateway
from tests.fakes.http_server import answering
from tests.fakes.topologies import topology

GATEWAY = topology({"claude": ["local-gemma"], "gpt": ["local-gemma"], "local-gemma": []})


def chosen(**selection):
    """The scenarios of a selection."""
    return scenarios_for(GATEWAY, DrillRequest(Selection(**selection)))


@pytest.mark.parametrize(
    ("selection", "message", "remedy"),
    [
        ({"groups": ("cluade",)}, "'cluade' is not a model group", "Did you mean 'claude'?"),
        ({"faults": ("biling",)}, "'biling'", "billing"),
        ({"shapes": ("chatt",)}, "'chatt' is not a traffic shape", "Did you mean 'chat'?"),
        ({"surfaces": ("message",)}, "'message' is not a surface", "Did you mean 'messages'?"),
        ({"depth": 9}, "there is nothing to drill", "--depth"),
        ({"faults": ("stream_cut",), "stream": False}, "there is nothing to drill", "--stream"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_way_out(selection, message, remedy):
    """Nothing to drill is an error, never a pass."""
    with pytest.raises(UsageError) as caught:
        chosen(**selection)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_a_gateway_without_models_is_nothing_to_drill():
    """A key that may see no model must not look like a clean bill of health."""
    with pytest.raises(UsageError, match="no model groups"):
        scenarios_for(topology({}), DrillRequest())


def test_max_drills_keeps_the_first_ones():
    """A limit shortens the list, it does not reorder it."""
    everything = scenarios_for(GATEWAY, DrillRequest())
    assert scenarios_for(GATEWAY, DrillRequest(max_drills=3)) == everything[:3]


def test_faults_that_only_a_twin_has_are_left_out_without_one():
    """They would make every full run inconclusive; asked for by name they stay."""
    full = Selection(profile=Profile.FULL)
    without = scenarios_for(GATEWAY, DrillRequest(full))
    with_twin = scenarios_for(GATEWAY, DrillRequest(full), has_twin=True)
    assert "connection_refused" not in {s.fault for s in without}
    assert "connection_refused" in {s.fault for s in with_twin}
    assert chosen(faults=("connection_refused",))


class FakeInjector:
    """Objects to the groups that it is told to."""

    topology = GATEWAY
    stripped = ()

    def __init__(self, name, objections):
        self.name = name
        self.objections = objections

    def objection(self, scenario: Scenario):
        return self.objections.get(scenario.group)


def injectors(*objections):
    """One injector for each table of objections."""
    names = ("redirect", "twin")
    made = [FakeInjector(name, table) for name, table in zip(names, objections, strict=False)]
    return cast(list[Injector], made)


NO = Objection("because", "do this", Kind.GATEWAY_REFUSED)
UNSURE = Objection("cannot tell", "do that")


def test_the_first_way_without_an_objection_is_taken_and_the_reason_told():
    """People see why a twin was started."""
    said: list[str] = []
    found = assign(chosen(depth=1), injectors({"gpt": UNSURE}, {}), said.append)
    ways = {(a.scenario.group, a.injector.name) for a in found}
    assert ways == {("claude", "redirect"), ("gpt", "twin")}
    assert said == ["gpt: twin, no redirect: cannot tell"]


def test_a_scenario_without_a_way_is_refused_by_itself():
    """Others are still drilled."""
    found = assign(chosen(depth=1), injectors({"gpt": NO}), lambda _: None)
    refused = {a.scenario.group for a in found if a.refusal is not None}
    assert refused == {"gpt"}


def test_a_gateway_that_permits_nothing_is_an_error():
    """Forty inconclusive lines with one cause are one error with one remedy."""
    with pytest.raises(UsageError, match="nothing can be drilled: because") as caught:
        assign(chosen(), injectors({"gpt": NO, "claude": NO}), lambda _: None)
    assert caught.value.remedy == "do this"


def test_an_accepted_failure_explains_its_scenarios_until_its_day():
    """Afterwards it is a failure again."""
    entry = AcceptedFailure(scenario="claude/*", until=date(2026, 12, 1), reason="being mended")
    (scenario, *_) = chosen(groups=("claude",))
    (other, *_) = chosen(groups=("gpt",))
    (today, *_) = known_gaps([entry], today=date(2026, 12, 1))
    assert today.explains("1.106.2", scenario, Kind.TOO_LATE, None)
    assert not today.explains("1.106.2", other, Kind.TOO_LATE, None)
    assert "being mended" in today.source
    assert len(known_gaps([entry], today=date(2026, 12, 2))) == len(known_gaps([]))


def test_a_twin_is_started_where_it_is_asked_for_or_possible():
    """``auto`` without a configuration file has none to start."""
    possible = TwinSettings.model_validate({"litellm_config": "x.yaml"})
    assert not twin_wanted(Settings())
    assert twin_wanted(Settings(twin=possible))
    assert twin_wanted(Settings(drills=DrillSettings(injector="twin")))
    assert not twin_wanted(Settings(twin=possible, drills=DrillSettings(injector="redirect")))


class Models:
    """A gateway whose model list is asked for; None stands for one that has gone."""

    def __init__(self, *lists: frozenset[tuple[str, str]] | None):
        self.lists = list(lists)

    async def model_ids(self):
        """Answer the next list."""
        found = self.lists.pop(0)
        if found is None:
            raise GatewayError("gone", remedy="Start it.")
        return found

    changes = staticmethod(Gateway.changes)


async def changes(*lists):
    """What is found after one drill."""
    look = await _Collateral.since(cast(Gateway, Models(*lists)))
    return await look()


async def test_a_changed_model_list_is_collateral():
    """A deployment that stays behind is served to every caller."""
    before, after = frozenset({("gpt", "a")}), frozenset({("gpt", "a"), ("gpt", "b")})
    assert await changes(before, before) == ()
    assert await changes(before, after) == ("deployment b appeared in group 'gpt'",)


async def test_a_gateway_that_goes_in_mid_campaign_is_no_collateral():
    """The drill itself tells that the gateway is down; the campaign reports what it has."""
    assert await changes(frozenset({("gpt", "a")}), None) == ()


class FakeModelList:
    """A gateway whose model list grows when it is told to."""

    changes = staticmethod(Gateway.changes)

    def __init__(self):
        self.models = frozenset({("claude", "1")})
        self.asked = 0

    async def model_ids(self):
        self.asked += 1
        return self.models


async def test_the_model_list_is_looked_at_after_the_first_drill_and_at_the_end():
    """A deployment that a redirect left behind would serve every caller."""
    gateway = FakeModelList()
    look = await _Collateral.since(cast(Gateway, gateway))
    assert await look() == ()
    gateway.models |= {("claude", "left behind")}
    assert [await look() for _ in range(6)] == [()] * 6
    assert look.refusal() is None
    assert await look.look() == ("deployment left behind appeared in group 'claude'",)
    assert gateway.asked == 3


async def test_nothing_more_is_drilled_once_others_have_felt_a_drill():
    """One deployment left behind is one too many."""
    gateway = FakeModelList()
    look = await _Collateral.since(cast(Gateway, gateway))
    gateway.models |= {("claude", "left behind")}
    await look()
    refused = look.refusal()
    assert refused is not None
    assert refused.kind is Kind.HALTED
    assert "left behind" in refused.reason


def test_an_engines_key_is_for_its_own_addresses(monkeypatch):
    """It is put on what is forwarded there, and on nothing else."""
    monkeypatch.setenv("ENGINE_KEY", "sk-engine")
    settings = Settings.model_validate(
        {
            "engines": {
                "local-gemma": {"url": "http://127.0.0.1:9000", "key": {"env": "ENGINE_KEY"}},
                "open": "http://127.0.0.1:9001",
            }
        }
    )
    assert engine_keys(GATEWAY, settings) == {
        "127.0.0.1:9000": "sk-engine",
        "127.0.0.1:8000": "sk-engine",
    }


class Left(FakeModelList):
    """A gateway in which something is left behind once it was asked *times* times."""

    def __init__(self, times):
        super().__init__()
        self.times = times

    async def model_ids(self):
        """Answer, with what was left behind."""
        if self.asked >= self.times:
            self.models |= {("claude", "left behind")}
        return await super().model_ids()


async def campaign(gateway, count, settings=None, chain=LITTLE):
    """Run *count* drills by redirect, as the command line does."""
    ways = drilling(FakeGateway({"paid": ["paid", "backup"]}))
    async with ways as (driller, injector, _):
        rows, _spent = await _drill_all(
            [Assignment(a_scenario(), injector)] * count,
            cast(Gateway, gateway),
            settings or Settings(),
            DrillRequest(seed=1),
            chain,
            driller.session,
            None,
            Watching(),
        )
    return rows


async def test_what_the_last_drill_left_behind_is_found_at_the_end():
    """A deployment that stays is served to every caller, whichever drill left it."""
    first, second, third = await campaign(Left(2), 3)
    assert (first.outcome, second.outcome) == (Outcome.PASSED, Outcome.PASSED)
    assert third.kind is Kind.COLLATERAL


async def test_a_campaign_that_others_feel_is_halted():
    """Every further drill could leave one more behind."""
    first, second, third = await campaign(Left(1), 3)
    assert first.kind is Kind.COLLATERAL
    assert [row.kind for row in (second, third)] == [Kind.HALTED] * 2


async def test_a_named_engine_is_asked_whether_it_is_busy_where_the_user_says():
    """LiteLLM's address for it may be one that we cannot reach."""
    busy = b"vllm:num_requests_waiting 3\n"
    with answering({"/metrics": (200, "text/plain", busy)}) as url:
        settings = Settings.model_validate({"engines": {"backup": url}})
        (row,) = await campaign(FakeModelList(), 1, settings)
    assert row.kind is Kind.ENGINE_BUSY
