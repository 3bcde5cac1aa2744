"""How fast an engine is now against how fast it should be."""

from supervisor.baseline.compare import Verdict
from supervisor.baseline.record import Conditions
from supervisor.baseline.standing import Speed, speed_of
from tests.supervisor.baseline.conftest import run, taken


def test_nothing_is_known_before_the_first_benchmark():
    """Nor where no run of it can be trusted."""
    assert speed_of([]) == Speed()
    doubted = taken(runs=(run(1.0, doubts=("busy",)),))
    known = speed_of([doubted])
    assert (known.latest, known.baseline, known.ratio) == (None, None, None)
    assert known.taken == (doubted,)


def test_the_daemons_first_is_the_baseline_until_a_person_takes_one():
    """And then the newest that a person has taken: so a change is accepted."""
    first, second = taken(100.0, by="daemon"), taken(99.0, at=1, by="daemon")
    assert speed_of([second, first]).baseline == first
    by_hand, later = taken(80.0, at=2), taken(81.0, at=3, by="daemon")
    known = speed_of([first, second, by_hand, later])
    assert (known.baseline, known.latest) == (by_hand, later)
    assert known.ratio is not None
    assert abs(known.ratio - 81 / 80) < 1e-9


def test_while_the_newest_is_the_baseline_it_is_as_it_should_be():
    """There is nothing to compare."""
    known = speed_of([taken(100.0)])
    assert (known.ratio, known.comparison) == (1.0, None)


def test_an_engine_that_has_become_slower_is_seen():
    """In a later boot, too, when it is more than boots differ."""
    known = speed_of([taken(100.0, 100.0), taken(70.0, 70.0, at=1, boot=1, by="daemon")])
    assert known.comparison is not None
    assert known.comparison.verdict is Verdict.SLOWER


def test_another_model_is_no_measure():
    """Its speed is its own, until it has a baseline of its own."""
    other = taken(20.0, at=1, by="daemon", conditions=Conditions(model="/bigger"))
    known = speed_of([taken(100.0), other])
    assert (known.baseline, known.ratio) == (other, 1.0)


def test_what_another_tool_has_measured_never_becomes_the_baseline():
    """It has other texts, on another machine perhaps."""
    known = speed_of([taken(50.0), taken(500.0, at=1, by="llama-benchy")])
    assert known.latest == known.baseline == taken(50.0)
    assert len(known.taken) == 2
