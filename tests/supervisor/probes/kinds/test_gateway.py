"""The gateway is asked for what costs nothing, and says in its metrics whether users fall back."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from chaos.gateway.client import open_gateway
from supervisor.probes.kinds.gateway import PART, GatewayProbe, traffic_of
from supervisor.probes.probe import Cadence, Outcome, State
from tests.fakes.manual_clock import ManualClock
from tests.fakes.server import serving

KEY = "sk-drills"
QUIET = timedelta(minutes=10)
SERVED = (
    'litellm_deployment_successful_fallbacks_total{{requested_model="claude",'
    'fallback_model="gemma",hashed_api_key="theirs",exception_status="400",'
    'exception_class="Anthropic.BadRequestError"}} {}\n'
)


class Proxy:
    """A LiteLLM that answers as told.

    Attributes:
        asked: The paths that were asked for.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ready = 200
        self.models = 200
        self.retries: int | None = 2
        self.metrics = ""
        self.silent = False

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.silent:
            await asyncio.Event().wait()
        answers = {
            "/health/readiness": (self.ready, {"status": "healthy"}),
            "/health/readiness/details": (200, {"litellm_version": "1.106.2"}),
            "/v1/models": (self.models, {"data": [{"id": "claude"}, {"id": "gemma"}]}),
            "/get/config/callbacks": (200, {"router_settings": {"num_retries": self.retries}}),
        }
        if request.path == "/metrics/" and self.metrics:
            return web.Response(text=self.metrics)
        status, body = answers.get(request.path, (404, {}))
        return web.json_response(body, status=status)


@pytest.fixture
async def proxy():
    """A gateway that is well."""
    return Proxy()


@pytest.fixture
async def probe(proxy):
    """A probe of it, with an answer time that a hanging gateway soon exceeds."""
    async with (
        serving(proxy.handle) as url,
        open_gateway(url, key=KEY, admin_key=KEY, answer_within_s=5.0) as gateway,
    ):
        yield GatewayProbe(gateway, ManualClock(), Cadence(), traffic_of(KEY, QUIET))


async def look(probe):
    """Look once."""
    return await probe.probe(ManualClock().now())


async def test_a_gateway_that_answers_is_up(probe):
    """The version and the number of models are learnt, and every step says what it proves."""
    reading = await look(probe)
    assert (reading.part, reading.state) == (PART, State.UP)
    assert "LiteLLM 1.106.2" in reading.reason
    assert reading.facts["version"] == "1.106.2"
    assert reading.facts["models"] == 2
    assert [step.name for step in reading.evidence] == [
        "readiness",
        "models",
        "configuration",
        "metrics",
    ]
    assert all(step.proves for step in reading.evidence)


async def test_nothing_is_asked_that_costs_money(probe, proxy):
    """``GET /health`` sends a request to every deployment, and is never sent."""
    await look(probe)
    assert "/health" not in proxy.asked
    assert not [path for path in proxy.asked if path.endswith("/completions")]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_gateway_that_is_not_ready_is_down(probe, proxy, status):
    """It takes no requests while it says so, whatever else it answers."""
    proxy.ready = status
    reading = await look(probe)
    assert reading.state is State.DOWN
    assert str(status) in reading.reason


async def test_a_gateway_that_cannot_be_reached_is_down():
    """Nobody listens."""
    async with open_gateway("http://127.0.0.1:9", key=KEY, admin_key=KEY) as gateway:
        reading = await look(
            GatewayProbe(gateway, ManualClock(), Cadence(), traffic_of(KEY, QUIET))
        )
    assert reading.state is State.DOWN
    assert "cannot be reached" in reading.reason


async def test_a_gateway_that_says_nothing_hangs(probe, proxy):
    """It takes connections and does not answer: its event loop or its database hangs."""
    proxy.silent = True
    probe._gateway.answer_within_s = 0.05
    assert (await look(probe)).state is State.HUNG


@pytest.mark.parametrize("status", [401, 403])
async def test_a_gateway_that_refuses_the_key_is_not_what_it_was(probe, proxy, status):
    """No drill can be sent any more, and every user is served."""
    proxy.models = status
    reading = await look(probe)
    assert reading.state is State.DRIFTED
    assert "does not accept the key" in reading.reason


async def test_a_changed_router_is_reported_once(probe, proxy):
    """What its router has loaded is compared with the look before."""
    first = await look(probe)
    proxy.retries = 5
    second, third = await look(probe), await look(probe)
    assert "router settings have changed" not in first.reason
    assert "router settings have changed" in second.reason
    assert "router settings have changed" not in third.reason
    assert first.facts["router"] != second.facts["router"]


async def test_a_gateway_without_metrics_cannot_tell_of_fallbacks(probe):
    """Silence of metrics that are not there is unknown, not well."""
    reading = await look(probe)
    assert reading.facts["metrics"] is False
    assert reading.evidence[-1].outcome is Outcome.UNKNOWN


async def test_users_on_a_fallback_are_named_with_the_reason(probe, proxy):
    """The group, the hop and the gateway's own exception class are told."""
    proxy.metrics = SERVED.format(3)
    assert (await look(probe)).facts["on_fallback"] == []
    proxy.metrics = SERVED.format(5)
    reading = await look(probe)
    (found,) = reading.facts["on_fallback"]
    assert (found["group"], found["hop"], found["count"]) == ("claude", "gemma", 2)
    assert found["exception"] == "Anthropic.BadRequestError"
    assert reading.evidence[-1].outcome is Outcome.BAD
    assert reading.state is State.UP
