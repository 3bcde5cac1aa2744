"""A simulated vLLM: a real server, as strict as the real one, with a model that always answers.

    request ─► refusals (flags, names, lengths) ─► model writes text ─► parsers ─► wire format

It can be started anew with other flags while everything else runs, at the same address: that is
what people do to a real one, and how its fallbacks come to fail.
"""

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from aiohttp import web

from chaos.clock import Clock, SystemClock
from chaos.lab.engine_answer import answer_of, as_vllm, in_steps
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.engine_metrics import EngineMetrics, exposition
from chaos.lab.engine_refusals import Refusal, prompt_text, refusal, tokens_in
from chaos.lab.serving import serving
from chaos.protocol.conversation import Answer, Ask, Finish, Json
from chaos.protocol.format import Piece, PieceKind, WireFormat
from chaos.protocol.formats import WIRE_FORMATS

HOST = "127.0.0.1"
MOST_SEEN = 256
MOST_BODY_BYTES = 64 << 20
GENERATES = {
    "/v1/chat/completions": "chat_completions",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that reached the engine, and the status that it got."""

    path: str
    body: Json
    key: str | None
    status: int


class SimulatedEngine:
    """One engine; an async context manager that serves while its block runs.

    Attributes:
        seen: The last requests to its model endpoints, oldest first.
        metrics: What it has counted since it was started last.
    """

    def __init__(
        self,
        flags: EngineFlags | None = None,
        *,
        clock: Clock | None = None,
        host: str = HOST,
        port: int = 0,
    ) -> None:
        self.flags = flags or EngineFlags()
        self.seen: deque[SeenRequest] = deque(maxlen=MOST_SEEN)
        self._clock = clock or SystemClock()
        self._place = (host, port)
        self._port = socket.socket()
        self._server = contextlib.AsyncExitStack()
        self.metrics = self._new_metrics()

    async def __aenter__(self) -> Self:
        # Bound and never listening: the port stays ours, and answers "refused" while down.
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port.bind(self._place)
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.aclose()
        self._port.close()

    @property
    def url(self) -> str:
        """Its root; the same after every restart."""
        return f"http://{HOST}:{self._port.getsockname()[1]}"

    @property
    def base_url(self) -> str:
        """Where an OpenAI client points."""
        return f"{self.url}/v1"

    async def restart(self, flags: EngineFlags | None = None, **changes: Any) -> None:
        """Start anew; connections break, counters begin at zero.

        Args:
            flags: How; by default as it is.
            changes: Fields of ``EngineFlags`` that differ from that.
        Raises:
            ValueError: vLLM would not start so; the engine goes on as it was.
        """
        flags = replace(flags or self.flags, **changes)
        await self._server.aclose()
        self.flags = flags
        self.metrics = self._new_metrics()
        await self._start()

    def _new_metrics(self) -> EngineMetrics:
        return EngineMetrics(started_at_s=self._clock.now().timestamp())

    async def _start(self) -> None:
        if self.flags.down:
            return
        app = web.Application(client_max_size=MOST_BODY_BYTES, middlewares=[self._guard])
        app.router.add_route("*", "/ping", self._health)
        app.router.add_get("/health", self._health)
        app.router.add_get("/version", self._version)
        app.router.add_get("/load", self._load)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/v1/completions", self._score)
        for path, surface in GENERATES.items():
            if surface == "chat_completions" or not self.flags.only_chats:
                app.router.add_post(path, self._generate)
        port = self._port.getsockname()[1]
        await self._server.enter_async_context(
            serving(app, host=self._place[0], port=port, reuse_port=True)
        )

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Ask for the key where vLLM does, and count every reply."""
        guarded = request.path.startswith("/v1")
        if guarded and self.flags.api_key is not None and _key(request) != self.flags.api_key:
            reply: web.StreamResponse = web.json_response({"error": "Unauthorized"}, status=401)
        else:
            reply = await handler(request)
        self.metrics.count_http(request.path, request.method, reply.status)
        return reply

    # --- what answers also while the engine hangs --------------------------------------

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": self.flags.version})

    async def _load(self, _: web.Request) -> web.Response:
        return web.json_response({"server_load": self.metrics.load})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=exposition(self.metrics, self.flags))

    async def _models(self, _: web.Request) -> web.Response:
        now_s = int(self._clock.now().timestamp())
        models: list[dict[str, Any]] = [
            {
                "id": name,
                "object": "model",
                "created": now_s,
                "owned_by": "vllm",
                "root": self.flags.model,
                "parent": None,
                "max_model_len": self.flags.max_model_len,
                "permission": [],
            }
            for name in self.flags.served_model_names
        ]
        return web.json_response({"object": "list", "data": models})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await _json(request)
        ask = WIRE_FORMATS["chat_completions"].read_ask(body)
        count = tokens_in(str(body.get("prompt") or "") or prompt_text(ask))
        return web.json_response(
            {
                "count": count,
                "max_model_len": self.flags.max_model_len,
                "tokens": list(range(count)),
                "token_strs": None,
            }
        )

    async def _score(self, request: web.Request) -> web.Response:
        """Say how likely each word of a text is; whoever wants more of it asks for chats."""
        body, nats = await _json(request), self.flags.scores_nats
        if nats is None or body.get("prompt_logprobs") is None:
            return web.json_response({"error": {"message": "Not Found", "code": 404}}, status=404)
        words = str(body.get("prompt") or "").split()
        scored = [{str(place): {"logprob": nats, "rank": 1}} for place in range(1, len(words))]
        choice = {"index": 0, "text": "", "prompt_logprobs": [None, *scored]}
        return web.json_response({"object": "text_completion", "choices": [choice]})

    # --- the model ---------------------------------------------------------------------

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        wire_format = WIRE_FORMATS[GENERATES[request.path]]
        ask = wire_format.read_ask(body)
        refused = refusal(self.flags, ask, body)
        status = refused.status if refused is not None else 200
        self.seen.append(SeenRequest(request.path, body, _key(request), status))
        if refused is not None:
            anthropic = wire_format.name == "messages"
            envelope = refused.anthropic_body if anthropic else refused.body
            return web.json_response(envelope, status=refused.status)
        with self._in_flight():
            if self.flags.hung:
                return await self._hang(request, wire_format, stream=bool(body.get("stream")))
            return await self._answer(request, wire_format, ask, body)

    @contextlib.contextmanager
    def _in_flight(self) -> Iterator[None]:
        metrics, running = self.metrics, not self.flags.hung
        metrics.load += 1
        metrics.running += running
        try:
            yield
        finally:
            metrics.load -= 1
            metrics.running -= running

    async def _hang(
        self, request: web.Request, wire_format: WireFormat, *, stream: bool
    ) -> web.StreamResponse:
        """Say nothing until the caller leaves; a stream has its headers by then."""
        reply = web.StreamResponse(headers={"Content-Type": wire_format.content_type(stream=True)})
        if stream:
            await reply.prepare(request)
        await asyncio.Event().wait()
        return reply

    async def _answer(
        self, request: web.Request, wire_format: WireFormat, ask: Ask, body: Json
    ) -> web.StreamResponse:
        # A restart begins new counters while this request may still be on its way.
        flags, metrics = self.flags, self.metrics
        began_s = self._clock.monotonic()
        if flags.first_token_after_s:
            await self._clock.sleep(flags.first_token_after_s)
        stream = bool(body.get("stream"))
        answer = answer_of(flags, ask, body)
        pieces = wire_format.write_answer(answer, model=flags.served_model_names[0], stream=stream)
        if wire_format.name == "chat_completions":
            if flags.tokens_per_s is not None and stream:
                pieces = in_steps(pieces, flags.tokens_per_chunk)
            pieces = as_vllm(pieces, flags, answer, body)
        if ask.tools and ask.tool_choice != "none":
            _count_parsing(metrics, answer, pieces, stream=stream)
        head = {"Content-Type": wire_format.content_type(stream=stream)}
        reply: web.StreamResponse
        if stream:
            reply = web.StreamResponse(headers=head)
            await reply.prepare(request)
            first_s = await self._write(reply, pieces, flags)
            ended_s = self._clock.monotonic()
            await reply.write_eof()
        else:
            reply = web.Response(body=b"".join(piece.data for piece in pieces), headers=head)
            first_s = ended_s = self._clock.monotonic()
        metrics.count_answer(
            "length" if answer.finish is Finish.LENGTH else "stop",
            prompt=answer.input_tokens,
            generated=answer.output_tokens,
            took_s=ended_s - began_s,
            first_s=first_s - began_s,
        )
        return reply

    async def _write(
        self, reply: web.StreamResponse, pieces: Sequence[Piece], flags: EngineFlags
    ) -> float:
        """Send *pieces* as fast as the model makes them; tells when the first text went out."""
        first_s, made = None, 0
        for piece in pieces:
            if piece.kind in (PieceKind.CONTENT, PieceKind.REASONING) and flags.tokens_per_s:
                now_s = self._clock.monotonic()
                first_s = now_s if first_s is None else first_s
                due_s = first_s + made * flags.tokens_per_chunk / flags.tokens_per_s
                if due_s > now_s:
                    await self._clock.sleep(due_s - now_s)
                made += 1
            await reply.write(piece.data)
        return first_s if first_s is not None else self._clock.monotonic()


def _count_parsing(
    metrics: EngineMetrics, answer: Answer, pieces: Sequence[Piece], *, stream: bool
) -> None:
    if not stream:
        metrics.count_parsing("non_streaming", tool_call=bool(answer.tool_calls))
        return
    # Each delta is counted, but those spent in reasoning.
    for kind, tool_call in ((PieceKind.TOOL_CALL, True), (PieceKind.CONTENT, False)):
        times = sum(piece.kind is kind for piece in pieces)
        metrics.count_parsing("streaming", tool_call=tool_call, times=times)


async def _json(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise _not_an_object(str(error)) from None
    if not isinstance(body, dict):
        raise _not_an_object("not an object")
    return body


def _not_an_object(why: str) -> web.HTTPBadRequest:
    refused = Refusal(400, f"JSON decode error: {why}", "BadRequestError")
    return web.HTTPBadRequest(text=json.dumps(refused.body), content_type="application/json")


def _key(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else request.headers.get("x-api-key")
