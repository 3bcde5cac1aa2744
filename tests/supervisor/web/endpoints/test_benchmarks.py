"""How fast the engines are, by the API."""

from dataclasses import replace

from supervisor.baseline.standing import speed_of
from supervisor.web.answers.benchmarks import BenchmarkAnswer
from tests.fakes.world import Site
from tests.supervisor.baseline.conftest import whole

PATH = "/api/v1/benchmarks"


async def test_each_engine_is_shown_against_its_baseline(api: Site):
    """With every benchmark whole, so that a command can compare any two of them."""
    before, after = whole(100.0, 100.0), whole(60.0, 60.0, at=1, boot=1, by="daemon")
    api.world.snapshot = replace(api.world.snapshot, speeds={"gemma": speed_of([before, after])})
    (engine,) = (await api.get(PATH)).json["engines"]
    assert (engine["engine"], engine["baseline"], engine["latest"]) == (
        "gemma",
        before.id,
        after.id,
    )
    assert engine["verdict"] == "slower"
    assert round(engine["ratio"], 3) == 0.6
    assert [BenchmarkAnswer.model_validate(one).record for one in engine["benchmarks"]] == [
        before,
        after,
    ]


async def test_without_a_benchmark_there_is_no_engine(api: Site):
    """An empty list, no error."""
    assert (await api.get(PATH)).json == {"engines": []}


async def test_a_benchmark_that_a_command_has_taken_is_kept(api: Site):
    """By whoever has the token, and by nobody else."""
    body = BenchmarkAnswer.of(whole(100.0)).model_dump(mode="json")
    refused = await api.ask("POST", PATH, json=body)
    assert refused.status == 401
    done = await api.change("POST", PATH, json=body)
    assert done.status == 201
    assert ("add_benchmark", whole(100.0).id) in api.world.calls


async def test_what_is_no_benchmark_is_refused(api: Site):
    """With every problem named."""
    done = await api.change("POST", PATH, json={"id": "no id", "engine": ""})
    assert done.status == 400
    assert "id" in done.json["why"]
