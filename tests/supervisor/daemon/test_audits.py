"""The audits of the daemon: when the gateway has changed, and once a day."""

from pathlib import Path

import aiohttp
import pytest

from chaos.gateway.client import open_gateway
from supervisor.daemon.audits import NAME, Audits, last_report
from supervisor.settings.model import Settings
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.http_server import answering, litellm_answers
from tests.fakes.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock):
    """An empty store."""
    url = parse_url(str(tmp_path / "understudy.db"))
    async with Store.opened(url, Home("spark-1", "http://g"), clock) as made:
        yield made


@pytest.fixture
async def gateway():
    """A LiteLLM whose groups have no fallbacks."""
    with answering(litellm_answers(groups=("claude", "gpt"))) as url:
        async with open_gateway(url, key="sk-x", admin_key="sk-x") as made:
            yield made


async def test_findings_are_kept(gateway, store: Store, clock: ManualClock, capsys):
    """And each new one is in the log, once."""
    audits = Audits(store, clock)
    assert await last_report(store) is None
    assert await audits.look(gateway, Settings(), changed=True)
    report = await last_report(store)
    assert report is not None
    assert {f.subject for f in report.findings if f.code == "no_fallback"} == {"claude", "gpt"}
    assert capsys.readouterr().out.count("no_fallback") == 2
    assert await audits.look(gateway, Settings(), changed=True)
    assert "audit.found" not in capsys.readouterr().out


async def test_they_run_once_a_day_and_when_something_has_changed(
    gateway, store: Store, clock: ManualClock
):
    """Not at every look."""
    audits = Audits(store, clock)
    assert await audits.look(gateway, Settings(), changed=False)
    assert not await audits.look(gateway, Settings(), changed=False)
    clock.advance(86_399)
    assert not await audits.look(gateway, Settings(), changed=False)
    assert await audits.look(gateway, Settings(), changed=True)
    clock.advance(86_400)
    assert await audits.look(gateway, Settings(), changed=False)


async def test_a_gateway_that_cannot_be_audited_is_no_end(store: Store, clock: ManualClock):
    """It is in the log, and the last report stays."""
    async with (
        aiohttp.ClientSession(),
        open_gateway("http://127.0.0.1:1", key="sk-x", admin_key="sk-x") as down,
    ):
        assert not await Audits(store, clock).look(down, Settings(), changed=True)


async def test_a_report_of_another_version_is_none(store: Store):
    """The next audit writes it anew."""
    await store.remember(NAME, {"schema": "understudy/audit-report/99"})
    assert await last_report(store) is None


async def test_a_finding_of_several_groups_is_known_again_in_any_order(
    store: Store, clock: ManualClock, capsys
):
    """A gateway may list its groups otherwise after a restart."""
    audits = Audits(store, clock)
    for groups in (("b", "a"), ("a", "b")):
        with answering(litellm_answers(groups=groups)) as url:
            async with open_gateway(url, key="sk-x", admin_key="sk-x") as made:
                assert await audits.look(made, Settings(), changed=True)
        logged = capsys.readouterr().out
        assert ("redirect_unavailable" in logged) == (groups == ("b", "a"))
    report = await last_report(store)
    assert report is not None
    (one,) = [f for f in report.findings if f.code == "redirect_unavailable"]
    assert (one.subject, one.groups) == ("a", ("a", "b"))
