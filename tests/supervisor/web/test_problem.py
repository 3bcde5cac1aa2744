"""Every error is answered with what, why and remedy, without a traceback or a secret."""

import pytest
from structlog.testing import capture_logs

from chaos.errors import GatewayError, UnderstudyError, UsageError
from supervisor.web.problem import ConflictError, NotReadyError, Refused
from tests.fakes.world import FullDisk


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (UsageError, 422),
        (ConflictError, 409),
        (NotReadyError, 503),
        (GatewayError, 502),
        (UnderstudyError, 503),
        (FullDisk, 503),
    ],
)
async def test_each_kind_of_error_has_its_status(api, kind, status):
    """The status depends on the kind of error; message and remedy are passed on."""
    error = FullDisk() if kind is FullDisk else kind("claude has no chain", remedy="Add one.")
    api.world.error = error
    answer = await api.change("POST", "/api/v1/halt", json={})
    assert answer.status == status
    assert answer.json == {
        "what": "POST /api/v1/halt was not done",
        "why": error.message,
        "remedy": error.remedy,
    }


async def test_a_bug_is_answered_without_its_message(api):
    """An unexpected error is logged with its traceback, and its message is not sent."""
    api.world.error = RuntimeError("sk-secret")
    with capture_logs() as logged:
        answer = await api.get("/api/v1/drills")
    assert answer.status == 500
    assert answer.json["what"] == "GET /api/v1/drills was not done"
    assert "inside Understudy" in answer.json["why"]
    assert b"sk-secret" not in answer.body
    assert [(line["event"], line["exc_info"]) for line in logged] == [("web.bug", True)]


async def test_an_unknown_address_is_answered_with_where_all_are_listed(api):
    """A 404 is a problem in JSON that names the API's description."""
    answer = await api.get("/api/v1/nothing")
    assert (answer.status, answer.json["why"]) == (404, "there is nothing at this address")
    assert "/api/v1/openapi.json" in answer.json["remedy"]


async def test_a_wrong_method_is_answered_with_the_right_ones(api):
    """A 405 lists the allowed methods in its text and in its header."""
    answer = await api.change("PUT", "/api/v1/halt")
    assert answer.status == 405
    assert answer.headers["Allow"] == "DELETE,POST"
    assert answer.json["why"] == "it may be asked with DELETE, POST"
    assert api.world.calls == []


async def test_a_body_that_is_too_long_is_refused(api):
    """A body over the limit is a 413, and nothing is done."""
    answer = await api.change("POST", "/api/v1/halt", data=b" " * 300_000)
    assert (answer.status, answer.json["why"]) == (413, "the request's body is too long")
    assert api.world.calls == []


@pytest.mark.parametrize(
    ("challenge", "headers"), [(None, []), ("Bearer", ["Bearer"])], ids=["without", "with"]
)
def test_a_refusal_has_a_challenge_only_if_given_one(challenge, headers):
    """An empty WWW-Authenticate would make browsers ask for a password."""
    response = Refused(401, what="a", why="b", remedy="c", challenge=challenge).response()
    assert (response.status, response.content_type) == (401, "application/json")
    assert response.headers.getall("WWW-Authenticate", []) == headers
