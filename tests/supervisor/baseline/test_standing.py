"""How fast an engine is now against how fast it should be."""

from supervisor.baseline.compare import Verdict
from supervisor.baseline.record import Conditions, Method
from supervisor.baseline.standing import Speed, speed_of
from supervisor.baseline.text import TEXTS
from tests.supervisor.baseline.conftest import run, whole


def test_nothing_is_known_before_the_first_benchmark():
    """Nor where no run of it can be trusted."""
    assert speed_of([]) == Speed()
    doubted = whole(runs=(run(1.0, doubts=("busy",)),))
    known = speed_of([doubted])
    assert (known.latest, known.baseline, known.ratio) == (None, None, None)
    assert known.taken == (doubted,)


def test_the_daemons_first_is_the_baseline_until_a_person_takes_one():
    """And then the newest that a person has taken: so a change is accepted."""
    first, second = whole(100.0, by="daemon"), whole(99.0, at=1, by="daemon")
    assert speed_of([second, first]).baseline == first
    by_hand, later = whole(80.0, at=2), whole(81.0, at=3, by="daemon")
    known = speed_of([first, second, by_hand, later])
    assert (known.baseline, known.latest) == (by_hand, later)
    assert known.ratio is not None
    assert abs(known.ratio - 81 / 80) < 1e-9


def test_while_the_newest_is_the_baseline_it_is_as_it_should_be():
    """There is nothing to compare."""
    known = speed_of([whole(100.0)])
    assert (known.ratio, known.comparison) == (1.0, None)


def test_an_engine_that_has_become_slower_is_seen():
    """In a later boot, too, when it is more than boots differ."""
    known = speed_of([whole(100.0, 100.0), whole(70.0, 70.0, at=1, boot=1, by="daemon")])
    assert known.comparison is not None
    assert known.comparison.verdict is Verdict.SLOWER


def test_another_model_is_no_measure():
    """Its speed is its own, until it has a baseline of its own."""
    other = whole(20.0, at=1, by="daemon", conditions=Conditions(model="/bigger"))
    known = speed_of([whole(100.0), other])
    assert (known.baseline, known.ratio) == (other, 1.0)


def test_what_another_tool_has_measured_never_becomes_the_baseline():
    """It has other texts, on another machine perhaps."""
    known = speed_of([whole(50.0), whole(500.0, at=1, by="llama-benchy")])
    assert known.latest == known.baseline == whole(50.0)
    assert len(known.taken) == 2


def test_what_has_only_some_of_the_texts_takes_nobody_s_place():
    """Nor does one of several at once alone, or one that was made to write on."""
    before = whole(100.0, by="daemon")
    for odd in (
        whole(runs=(run(50.0),), at=1),
        whole(runs=tuple(run(50.0, text, concurrency=4) for text in TEXTS), at=1),
        whole(50.0, at=1, method=Method(ignore_eos=True)),
        whole(50.0, at=1, by="import"),
    ):
        known = speed_of([before, odd])
        assert (known.baseline, known.latest) == (before, before)
        assert known.taken == (before, odd)


def test_replies_of_another_length_have_a_baseline_of_their_own():
    """Settings that changed are no change of the engine."""
    short = whole(50.0, at=1, by="daemon", method=Method(max_tokens=128))
    known = speed_of([whole(100.0), short])
    assert (known.baseline, known.ratio) == (short, 1.0)


def test_two_models_of_one_server_are_two():
    """An engine may not name its checkpoint; what it was asked for tells them apart."""
    small = whole(100.0, conditions=Conditions(model="small", served_name="small"))
    big = whole(30.0, at=1, by="daemon", conditions=Conditions(model="big", served_name="big"))
    assert speed_of([small, big]).baseline == big
