"""What people look at: the status page, a drill's page, the badge, and the files that they name."""

from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web

from chaos.errors import UnderstudyError
from supervisor.store.alerts.records import Told
from supervisor.web.endpoint import DESK, Door, Endpoint
from supervisor.web.page.badge import COLOURS, badge_widths, badge_words
from supervisor.web.page.documentation import FIRST, contents, document
from supervisor.web.page.drill import drill_view
from supervisor.web.page.home import MOST_TOLD, home
from supervisor.web.page.render import environment, page, static_files
from supervisor.web.problem import Refused

FOR_EVER = "public, max-age=31536000, immutable"


async def front(request: web.Request) -> web.Response:
    """Show how everything is."""
    world = request.app[DESK].world
    status = await world.status()
    told: Sequence[Told] = ()
    if not status.old:
        # Without what was told the page is better than none.
        with suppress(UnderstudyError):
            told = await world.told(MOST_TOLD)
    return page("home.html.j2", home=home(status, world.topology(), told))


async def drill(request: web.Request) -> web.Response:
    """Show one drill."""
    name = request.match_info["id"]
    stored = await request.app[DESK].world.drill(name)
    if stored is None:
        return page("missing.html.j2", status=404, name=name)
    return page("drill.html.j2", view=drill_view(stored))


async def documentation(request: web.Request) -> web.Response:
    """Show a page of the documentation, such as an alert's runbook."""
    name = request.match_info.get("name", FIRST[0])
    found = document(name)
    if found is None:
        return page("missing_document.html.j2", status=404, name=name, contents=contents())
    return page("document.html.j2", title=found.title, body=found.body, contents=contents())


async def static(request: web.Request) -> web.Response:
    """Send a file that pages name; its address changes with its content."""
    file = static_files().get(request.match_info["name"])
    if file is None:
        raise Refused(
            404,
            what="no file was sent",
            why="there is none of this name",
            remedy="GET / is the page.",
        )
    headers = {"Cache-Control": FOR_EVER if request.query_string == file.tag else "no-cache"}
    return web.Response(body=file.content, content_type=file.media_type, headers=headers)


async def badge(request: web.Request) -> web.Response:
    """Draw the badge of a group."""
    desk = request.app[DESK]
    if not desk.badges:
        raise Refused(
            404,
            what="no badge was drawn",
            why="badges are off",
            remedy="Allow them with web.badges: true; they are shown to everybody.",
        )
    words, tone = badge_words(await desk.world.status(), request.match_info["group"])
    left, right = badge_widths(words)
    text = (
        environment()
        .get_template("badge.svg.j2")
        .render(words=words, left=left, right=right, colour=COLOURS[tone])
    )
    headers = {"Cache-Control": "max-age=60", "Cross-Origin-Resource-Policy": "cross-origin"}
    return web.Response(text=text, content_type="image/svg+xml", headers=headers)


ENDPOINTS = (
    Endpoint("GET", "/", "The status page.", front, media_type="text/html", listed=False),
    Endpoint("GET", "/drills/{id}", "A drill's page.", drill, media_type="text/html", listed=False),
    Endpoint(
        "GET",
        "/docs/",
        "The documentation of this version.",
        documentation,
        media_type="text/html",
        listed=False,
    ),
    Endpoint(
        "GET",
        "/docs/{name}",
        "A page of it.",
        documentation,
        media_type="text/html",
        listed=False,
    ),
    Endpoint(
        "GET",
        "/static/{name}",
        "A style sheet, script or picture of the page.",
        static,
        media_type="text/css",
        listed=False,
    ),
    Endpoint(
        "GET",
        "/badge/{group:.+}.svg",
        "How a group's fallback is, as a picture for other pages.",
        badge,
        door=Door.OPEN,
        media_type="image/svg+xml",
        listed=False,
    ),
)
