"""What is kept of a benchmark."""

import pytest
from pydantic import ValidationError

from supervisor.baseline.record import Benchmark, Conditions, Method
from tests.supervisor.baseline.conftest import run, taken


def test_only_runs_that_may_be_trusted_make_the_figures():
    """The others are kept, and shown, and not counted."""
    one = taken(100.0, 90.0)
    doubted = run(1000.0, doubts=("burst arrival",))
    one = one.model_copy(update={"runs": (*one.runs, doubted)})
    figures = one.figures["prose", 1]
    assert (len(figures.runs), figures.decode_tps) == (2, 95.0)
    assert figures.spread_ratio == pytest.approx(10 / 95)


def test_a_text_without_a_trusted_run_has_no_figure():
    """Nor is another text's figure shown in its place."""
    one = taken(runs=(run(5.0, doubts=("too few tokens",)), run(7.0, text="code")))
    assert list(one.figures) == [("code", 1)]
    assert one.decode_tps == 7.0
    assert taken().decode_tps is None


def test_where_there_is_room_for_one_a_single_stream_is_shown():
    """Several at once are slower each, and say something else."""
    one = taken(runs=(run(40.0, concurrency=8, total_tps=320.0), run(90.0)))
    assert one.decode_tps == 90.0


def test_it_comes_back_from_json_as_it_was():
    """What the store and a file hold."""
    one = taken(100.0, 101.0, conditions=Conditions(arguments={"max_model_len": 8192}))
    assert Benchmark.model_validate_json(one.model_dump_json(by_alias=True)) == one


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"weights_gib": 9.0, "kv_cache_tokens": 77, "moe_backend": "MARLIN"}, True),
        ({"version": "2"}, False),
        ({"arguments": {"max_num_seqs": 8}}, False),
        ({"image_digest": "sha256:2"}, False),
        ({"model": "/other"}, False),
        ({"driver": "580"}, False),
    ],
)
def test_a_configuration_is_what_was_chosen_and_not_what_came_of_it(changes, same):
    """Memory and kernels are found anew at each start of the same configuration."""
    known = Conditions(model="/m", version="1", arguments={"max_num_seqs": 4})
    assert (known.model_copy(update=changes).configuration == known.configuration) is same


def test_the_number_of_runs_is_no_other_method():
    """Another length of the replies is."""
    assert Method(runs=3).like(Method(runs=9, warm_up=0))
    assert not Method().like(Method(max_tokens=128))
    assert not Method().like(Method(ignore_eos=True))


@pytest.mark.parametrize(
    "changes", [{"id": "no id"}, {"id": ""}, {"engine": ""}, {"taken_at": "2026-03-01T12:00:00"}]
)
def test_a_record_that_nobody_could_find_again_is_refused(changes):
    """An id is a word; a time has a zone."""
    with pytest.raises(ValidationError):
        Benchmark.model_validate({**taken(1.0).model_dump(by_alias=True), **changes})


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed):
    """It would be compared by its logarithm."""
    with pytest.raises(ValidationError):
        run(1.0, decode_tps=speed)
