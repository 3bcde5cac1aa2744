"""What is answered when something cannot be done: what, why, and what to do about it."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field

from chaos.errors import GatewayError, UnderstudyError, UsageError

log = structlog.get_logger()

CONTENT_TYPE = "application/json"


class Problem(BaseModel):
    """The body of every answer that is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str = Field(description="What was not done.")
    why: str
    remedy: str = Field(description="What to do about it, in the imperative.")


class Refused(Exception):  # noqa: N818 -- not every refusal is an error of ours
    """A request is answered with a problem instead."""

    def __init__(
        self, status: int, *, what: str, why: str, remedy: str, challenge: str | None = None
    ) -> None:
        super().__init__(why)
        self.status = status
        self.problem = Problem(what=what, why=why, remedy=remedy)
        self.challenge = challenge

    def response(self) -> web.Response:
        """Write it as an answer."""
        headers = {} if self.challenge is None else {"WWW-Authenticate": self.challenge}
        return web.Response(
            status=self.status,
            body=self.problem.model_dump_json().encode(),
            content_type=CONTENT_TYPE,
            headers=headers,
        )


class ConflictError(UnderstudyError):
    """What was asked for cannot be together with what already is."""


class NotReadyError(UnderstudyError):
    """Nothing is known of this yet: ask again in a moment."""


STATUSES: tuple[tuple[type[UnderstudyError], int], ...] = (
    (UsageError, 422),
    (ConflictError, 409),
    (NotReadyError, 503),
    (GatewayError, 502),
    (UnderstudyError, 503),
)
"""How each kind of error is answered; the first that fits."""


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem, and none with a traceback."""
    # The path may be a secret's: it is repeated to nobody but who asked.
    asked = f"{request.method} {request.path}"
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response()
    except UnderstudyError as error:
        status = next(status for kind, status in STATUSES if isinstance(error, kind))
        return Refused(
            status, what=f"{asked} was not done", why=error.message, remedy=error.remedy
        ).response()
    except web.HTTPException as error:
        response = _of_aiohttp(error, asked).response()
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except ConnectionError:
        raise  # The client has gone: nobody is left to be told.
    except Exception:
        log.exception("web.bug", method=request.method, path=request.path)
        return Refused(
            500,
            what=f"{asked} was not done",
            why="it failed inside Understudy",
            remedy="Report it, with the lines about web.bug in Understudy's log.",
        ).response()


def _of_aiohttp(error: web.HTTPException, asked: str) -> Refused:
    if isinstance(error, web.HTTPMethodNotAllowed):
        why = f"it may be asked with {', '.join(sorted(error.allowed_methods))}"
    elif error.status == 404:
        why = "there is nothing at this address"
    elif error.status == 413:
        why = "the request's body is too long"
    else:
        why = f"{error.status} {error.reason}"
    return Refused(
        error.status,
        what=f"{asked} was not done",
        why=why,
        remedy="GET /api/v1/openapi.json lists everything that can be asked, and how.",
    )
