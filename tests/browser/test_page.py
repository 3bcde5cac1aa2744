"""Every page in Debian's Chromium: both themes, a phone, with scripts and without, by keyboard."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AxeResults
from playwright.async_api import Page, async_playwright, expect

from supervisor.probes.probe import Outcome, Step
from supervisor.status import Status
from supervisor.store.alerts.records import Told
from tests.fakes.alerts import alert_change
from tests.fakes.pages import failed_drill, healthy, many_paths
from tests.fakes.snapshots import full_snapshot, snapshot, stored_drill
from tests.fakes.world import TOKEN, Site, site
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.browser

expect.set_options(timeout=PATIENCE_S * 1000)

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGES = ("/", "/drills/d1", "/drills/d2", "/drills/gone", "/docs/", "/docs/verdicts.md", "/docs/x")


@asynccontextmanager
async def opened(api: Site, path: str = "/", **options) -> AsyncIterator[Page]:
    """Open a page; nothing on it may have gone wrong at the end."""
    executable = shutil.which("chromium")
    assert executable is not None, "no Chromium: make test-system installs it"
    wrong: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*ARGUMENTS])
        context = await browser.new_context(**options)
        context.set_default_timeout(PATIENCE_S * 1000)
        page = await context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(api.url + path)
        yield page
        await browser.close()
    # A browser reports a page that says 404, and a refusal, of itself.
    assert [each for each in wrong if "Failed to load resource" not in each] == []


async def audited(page: Page) -> AxeResults:
    """Try the rules of accessibility, in the middle of what moves: there it looks worst."""
    await page.evaluate(
        """for (const one of document.getAnimations()) {
            one.pause();
            one.currentTime = one.effect.getComputedTiming().duration / 2;
        }"""
    )
    return await Axe().run(page)


def wordy() -> Status:
    """Know everything, and of the engine what a real look says."""
    known = full_snapshot()
    proves = "the process that answers HTTP lives and does not know its engine to be dead"
    found = "google/gemma-4-26B-A4B-it (65,536 tokens), 0 run, 0 wait, KV cache 0% full"
    step = Step("health", proves, found, Outcome.OK, 0.25)
    parts = {
        part: replace(standing, evidence=(step,))
        for part, standing in known.condition.parts.items()
    }
    return replace(known, condition=replace(known.condition, parts=parts))


@pytest.fixture
async def api() -> AsyncIterator[Site]:
    """A daemon that knows something of everything."""
    async with site() as running:
        running.world.snapshot = wordy()
        running.world.stored = [failed_drill("d2"), stored_drill("d1")]
        running.world.was_told = (Told(alert_change()),)
        yield running


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
async def test_no_rule_of_accessibility_is_broken(api: Site, path: str, scheme: str, viewport):
    """With everything opened; and nothing is wider than the screen."""
    async with opened(api, path, color_scheme=scheme, viewport=viewport) as page:
        await page.evaluate(
            "for (const one of document.querySelectorAll('details')) one.open = true"
        )
        found = await audited(page)
        violations = found.response["violations"]
        shown = [(v["id"], [node["html"] for node in v["nodes"]][:3]) for v in violations]
        assert shown == []
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) <= 0
        widths = "[...document.querySelectorAll('dd')].map((one) => one.clientWidth)"
        assert min(await page.evaluate(widths), default=200) > 150


async def test_five_hundred_paths_are_accessible_too():
    """Every state, and every kind of chain."""
    async with site() as api:
        api.world.snapshot = many_paths(20)
        async with opened(api) as page:
            assert await page.locator("article").count() == 40
            found = await audited(page)
            assert [violation["id"] for violation in found.response["violations"]] == []


async def test_the_page_follows_the_daemon_and_stays_as_it_was_left(api: Site):
    """What was opened stays open, what had the focus keeps it, and nothing is loaded anew."""
    async with opened(api) as page:
        await page.evaluate("window.same = true")
        await page.locator("article summary").first.click()
        await page.locator("#halt, #resume").first.focus()
        await expect(page.locator("h1")).to_contain_text("The disk is full")
        api.world.snapshot = replace(
            full_snapshot(),
            condition=healthy().condition,
            alerts=(),
            halt=None,
            counts=replace(full_snapshot().counts, today={"passed": 99}),
        )
        api.world.events.tell("path.changed", {})
        await expect(page.locator("h1")).to_contain_text("fallback paths proven")
        await expect(page.locator("footer > p")).to_contain_text("Drills today: 99 passed")
        assert await page.evaluate("window.same")
        assert await page.locator("article details").first.get_attribute("open") is not None
        assert (await page.title()).startswith("1 of 3 fallback paths proven")


async def test_a_button_asks_for_the_token_once_and_says_what_came_of_it(api: Site):
    """It is kept for this tab; a wrong one is forgotten."""
    api.world.snapshot = snapshot()
    async with opened(api) as page:
        await page.get_by_role("button", name="Halt all drilling").click()
        await page.get_by_role("textbox", name="Token").fill("wrong")
        await page.get_by_role("button", name="Use it").click()
        await expect(page.get_by_role("status")).to_contain_text("not Understudy's token")
        assert [call for call in api.world.calls if call[0] == "halt"] == []
        await page.get_by_role("button", name="Halt all drilling").click()
        await page.get_by_role("textbox", name="Token").fill(TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("Done.")
        assert ("halt", "from the page", None, True) in api.world.calls
        await page.locator("article summary").first.click()
        await page.get_by_role("button", name="Drill claude now").click()
        await page.wait_for_function("true")
        while not (orders := [call for call in api.world.calls if call[0] == "start_drills"]):
            await page.wait_for_timeout(20)
        assert orders[0][1].groups == ("claude",)


async def test_a_cancelled_dialog_does_nothing(api: Site):
    """By its button and by Escape."""
    api.world.snapshot = snapshot()
    async with opened(api) as page:
        await page.get_by_role("button", name="Halt all drilling").click()
        await page.get_by_role("textbox", name="Token").fill(TOKEN)
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Halt all drilling").click()
        await page.get_by_role("button", name="Cancel").click()
        assert await page.evaluate("sessionStorage.getItem('token')") is None
    assert [call for call in api.world.calls if call[0] == "halt"] == []


async def test_without_scripts_everything_is_there_but_the_buttons(api: Site):
    """It renews itself, says how to do what the buttons would, and links lead to drills."""
    async with opened(api, java_script_enabled=False) as page:
        assert await page.locator("meta[http-equiv=refresh]").get_attribute("content") == "15"
        await expect(page.get_by_role("button")).to_have_count(0)
        said = await page.locator("main noscript").inner_html()
        assert "Without scripts this page is read-only" in said
        await page.locator("article summary").first.click()
        await page.locator("td a").first.click()
        await expect(page.locator("h1")).to_have_text("Passed")


async def test_the_keyboard_reaches_everything(api: Site):
    """From the top: over the header, to the buttons, the maps and the ledgers."""
    async with opened(api) as page:
        reached = []
        for _ in range(14):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.outerHTML.slice(0, 90)"))
        assert "skip" in reached[0]
        assert any('id="resume"' in each for each in reached)
        assert sum("<summary" in each for each in reached) >= 2
        assert sum('class="scroll"' in each for each in reached) >= 2


async def test_a_daemon_that_is_gone_is_said_and_what_was_known_stays():
    """An empty page would say that all is well."""
    async with site() as api:
        api.world.snapshot = snapshot()
        async with opened(api) as page:
            await page.route("**/*", lambda route: route.abort())
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            await expect(page.get_by_role("status")).to_contain_text("does not answer")
            assert await page.locator("article").count() == 2
