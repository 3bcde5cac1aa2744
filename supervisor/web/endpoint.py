"""The contract of an endpoint: everything that routing, access and the description need to know."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from chaos.witness.request import BODY_WITHIN_S
from supervisor.web.access import Access
from supervisor.web.problem import Refused
from supervisor.web.world import World


class Door(StrEnum):
    """Who may come in."""

    OPEN = "open"
    READ = "read"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Desk:
    """What endpoints work with.

    Attributes:
        ping_s: How often a silent stream of events says that it is still there.
        badges: Whether everybody may see how a group's fallback is.
    """

    world: World
    access: Access
    ping_s: float = 15.0
    badges: bool = False


DESK = web.AppKey("desk", Desk)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Attributes:
        summary: One sentence, for the description.
        answer: The model of its JSON; None where it answers something else, or nothing.
        media_type: Of its answer; empty where it answers nothing.
        query: The model of what may follow the question mark.
        body: The model of the JSON that it takes.
        errors: Statuses of problems, besides those that every endpoint may answer.
        listed: It is in the API's description.
    """

    method: str
    path: str
    summary: str
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]]
    door: Door = Door.READ
    answer: type[BaseModel] | None = None
    status: int = 200
    media_type: str = "application/json"
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    errors: tuple[int, ...] = ()
    listed: bool = True


M = TypeVar("M", bound=BaseModel)


def in_query(request: web.Request, model: type[M]) -> M:
    """Read what follows the question mark.

    Raises:
        Refused: It is not what *model* says; every problem is named.
    """
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise Refused(
                400,
                what="the request was not understood",
                why=f"{name} is given more than once",
                remedy="Give it once.",
            )
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise _not_understood(error, model) from None


async def in_body(request: web.Request, model: type[M]) -> M:
    """Read the JSON that was sent; nothing at all stands for ``{}``.

    Raises:
        Refused: It is not what *model* says; every problem is named.
    """
    sent = await _sent(request)
    if sent and request.content_type != "application/json":
        raise Refused(
            415,
            what="the request was not understood",
            why=f"its body is {request.content_type}",
            remedy="Send JSON, with 'Content-Type: application/json'.",
        )
    try:
        return model.model_validate_json(sent or b"{}")
    except ValidationError as error:
        raise _not_understood(error, model) from None


async def _sent(request: web.Request) -> bytes:
    """Read a body whole, within its time.

    Raises:
        Refused: It did not come, or not as its headers say.
    """
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await request.read()
    except web.RequestPayloadError:
        raise Refused(
            400,
            what="the request was not understood",
            why="its body is not encoded as its headers say",
            remedy="Send plain JSON, with 'Content-Type: application/json'.",
        ) from None
    except TimeoutError:
        raise Refused(
            408,
            what="the request was not understood",
            why=f"its body did not come within {BODY_WITHIN_S:g} s",
            remedy="Send it at once, as long as Content-Length says.",
        ) from None
    except (ConnectionError, RuntimeError):
        # aiohttp has both for a client that has left; anything else is a defect.
        if request.transport is not None and not request.transport.is_closing():
            raise
        raise Refused(
            400,
            what="the request was not understood",
            why="its sender has left in the middle of it",
            remedy="Send it again.",
        ) from None


def _not_understood(error: ValidationError, model: type[BaseModel]) -> Refused:
    problems = [
        ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"])))
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    known = ", ".join(model.model_fields)
    return Refused(
        400,
        what="the request was not understood",
        why="; ".join(problems),
        remedy=f"Known here: {known}. GET /api/v1/openapi.json says what each takes."
        if known
        else "Leave out everything after the question mark.",
    )


def answered(model: BaseModel, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(
        status=status, body=model.model_dump_json().encode(), content_type="application/json"
    )
