"""Simulated paid providers: one server, a folder for each dialect, good answers until told else.

    /anthropic/v1/messages   /openai/v1/chat/completions   /gemini/v1beta/models/M:generateContent

Faults are those of ``chaos.faults.kinds``, so that the lab fails as drills do.
"""

from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from yarl import URL

from chaos.faults.fault import Fault, FaultName, Scene
from chaos.faults.http_error import prefill_refused
from chaos.faults.kinds import FAULTS
from chaos.faults.script import Head, Script, Send, Wait
from chaos.lab.serving import serving
from chaos.protocol.conversation import Json
from chaos.protocol.dialect import Dialect, RawCall
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.stand_in import compose
from chaos.registry import lookup
from chaos.witness.script_player import play

MOST_SEEN = 256
MOST_BODY_BYTES = 64 << 20
BASE_PATHS: Mapping[str, str] = {
    "anthropic": "",
    "azure": "",
    "bedrock": "",
    "gemini": "v1beta",
    "ollama": "",
}
"""What follows the dialect's folder in the base URL that LiteLLM expects; ``v1`` elsewhere."""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call that reached a provider.

    Attributes:
        key: The credential that it carried.
        fault: The fault that answered; None for a good answer.
    """

    dialect: str
    model: str
    stream: bool
    key: str | None
    body: Json
    fault: str | None


@dataclass(slots=True)
class SimulatedProvider:
    """All simulated providers; made by ``simulated_provider``.

    Attributes:
        seen: The last calls, oldest first.
        calls_total: All calls ever, by dialect and model.
        pace_s: Pause before each piece of a streamed answer.
        refuses_prefill: Models that refuse a conversation that ends with their own words.
    """

    url: URL
    pace_s: float = 0.0
    seen: deque[SeenCall] = field(default_factory=lambda: deque(maxlen=MOST_SEEN))
    calls_total: Counter[tuple[str, str]] = field(default_factory=Counter)
    refuses_prefill: set[str] = field(default_factory=set)
    _faults: dict[tuple[str | None, str | None], FaultName] = field(default_factory=dict)
    _struck: set[tuple[str, str]] = field(default_factory=set)

    def base_url(self, dialect: str) -> str:
        """Tell the ``api_base`` of a deployment of *dialect*."""
        return str(self.url / dialect / BASE_PATHS.get(dialect, "v1")).rstrip("/")

    def fails_with(
        self, fault: str, *, dialect: str | None = None, model: str | None = None
    ) -> None:
        """Fail with *fault* from now on, wherever it makes sense.

        Of several settings the most exact rules.

        Args:
            fault: As people write it: ``billing``, ``rate_limit.retry_after_20``, ``hang.once``.
            dialect: Only this provider; by default all.
            model: Only this model; by default all.
        Raises:
            UsageError: There is no such fault or dialect.
        """
        name = FaultName.parse(fault)
        lookup("fault", name.name, FAULTS)
        if dialect is not None:
            lookup("dialect", dialect, DIALECTS)
        self._faults[dialect, model] = name
        self._struck.clear()

    def recovers(self) -> None:
        """Answer everything well again."""
        self._faults.clear()
        self._struck.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request as the provider whose folder it names."""
        dialect = DIALECTS.get(request.match_info["dialect"])
        raw = await _raw(request)
        call = dialect.recognise(raw) if dialect is not None and raw is not None else None
        if dialect is None or raw is None or call is None:
            message = f"no provider answers {request.method} {request.path}"
            return web.json_response({"error": {"message": message}}, status=404)
        asked = call.format.read_ask(raw.body)
        scene = Scene(dialect, call, compose(asked))
        fault = self._fault_for(scene)
        self.calls_total[call.dialect, call.model] += 1
        self.seen.append(
            SeenCall(
                call.dialect,
                call.model,
                call.stream,
                _key(dialect, raw),
                raw.body,
                None if fault is None else str(fault),
            )
        )
        refused = None
        if asked.prefilled and call.model in self.refuses_prefill:
            refused = prefill_refused(dialect, call.model)
        if refused is not None:
            script = refused
        elif fault is None:
            script = self._good(scene)
        else:
            script = FAULTS[fault.name].script(replace(scene, variant=fault.variant))
        played = await play(request, script)
        if played.response is None:
            raise web.HTTPInternalServerError(text="the script made no reply")
        return played.response

    def _fault_for(self, scene: Scene) -> FaultName | None:
        """Choose what strikes this call, and remember what strikes only once."""
        dialect, model = hop = scene.call.dialect, scene.call.model
        scopes = ((dialect, model), (None, model), (dialect, None), (None, None))
        fault = next((self._faults[scope] for scope in scopes if scope in self._faults), None)
        if fault is None or (fault.once and hop in self._struck):
            return None
        if not _can_strike(FAULTS[fault.name], scene):
            return None
        self._struck.add(hop)
        return fault

    def _good(self, scene: Scene) -> Script:
        head = Head(200, (("Content-Type", scene.content_type),))
        if not scene.call.stream:
            return Script((head, *(Send(piece.data) for piece in scene.pieces())))
        steps = (step for piece in scene.pieces() for step in (Wait(self.pace_s), Send(piece.data)))
        return Script((head, *steps))


def _can_strike(fault: Fault, scene: Scene) -> bool:
    """Tell whether *fault* makes sense for this call at all."""
    return (
        (scene.call.stream or not fault.streams_only)
        and (bool(scene.answer.tool_calls) or not fault.tools_only)
        and (not scene.answer.vectors or not fault.chats_only)
    )


@asynccontextmanager
async def simulated_provider(*, pace_s: float = 0.0) -> AsyncIterator[SimulatedProvider]:
    """Serve all simulated providers on a free port until exit."""
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    provider: SimulatedProvider

    async def answer(request: web.Request) -> web.StreamResponse:
        return await provider.answer(request)

    app.router.add_route("*", "/{dialect}/{path:.*}", answer)
    async with serving(app) as url:
        provider = SimulatedProvider(url, pace_s=pace_s)
        yield provider


async def _raw(request: web.Request) -> RawCall | None:
    """Read *request* as a dialect wants it; None if its body is no JSON object."""
    try:
        body: Any = await request.json() if request.can_read_body else {}
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    folder = f"/{request.match_info['dialect']}"
    return RawCall(
        method=request.method,
        path=request.path.removeprefix(folder),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        query=request.query_string,
    )


def _key(dialect: Dialect, raw: RawCall) -> str | None:
    carried = (raw.headers[name] for name in dialect.key_headers if name in raw.headers)
    return next((value.removeprefix("Bearer ") for value in carried), None)
