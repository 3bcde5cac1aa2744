"""The API keeps what its description promises, whatever is sent to it.

schemathesis makes the requests, from the description itself; the API is a real server.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from supervisor.web.description import describe
from supervisor.web.endpoints import ENDPOINTS
from tests.fakes.snapshots import stored_drill
from tests.fakes.world import BEARER, site

EXAMPLES = 40
"""Requests for each operation."""


@contextmanager
def running() -> Iterator[str]:
    """Serve the API in a thread of its own; yields its address."""
    ready: list[str] = []
    up = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with site() as api:
            api.world.stored = [stored_drill("d1")]
            ready.append(api.url)
            up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    up.wait()
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the API is."""
    with running() as address:
        yield address


SCHEMA = schemathesis.openapi.from_dict(describe(ENDPOINTS, "1.2.3"))
OPERATIONS = [
    operation
    for found in SCHEMA.get_all_operations()
    # A stream has no end that could be validated: test_live.py reads it.
    if isinstance(found, Ok) and (operation := found.ok()).path != "/api/v1/events"
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_one_that_the_description_promises(operation, url):
    """Status, media type and form: of good requests and of odd ones."""
    # Reading from this machine needs no token, which the check takes for a hole. What a client
    # profile may hold, and how faults are written, is more than a schema can say.
    excluded = [ignored_auth]
    if operation.label == "POST /api/v1/drills":
        excluded.append(positive_data_acceptance)

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def asked(case):
        answer = case.call(base_url=url, headers=BEARER)
        case.validate_response(answer, excluded_checks=excluded)

    asked()


def test_the_operations_are_those_of_the_api():
    """A guard for the test above."""
    assert len(OPERATIONS) >= 10
