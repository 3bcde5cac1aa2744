"""The engine must not be slower than its baseline."""

from typing import Any

import pytest

from chaos.errors import SetupError
from supervisor.baseline.measure import Order
from supervisor.baseline.record import Benchmark, Method
from supervisor.rollout.exchange.gates import speed
from supervisor.rollout.exchange.gates.speed import gate
from supervisor.rollout.finding import Answer, Finding
from tests.fakes.benchmarks import benchmark, boot, run, runs
from tests.fakes.swaps import SERVED, row, swapping

URL = "http://127.0.0.1:9"
BASELINE = benchmark(id="old", method=Method(runs=5))


class Measured:
    """Stands for the measurement, and takes down what was wanted and who was quiet meanwhile."""

    def __init__(self, comes: Benchmark | Exception) -> None:
        self.comes = comes
        self.orders: list[Order] = []
        self.quiet: list[bool] = []
        self.quiet_meanwhile: list[bool] = []

    async def __call__(self, session: Any, clock: Any, order: Order) -> Benchmark:
        self.orders.append(order)
        self.quiet_meanwhile = list(self.quiet)
        if isinstance(self.comes, Exception):
            raise self.comes
        return self.comes


async def found(monkeypatch: Any, session: Any, comes: Benchmark | Exception) -> Any:
    """What the gate says where that is measured; and the measurement."""
    measured = Measured(comes)
    monkeypatch.setattr(speed, "measure", measured)
    swap = swapping(URL, session, baseline=BASELINE, quiet=measured.quiet.append)
    (one,) = await gate(swap)
    assert isinstance(one, Finding)
    assert one.check == "speed"
    return one, measured


@pytest.mark.parametrize(
    ("why", "came"),
    [("measured by hand", "no baseline: measured by hand"), (None, "no baseline: there is none")],
)
async def test_without_a_baseline_nothing_is_measured(session, monkeypatch, why, came):
    """Why there is none is told."""
    measured = Measured(BASELINE)
    monkeypatch.setattr(speed, "measure", measured)
    quiet: list[bool] = []
    swap = swapping(URL, session, row=row(without_baseline=why), quiet=quiet.append)
    (one,) = await gate(swap)
    assert (one.answer, one.came) == (Answer.UNKNOWN, came)
    assert (measured.orders, quiet) == ([], [])


@pytest.mark.parametrize(
    ("tps", "answer", "came"),
    [
        (100.0, Answer.OK, "2.00 of the speed of old, faster"),
        (49.0, Answer.OK, "0.98 of the speed of old, no difference shown"),
        (25.0, Answer.REFUSED, "0.50 of the speed of old, slower"),
    ],
)
async def test_only_an_engine_that_is_shown_to_be_slower_is_refused(
    session, monkeypatch, tps, answer, came
):
    """A difference that one boot may have from another is none."""
    taken = benchmark(id="new", boot=boot(1), runs=runs(tps))
    one, _ = await found(monkeypatch, session, taken)
    assert (one.answer, one.came) == (answer, came)


async def test_it_is_measured_as_its_baseline_was(session, monkeypatch):
    """By the same method, and by the name that users ask for."""
    _, measured = await found(monkeypatch, session, benchmark(id="new"))
    (order,) = measured.orders
    assert (order.engine, order.settings.url, order.model) == ("gemma", URL, SERVED)
    assert order.method == BASELINE.method


async def test_runs_that_nobody_can_trust_show_nothing(session, monkeypatch):
    """Two of the reasons are told."""
    doubted = tuple(run("prose", doubts=(why,)) for why in ("c", "others asked too", "b", "b"))
    one, _ = await found(monkeypatch, session, benchmark(id="new", runs=doubted))
    assert one.answer is Answer.UNKNOWN
    assert one.came == "no run can be trusted: b; c"


async def test_a_benchmark_without_runs_shows_nothing(session, monkeypatch):
    """Nor has it a reason."""
    one, _ = await found(monkeypatch, session, benchmark(id="new", runs=()))
    assert one.answer is Answer.UNKNOWN
    assert one.came == "no run can be trusted: none was taken"


async def test_an_engine_that_cannot_be_measured_is_refused(session, monkeypatch):
    """In the measurement's own words."""
    error = SetupError("it answers status 500", remedy="Look at its log.")
    one, _ = await found(monkeypatch, session, error)
    assert (one.answer, one.came) == (Answer.REFUSED, "it answers status 500")


@pytest.mark.parametrize(
    "comes", [benchmark(id="new"), SetupError("it broke", remedy="Look.")], ids=["well", "fails"]
)
async def test_users_are_quiet_while_it_is_measured_and_no_longer(session, monkeypatch, comes):
    """Also where it fails."""
    _, measured = await found(monkeypatch, session, comes)
    assert measured.quiet_meanwhile == [True]
    assert measured.quiet == [True, False]


async def test_users_ask_again_after_an_error_of_ours(session, monkeypatch):
    """It goes on to whoever called."""
    measured = Measured(ZeroDivisionError())
    monkeypatch.setattr(speed, "measure", measured)
    swap = swapping(URL, session, baseline=BASELINE, quiet=measured.quiet.append)
    with pytest.raises(ZeroDivisionError):
        await gate(swap)
    assert measured.quiet == [True, False]
