"""The page as it is served."""

from dataclasses import replace

import pytest

from supervisor.web.application import application, listening
from supervisor.web.page.render import static_files
from tests.fakes.pages import EVIL, failed_drill, healthy
from tests.fakes.snapshots import snapshot
from tests.fakes.world import ACCESS, Site


async def test_the_page_begins_with_the_answer(api: Site):
    """One sentence, as the only heading of its rank, and as the title."""
    api.world.snapshot = healthy()
    answer = await api.get("/")
    text = answer.body.decode()
    sentence = "All 1 fallback paths proven within their targets; next drill in 4m"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f'<h1 id="headline" class="good" aria-live="polite">{sentence}</h1>' in text
    assert text.count("<h1") == 1
    assert f"<title>{sentence}" in text


async def test_nothing_that_others_have_named_is_markup(api: Site):
    """A gateway may call a group what it likes, a provider may answer what it likes."""
    api.world.stored = [failed_drill("d2")]
    base = snapshot()
    path, one = next(iter(base.paths.items()))
    evil = replace(path, group=EVIL)
    api.world.snapshot = snapshot(paths={evil: replace(one, record=replace(one.record, path=evil))})
    for address in ("/", "/drills/d2", "/drills/%3Cscript%3Ealert(1)"):
        text = (await api.get(address)).body.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert ("{{7*7}}" in text) is (address != "/drills/%3Cscript%3Ealert(1)")


async def test_a_drill_that_is_gone_is_a_page_of_its_own(api: Site):
    """People follow links that colleagues have sent weeks ago."""
    answer = await api.get("/drills/d404")
    assert answer.status == 404
    assert "There is no drill d404" in answer.body.decode()


async def test_a_file_is_kept_for_ever_under_the_address_of_its_content(api: Site):
    """And not at all without it."""
    tag = static_files()["page.css"].tag
    kept = await api.get(f"/static/page.css?{tag}")
    assert "immutable" in kept.headers["Cache-Control"]
    assert (await api.get("/static/page.css")).headers["Cache-Control"] == "no-cache"
    for name in ("nothing", "..%2Fcss", "%2Fetc%2Fpasswd"):
        assert (await api.get(f"/static/{name}")).status == 404


async def test_the_page_is_for_those_who_may_read(api: Site):
    """From another machine it needs the token, as a browser sends it."""
    for address in ("/", "/drills/d1", "/static/page.css"):
        answer = await api.get(address, Via="1.1 proxy")
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("badges", [False, True])
async def test_a_badge_is_for_everybody_and_off_unless_allowed(api: Site, badges: bool):
    """It says how the fallback is, and names no hop and no gateway."""
    app = application(api.world, access=ACCESS, version="1", badges=badges)
    async with listening(app, ["127.0.0.1:0"]) as (url,):
        async with api.session.get(f"{url}/badge/gpt/x.svg", headers={"Via": "proxy"}) as other:
            assert other.status == (200 if badges else 404)
        async with api.session.get(f"{url}/badge/claude.svg", headers={"Via": "proxy"}) as reply:
            text = await reply.text()
            assert reply.status == (200 if badges else 404)
            assert ("broken" in text) is badges
            assert "gemma" not in text
            assert "gateway:4000" not in text


async def test_the_page_is_shown_while_the_store_is_away(api: Site):
    """What was known last, and nothing is asked of the store."""
    api.world.snapshot = replace(snapshot(), old=True)
    assert (await api.get("/")).status == 200
    assert ("told", 6) not in api.world.calls


async def test_nothing_is_said_to_be_well_that_nobody_has_looked_at(api: Site):
    """An audit that was not made has found nothing either."""
    base = snapshot()
    young = replace(base.condition, topology_at=None)
    api.world.snapshot = snapshot(condition=young, paths={}, counts=replace(base.counts, states={}))
    text = (await api.get("/")).body.decode()
    assert "has not been audited yet" in text
    assert text.count("The gateway has not been read yet") >= 3
    assert "was found" not in text
    api.world.snapshot = replace(base, audited=True)
    assert "Nothing that would keep a fallback from working" in (await api.get("/")).body.decode()


async def test_the_documentation_is_served_with_the_runbooks(api: Site):
    """Without a name it is the runbooks; what is not there is said with what is."""
    assert b'<h1 id="alerts">' in (await api.get("/docs/")).body
    assert b'id="hop_failed"' in (await api.get("/docs/verdicts.md")).body
    missing = await api.get("/docs/nothing.md")
    assert missing.status == 404
    assert b"/docs/alerts.md" in missing.body
