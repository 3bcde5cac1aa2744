"""The live view: all that runs and what came last on a terminal, nothing elsewhere."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from chaos.drill.drill import NOTHING_YET, Drill
from chaos.drill.events import CampaignPlanned, DrillEnded, DrillStarted
from chaos.judge.observation import Observation
from chaos.judge.verdict import Outcome, Verdict
from supervisor.cli.progress import SHOWN, LiveDrills
from tests.fakes.drilling import GATEWAY
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import topology


def plan(group="paid"):
    """A drill that is to come."""
    gateway = GATEWAY if group == "paid" else topology({group: ["local"]})
    return plan_for(gateway, one_scenario(gateway, group))


def ended(planned, outcome=Outcome.PASSED):
    """Its end."""
    verdict = Verdict(outcome, None, ())
    return DrillEnded(Drill(planned, verdict, Observation(NOTHING_YET), datetime.now(UTC)))


def live_on(*, terminal, height=40):
    """A live view on a terminal or a file; and what it wrote."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, height=height, highlight=False)
    return LiveDrills(console), console, file


def frame(live, console):
    """What the view shows now."""
    with console.capture() as captured:
        console.print(live._draw())
    return captured.get()


async def test_nothing_is_drawn_into_a_log():
    """A file gets no bars, no colours and no moving cursor."""
    live, _, file = live_on(terminal=False)
    with live:
        live.take(CampaignPlanned((plan(), plan())))
        live.take(DrillStarted(plan()))
        live.take(ended(plan()))
    assert file.getvalue() == ""


def test_a_terminal_shows_counts_and_the_last_drills():
    """What is done, of how many, with which verdicts."""
    live, console, _ = live_on(terminal=True)
    live.take(CampaignPlanned((plan(),) * 20))
    for number in range(SHOWN):
        live.take(ended(plan(f"group-{number}")))
    live.take(ended(plan("last"), Outcome.FAILED))
    shown = frame(live, console)
    assert "9/20" in shown
    assert "8 passed, 1 failed" in shown
    assert "✗last" in shown
    assert "group-0 " not in shown


def test_what_runs_is_named_until_it_ends():
    """A drill that hangs can be seen to hang."""
    live, console, _ = live_on(terminal=True)
    one, other = plan(), plan()
    live.take(CampaignPlanned((one, other)))
    # The same scenario twice: what runs is a plan.
    other = replace(other, id="another")
    live.take(DrillStarted(one))
    live.take(DrillStarted(other))
    assert frame(live, console).count(f"… {one.scenario.key}") == 2
    live.take(ended(one))
    assert frame(live, console).count(f"… {one.scenario.key}") == 1
    live.take(ended(other))
    assert f"… {one.scenario.key}" not in frame(live, console)


async def test_a_failure_is_a_line_of_a_log():
    """Whoever reads the log of a job need not wait for its end."""
    live, _, file = live_on(terminal=False)
    with live:
        live.take(CampaignPlanned((plan(), plan())))
        live.take(ended(plan(), Outcome.FAILED))
    assert file.getvalue().startswith("1 of 2 drills, 1 failed: paid/")
    assert len(file.getvalue().splitlines()) == 1


def test_it_is_estimated_how_long_the_rest_takes():
    """From the third drill on."""
    live, console, _ = live_on(terminal=True)
    live.take(CampaignPlanned((plan(),) * 20))
    for number in range(3):
        assert "left" not in frame(live, console)
        live.take(DrillStarted(plan()))
        live.take(ended(plan(f"group-{number}")))
    assert "about 5 s left" in frame(live, console)


@pytest.mark.parametrize("height", [1, 3, 5, 9, 40])
def test_no_frame_is_higher_than_the_terminal(height):
    """What scrolls out of the screen cannot be wiped from it; a header alone is not shown."""
    live, console, _ = live_on(terminal=True, height=height)
    live.take(CampaignPlanned((plan(),) * 20))
    assert "path" not in frame(live, console)
    for number in range(SHOWN):
        live.take(ended(plan(f"group-{number}"), Outcome.FAILED))
    shown = frame(live, console)
    assert len(shown.splitlines()) <= max(height - 1, 1)
    assert ("path" in shown) == ("group-7" in shown)
    assert "group-7" in shown or height < 5


def test_the_last_frame_is_empty():
    """It is drawn whole, however low the terminal is."""
    live, console, _ = live_on(terminal=True)
    with live:
        live.take(CampaignPlanned((plan(),)))
        live.take(ended(plan()))
    assert frame(live, console).strip() == ""


def test_the_view_is_gone_when_it_ends():
    """The report that follows is not mixed with what was moving."""
    live, _, file = live_on(terminal=True)
    with live:
        live.take(CampaignPlanned((plan(),)))
        live.take(ended(plan()))
    assert "\x1b[?25h" in file.getvalue()  # the cursor is back
