"""What a daemon knows: through its API where one runs, from its store where none does."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from chaos.errors import UsageError
from chaos.process.ports import free_port
from supervisor.cli.knowledge import DaemonError, known
from supervisor.store.errors import StoreError
from supervisor.store.records import DrillFilter
from tests.fakes.daemons import Site, site
from tests.fakes.server import serving


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A gateway with six paths, and where the API of its daemons will be."""
    monkeypatch.setenv("TEST_KEY", "sk-test")
    address = f"127.0.0.1:{free_port()}"
    async with site(tmp_path, web={"listen": [address]}) as made:
        yield made


async def test_both_give_the_same_answers(here: Site):
    """A command need not care which of them it asks."""
    async with here.daemon() as daemon:
        await daemon.drilled()
        async with known(here.load()) as live:
            assert live.live
            status, coverage = await live.status(), await live.coverage()
            drills = await live.drills(DrillFilter(outcome="passed", limit=4))
            one = await live.drill(drills.drills[0].drill.id)
    async with known(here.load()) as past:
        assert not past.live
        assert (await past.status()).states == status.states
        assert [p.path for p in (await past.coverage()).paths] == [p.path for p in coverage.paths]
        assert await past.drills(DrillFilter(outcome="passed", limit=4)) == drills
        assert await past.drill(one.drill.id) == one
    assert len(drills.drills) == 4
    assert one.seen


async def test_a_daemon_that_does_not_run_is_a_problem(here: Site):
    """The status says so, and when it was seen last."""
    async with here.daemon() as daemon:
        await daemon.drilled()
    async with known(here.load()) as past:
        (problem,) = (await past.status()).problems
    assert "no daemon runs; one was last seen at 20" in problem


async def test_a_halt_reaches_a_running_daemon_and_one_that_will_run(here: Site):
    """Through its API with the token beside the store, and through the store."""
    here.config["rehearse"]["enabled"] = False
    async with here.daemon() as daemon, known(here.load()) as live:
        halt = await live.halt("for lunch", timedelta(hours=1), everywhere=True)
        assert halt.until == halt.since + timedelta(hours=1)
        assert (await daemon.get("/api/v1/status"))["halt"]["reason"] == "for lunch"
        await live.resume(everywhere=True)
        assert (await daemon.get("/api/v1/status"))["halt"] is None
    async with known(here.load()) as past:
        await past.halt("before the start", None, everywhere=False)
    async with here.daemon() as daemon:
        assert (await daemon.get("/api/v1/status"))["halt"]["reason"] == "before the start"
    async with known(here.load()) as past:
        await past.resume(everywhere=True)
        assert (await past.status()).halt is None


async def test_neither_daemon_nor_store_says_where_it_looked(here: Site):
    """And how one is started; nothing is made by looking."""
    with pytest.raises(UsageError, match=r"no daemon answers at .* there is no store at") as caught:
        async with known(here.load()):
            pass
    assert "understudy run" in caught.value.remedy
    assert not Path(here.config["store"]["url"].removeprefix("sqlite:///")).exists()


async def test_what_is_refused_is_said_in_the_daemons_words(here: Site):
    """An id that it does not know, say."""
    async with here.daemon(), known(here.load()) as live:
        with pytest.raises(DaemonError, match="there is none with the id 'xyz'"):
            await live.drill("xyz")


async def test_an_answer_of_something_else_is_no_answer(here: Site):
    """Whatever listens there and says ok."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text="ok\n" if request.path == "/healthz" else "<html>")

    async with serving(handle) as url:
        here.config["web"]["listen"] = [url.removeprefix("http://")]
        async with known(here.load()) as live:
            with pytest.raises(DaemonError, match="in words that this Understudy does not know"):
                await live.status()


async def test_a_store_of_several_gateways_asks_which_one(here: Site):
    """One that is named is taken."""
    async with here.daemon() as daemon:
        await daemon.drilled()
    first = here.gateway.url
    here.config["gateway"]["url"] = here.gateway.url = first.replace("127.0.0.1", "localhost")
    async with here.daemon() as daemon:
        await daemon.drilled()
    del here.config["gateway"]["url"]
    with pytest.raises(UsageError, match="the store has 2 gateways"):
        async with known(here.load()):
            pass
    here.config["gateway"]["url"] = first
    async with known(here.load()) as past:
        assert (await past.coverage()).gateway == first


def forbidden(*names: str):
    """Let the files of these names be another user's."""
    real_text, real_stat = Path.read_text, Path.stat

    def refuse(path: Path) -> None:
        if path.name in names:
            raise PermissionError(13, "Permission denied", str(path))

    def read_text(path: Path, *options: str) -> str:
        refuse(path)
        return real_text(path, *options)

    def stat(path: Path, **options: bool) -> os.stat_result:
        refuse(path)
        return real_stat(path, **options)

    return read_text, stat


async def test_another_user_may_look_and_not_change(here: Site, monkeypatch):
    """A daemon under systemd keeps its folder to itself: no traceback, and what to do."""
    async with here.daemon() as daemon:
        await daemon.drilled()
        read_text, stat = forbidden("api-token", "understudy.db")
        monkeypatch.setattr(Path, "read_text", read_text)
        monkeypatch.setattr(Path, "stat", stat)
        async with known(here.load()) as live:
            assert (await live.status()).states == {"proven": 3, "routed": 3}
            with pytest.raises(UsageError, match=r"token in .* cannot be read") as caught:
                await live.halt("lunch", None, everywhere=True)
            assert "daemon's user" in caught.value.remedy


async def test_a_store_that_this_user_may_not_look_at_is_said(here: Site, monkeypatch):
    """Where no daemon runs."""
    _, stat = forbidden("understudy.db")
    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(StoreError, match="cannot be looked at"):
        async with known(here.load()):
            pass
