"""Where the benchmarks of the command line go to, beside a running daemon."""

from pathlib import Path

import pytest

from chaos.errors import UsageError
from chaos.http_client import open_session
from supervisor.cli.benchmark_records import from_file, keeper
from tests.fakes.daemons import site
from tests.supervisor.baseline.conftest import whole


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the configuration names."""
    monkeypatch.setenv("TEST_KEY", "sk-test")


async def test_a_running_daemon_keeps_it_and_knows_at_once(tmp_path: Path):
    """Its store stays its own; without a daemon the store takes it."""
    async with site(tmp_path) as here:
        async with here.daemon() as daemon, open_session() as session:
            here.config["web"]["listen"] = [daemon.url.removeprefix("http://")]
            async with keeper(here.load(), session) as keep:
                await keep(whole(100.0))
            (known,) = (await daemon.get("/api/v1/benchmarks"))["engines"]
            assert known["latest"] == whole(100.0).id
        async with open_session() as session, keeper(here.load(), session) as keep:
            assert await keep(whole(100.0)) is False, "the daemon wrote it into its store"
            assert await keep(whole(90.0, at=1)) is True


async def test_what_is_not_to_be_kept_touches_no_store(tmp_path: Path):
    """Nor is one made."""
    async with site(tmp_path) as here, open_session() as session:
        async with keeper(here.load(), session, keep=False) as keep:
            await keep(whole(1.0))
        assert not list(tmp_path.iterdir())


def test_a_file_of_ours_and_one_of_llama_benchys_are_told_apart(tmp_path: Path):
    """By what is in them."""
    path = tmp_path / "x.json"
    path.write_text(whole(3.0).model_dump_json(by_alias=True))
    assert from_file(path) == whole(3.0)
    path.write_text('{"model": "m", "benchmarks": []}')
    with pytest.raises(UsageError, match="no figure of generation"):
        from_file(path)
    path.write_text("[" * 100_000)
    with pytest.raises(UsageError, match="cannot be read"):
        from_file(path)
