"""Is one faster than the other, and how sure is that?"""

import pytest

from supervisor.baseline.compare import BOOTS_DIFFER_RATIO, Verdict, compare
from supervisor.baseline.record import Conditions, Method
from tests.supervisor.baseline.conftest import run, taken

STEADY = (100.0, 100.5, 99.5)


def times(factor: float) -> tuple[float, ...]:
    """Speeds that differ from the steady ones by a factor."""
    return tuple(factor * speed for speed in STEADY)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (0.5, Verdict.SLOWER),
        (0.84, Verdict.SLOWER),
        (0.88, Verdict.SAME),
        (0.95, Verdict.SAME),
        (1.0, Verdict.SAME),
        (1.13, Verdict.SAME),
        (1.2, Verdict.FASTER),
        (1.86, Verdict.FASTER),
    ],
)
def test_one_boot_alone_shows_no_difference_that_a_boot_could_make(factor, verdict):
    """Another start of the same engine may be 15 % faster: below that there is no verdict."""
    found = compare(taken(*STEADY), taken(*times(factor), at=1, boot=1, version="2"))
    assert found.verdict is verdict
    assert found.assumed
    assert found.boot_spread_ratio == pytest.approx(BOOTS_DIFFER_RATIO)


def test_the_interval_is_as_wide_as_boots_are_assumed_to_differ_and_no_less():
    """The ratio of two single boots of one configuration lies in it 19 times of 20."""
    (row,) = compare(taken(*STEADY), taken(*times(1.86), at=1, boot=1, version="2")).rows
    assert row.speed.middle == pytest.approx(1.86)
    assert row.speed.low <= 1.86 / (1 + BOOTS_DIFFER_RATIO)
    assert row.speed.high >= 1.86 * (1 + BOOTS_DIFFER_RATIO)
    assert str(row.speed).startswith("1.86")


def test_known_boots_that_agree_narrow_it():
    """Five boots of each configuration, all alike: a tenth less is then a regression."""
    before = [taken(*STEADY, at=n, boot=n) for n in range(5)]
    after = [taken(*times(0.9), at=10 + n, boot=10 + n, version="2") for n in range(5)]
    alone = compare(before[-1], after[-1])
    found = compare(before[-1], after[-1], [*before, *after])
    assert (alone.verdict, found.verdict) == (Verdict.SAME, Verdict.SLOWER)
    assert (found.boots, found.assumed) == ((5, 5), False)
    assert found.boot_spread_ratio < BOOTS_DIFFER_RATIO


def test_known_boots_that_differ_widen_it():
    """Boots that differ by half: a tenth less is then nothing."""
    before = [taken(*times(f), at=n, boot=n) for n, f in enumerate((0.7, 1.0, 1.4))]
    after = taken(*times(0.8), at=9, boot=9, version="2")
    found = compare(before[1], after, before)
    assert found.boot_spread_ratio > 2 * BOOTS_DIFFER_RATIO
    assert found.verdict is Verdict.SAME


def test_a_boot_that_is_to_be_judged_does_not_say_how_far_boots_differ():
    """Else every slow start would be an ordinary one."""
    same = [taken(*STEADY, at=n, boot=n) for n in range(4)]
    slow = taken(*times(0.7), at=9, boot=9)
    assert compare(same[0], slow, [*same, slow]).verdict is Verdict.SLOWER


def test_several_benchmarks_of_one_boot_are_one_boot():
    """However often it is measured, the next start may be another."""
    many = [taken(*STEADY, at=n, boot=0) for n in range(9)]
    found = compare(many[0], taken(*times(0.9), at=10, boot=10, version="2"), many)
    assert (found.boots[0], found.assumed, found.verdict) == (1, True, Verdict.SAME)


def test_boots_of_which_nothing_is_known_count_as_one():
    """An engine without a start time is not taken for one that was started often."""
    many = [taken(*STEADY, at=n, boot=None) for n in range(9)]
    assert compare(many[0], taken(*STEADY, at=10, boot=10, version="2"), many).boots == (1, 1)


def test_runs_that_differ_widen_it_too():
    """A noisy machine says less."""
    after = taken(*times(0.8), at=1, boot=1, version="2")
    quiet = compare(taken(*STEADY), after).rows[0].speed
    noisy = compare(taken(70.0, 100.0, 140.0), after).rows[0].speed
    assert noisy.high - noisy.low > 1.5 * (quiet.high - quiet.low)


def test_a_first_token_that_comes_much_later_is_a_regression_too():
    """Although the speed is the same; a tenth later is chance."""
    late = [run(speed, ttft_s=0.5) for speed in STEADY]
    hardly = [run(speed, ttft_s=0.055) for speed in STEADY]
    before = taken(*STEADY)
    found = compare(before, taken(runs=tuple(late), at=1, boot=1, version="2"))
    assert found.rows[0].speed.verdict is Verdict.SAME
    assert found.verdict is Verdict.SLOWER
    other = compare(before, taken(runs=tuple(hardly), at=1, boot=1, version="2"))
    assert other.verdict is Verdict.SAME


@pytest.mark.parametrize(("before_s", "after_s"), [(0.003, 0.005), (0.03, 0.075), (0.004, 0.04)])
def test_a_first_token_that_nobody_feels_later_is_no_regression(before_s, after_s):
    """Of a few milliseconds half is chance: an idle daemon once paged for one more."""
    before, after = (
        taken(runs=tuple(run(speed, ttft_s=s) for speed in STEADY), at=at, boot=at)
        for at, s in enumerate((before_s, after_s))
    )
    (row,) = compare(before, after).rows
    assert row.first_token is not None
    assert row.first_token.verdict is Verdict.SLOWER
    assert (row.waits_longer, row.verdict) == (False, Verdict.SAME)


def test_several_at_once_are_compared_by_what_all_of_them_yield():
    """Each may be slower while the engine yields more."""
    before = taken(runs=tuple(run(50.0, concurrency=8, total_tps=300.0) for _ in range(3)))
    after = taken(
        runs=tuple(run(45.0, concurrency=8, total_tps=600.0) for _ in range(3)),
        at=1,
        boot=1,
        version="2",
    )
    (row,) = compare(before, after).rows
    assert row.speed.middle == pytest.approx(2.0)
    assert (row.before_tps, row.after_tps) == pytest.approx((300.0, 600.0))


def test_texts_are_compared_with_themselves():
    """What only one of them has is told, not compared."""
    before, after = taken(*STEADY), taken(*STEADY, at=1, text="code")
    found = compare(before, after)
    assert found.rows == ()
    assert found.speed_ratio is None
    assert any("only one of the two has figures of: code, prose" in r for r in found.remarks)


def test_what_is_different_is_listed_with_its_flags():
    """And what an engine found out at its start."""
    before = taken(1.0, conditions=Conditions(version="1", arguments={"a_b": 1, "c": 2}))
    after = taken(
        1.0, at=1, conditions=Conditions(version="2", kv_cache_tokens=5000, arguments={"c": 3})
    )
    assert compare(before, after).changed == (
        ("version", "1", "2"),
        ("kv cache tokens", "not known", "5,000"),
        ("--a-b", "1", "not known"),
        ("--c", "2", "3"),
    )


def test_a_reader_is_told_what_makes_it_doubtful():
    """Runs that do not count, and lengths that differ."""
    doubted = run(9.0, doubts=("too few tokens: 3",))
    before = taken(runs=(run(100.0), doubted))
    after = taken(100.0, at=1, method=Method(max_tokens=64))
    told = compare(before, after).remarks
    assert any("a run is not counted, of prose: too few tokens: 3" in one for one in told)
    assert any("another length" in one for one in told)
