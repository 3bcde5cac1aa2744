"""Garbled bytes into everything that reads what others send: no reader raises, or grows."""

import asyncio
import json
import os
import re
import resource
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from random import Random
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from yarl import URL

from chaos.exposition import samples
from chaos.gateway.client import _list, _mapping
from chaos.gateway.client import _parsed as gateway_json
from chaos.gateway.fallback_counts import read_fallbacks
from chaos.gateway.locality import Locality
from chaos.gateway.other_traffic import Listed, read_other_traffic
from chaos.gateway.topology import Topology
from chaos.gateway.topology_reader import GatewayAnswers, base_url_of, read_topology
from chaos.judge.verdict import Outcome
from chaos.protocol.aws_event_stream import EventStreamReader, Message, write_message
from chaos.protocol.conversation import Answer, Ask, Finish, ResponseSchema, Turn
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.reading import Reading
from chaos.protocol.sse import SseEvent, SseReader
from chaos.witness.content_coding import unpacked
from chaos.witness.request import _parsed as request_json
from chaos.witness.request import words_of
from supervisor.alerts.http_receipt import receipt_of
from supervisor.alerts.notifier import Receipt
from supervisor.engine.facts import EngineFacts, read_facts
from supervisor.engine.log import EngineLog, read_log
from supervisor.engine.metrics import read_vitals
from tests.fakes.drilling import drilling, honest, scenario
from tests.fakes.examples import CALL, OTHER_CALL, WEATHER
from tests.fakes.faulted_site import Held
from tests.fakes.garbling import garbled, pieces
from tests.fakes.manual_clock import NOON
from tests.fakes.recorded_replies import RECORDED
from tests.faults.counts import times
from tests.patience import until

BYTES = times(200_000, 10_000_000)
MOST_GROWN_MB = 64
"""By which this process may grow, for inputs of a few kilobytes."""

DATA = Path(__file__).parents[1] / "data"
ANSWERS = (
    Answer(text="It is 1f2e3d4c, 😀.", reasoning="Let me see."),
    Answer(text="Now: ", tool_calls=(CALL, OTHER_CALL), finish=Finish.TOOL_CALLS),
    Answer(text="cut", finish=Finish.LENGTH),
)
ASK = Ask(
    turns=(
        Turn("system", "Be brief."),
        Turn("user", "The weather?", images=("iVBORw0KGgo=",)),
        Turn("assistant", tool_calls=(CALL,)),
        Turn("tool", "21 degrees", tool_call_id="call_1"),
    ),
    tools=(WEATHER,),
    response_schema=ResponseSchema("response", {"type": "object"}),
    max_tokens=512,
)
VECTORS = Answer(vectors=((0.5, 1.0, -1.0), (1.0, 2.0, 3.0)))
ENGINE = EngineFacts("gemma", "http://127.0.0.1:8000")
METRICS = b"""# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="gemma"} 3.0
vllm:num_requests_running{engine="0",model_name="a\\"b\\\\c"} 1.0
vllm:iteration_tokens_total_count{engine="0"} 17.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:cache_config_info{block_size="16",num_gpu_blocks="512"} 1.0
process_start_time_seconds 1.7955e+09
litellm_deployment_state{litellm_model_name="gpt",model_id="gpt-id",api_base="http://a"} 0.0
litellm_deployment_failure_responses_total{model_id="gpt-id",user_agent="understudy"} 2.0
litellm_deployment_successful_fallbacks_total{requested_model="gpt",fallback_model="gemma",\
hashed_api_key="k",exception_status="429",exception_class="RateLimitError"} 4.0
"""

Feed = Callable[[Random, bytes], None]


@dataclass(frozen=True)
class Reader:
    """What reads, and what it reads when all is well.

    Attributes:
        feed: Gives it one input; raises if anything but what is promised comes of it.
    """

    feed: Feed
    good: Sequence[bytes]


# --- replies and streams of models -----------------------------------------------------------


def stream(form: WireFormat, rng: Random, data: bytes) -> None:
    """Read a streamed reply."""
    reader = form.stream_reader()
    for piece in pieces(rng, data):
        reader.feed(piece)
        assert isinstance(reader.has_output, bool)
    check(reader.close(), data)


def whole(form: WireFormat, rng: Random, data: bytes) -> None:
    """Read a whole reply."""
    check(form.read_reply(rng.choice((200, 400, 429, 500, 503)), data), data)


def check(reading: Reading, data: bytes) -> None:
    """A reading is of its types, can be written as UTF-8, and holds no more than came."""
    assert isinstance(reading, Reading)
    for name, kinds in KINDS.items():
        assert isinstance(getattr(reading, name), kinds), name
    written = f"{reading.text}{reading.reasoning}{reading.refusal}".encode()
    # What is no UTF-8 is read as U+FFFD, of three bytes.
    assert len(written) <= 3 * len(data)
    for call in reading.tool_calls:
        call.arguments.encode()
        call.name.encode()


def kinds_of(kind: Any) -> Any:
    """Say what a value of an annotation may be."""
    return get_args(kind) if isinstance(kind, UnionType) else get_origin(kind) or kind


KINDS = {one.name: kinds_of(one.type) for one in fields(Reading)}


def asked(form: WireFormat, _: Random, data: bytes) -> None:
    """Read a request, as the witness parses it."""
    body = request_json(data)
    list(words_of(body))
    if isinstance(body, dict):
        assert isinstance(form.read_ask(body), Ask)


def replies_of(form: WireFormat, *, streamed: bool) -> list[bytes]:
    """Gather good replies, and errors inside of them: recorded ones, and our own."""
    answers = [VECTORS] if "embed" in form.name else ANSWERS
    made = [
        b"".join(piece.data for piece in form.write_answer(answer, model="m", stream=streamed))
        for answer in answers
    ]
    if streamed:
        made.append(made[0] + form.write_error_event({"error": {"message": "no", "code": 500}}))
    for file in sorted((RECORDED / form.name).glob("*.json")):
        if file.stem.endswith("_stream") == streamed:
            chunks = json.loads(file.read_text(encoding="utf-8"))["chunks"]
            made.append(b"".join(chunk["data"].encode() for chunk in chunks))
    return made


def requests_of(form: WireFormat) -> list[bytes]:
    """Write good requests."""
    embeds = "embed" in form.name
    ask = Ask(inputs=("a", "b")) if embeds else ASK
    return [json.dumps(form.write_ask(ask, model="m", stream=False)).encode()]


# --- framing ---------------------------------------------------------------------------------


def sse(rng: Random, data: bytes) -> None:
    """Read server-sent events."""
    reader = SseReader(max_event_bytes=rng.choice((100, 1 << 20)))
    for piece in pieces(rng, data):
        assert all(isinstance(event, SseEvent) for event in reader.feed(piece))
    assert isinstance(reader.close(), str)


def event_stream(rng: Random, data: bytes) -> None:
    """Read Amazon's frames: broken ones, and whole ones around broken events."""
    for sent in (data, write_message({":event-type": "chunk"}, data)):
        reader = EventStreamReader()
        for piece in pieces(rng, sent):
            assert all(isinstance(message, Message) for message in reader.feed(piece))
        assert isinstance(reader.close(), bytes)


def framed(form: WireFormat, rng: Random, data: bytes) -> None:
    """Read broken events in frames that add up."""
    kind = rng.choice(("contentBlockDelta", "messageStop", "metadata", "chunk", "messageStart"))
    headers = {":event-type": kind, ":message-type": rng.choice(("event", "exception"))}
    stream(form, rng, write_message(headers, data) + write_message(headers, data[::-1]))


def packed(rng: Random, data: bytes) -> None:
    """Unpack a body."""
    body = unpacked(data, rng.choice(("gzip", "deflate", "gzip, deflate", "br", "identity")))
    assert body is None or isinstance(body, bytes)


# --- gateway, engine, receivers --------------------------------------------------------------


def page(_: Random, data: bytes) -> None:
    """Read a page of metrics, as gateways and engines publish them."""
    text = data.decode("utf-8", "replace")
    read_vitals(text)
    read_fallbacks(samples(text), agent="understudy")
    read_other_traffic({"gpt-id": Listed("gpt", None)}, samples(text), agent="understudy")
    assert isinstance(read_facts(ENGINE, metrics=text), EngineFacts)


def models(_: Random, data: bytes) -> None:
    """Read an engine's list of models."""
    read = read_facts(ENGINE, models=data.decode("utf-8", "replace"))
    assert isinstance(read, EngineFacts)


def log(_: Random, data: bytes) -> None:
    """Read an engine's log."""
    assert isinstance(read_log(data.decode("utf-8", "replace")), EngineLog)


def gateway(_: Random, data: bytes) -> None:
    """Read what a gateway says of itself, all of it wrong in the same way."""
    answer = _mapping(gateway_json(data))
    rows = _list(answer.get("data"))
    router = _mapping(answer.get("router_settings"))
    file = _mapping(answer.get("current_values")) or router
    topology = read_topology(
        GatewayAnswers(version="1.106.2", models=rows, router=router, file=file),
        locality=Locality(),
        default_bases={},
    )
    assert isinstance(topology, Topology)
    for row in rows:
        base_url_of(row, {})


def receipt(rng: Random, data: bytes) -> None:
    """Judge what a receiver of alerts answers."""
    line = data.decode("utf-8", "replace")
    headers = {"retry-after": line, "Location": line}
    judged = receipt_of(rng.choice((200, 302, 404, 429, 503)), headers, NOON, line=line)
    assert isinstance(judged, Receipt)


def gateway_answers() -> list[bytes]:
    """Take what a real LiteLLM said; in one answer, so that one is wrong with the others."""
    said: dict[str, Any] = {}
    for file in sorted((RECORDED / "gateway").glob("*.json")):
        said |= json.loads(file.read_text())["body"]
    said["data"] = said["data"][:2]
    return [json.dumps(said).encode()]


def readers() -> Mapping[str, Reader]:
    """List every reader."""
    found = {}
    for name, form in WIRE_FORMATS.items():
        found[f"stream of {name}"] = Reader(partial(stream, form), replies_of(form, streamed=True))
        found[f"reply of {name}"] = Reader(partial(whole, form), replies_of(form, streamed=False))
        found[f"request of {name}"] = Reader(partial(asked, form), requests_of(form))
    events = [b'{"contentBlockIndex":0,"delta":{"text":"a"}}', b'{"bytes":"eyJ0eXBlIjoiIn0="}']
    events += [b'{"stopReason":"end_turn"}', b'{"usage":{"inputTokens":1,"outputTokens":2}}']
    sse_streams = replies_of(WIRE_FORMATS["chat_completions"], streamed=True)
    frames = replies_of(WIRE_FORMATS["converse"], streamed=True)
    logs = [one.read_bytes()[-8_000:] for one in sorted((DATA / "engine_logs").glob("*.log"))]
    listed = b'{"data":[{"id":"gemma","root":"google/gemma","max_model_len":4096}]}'
    return {
        **found,
        "framed events of converse": Reader(partial(framed, WIRE_FORMATS["converse"]), events),
        "framed events of bedrock_invoke": Reader(
            partial(framed, WIRE_FORMATS["bedrock_invoke"]), events
        ),
        "server-sent events": Reader(sse, sse_streams),
        "Amazon's event stream": Reader(event_stream, frames),
        "packed bodies": Reader(packed, frames),
        "metrics": Reader(page, [METRICS]),
        "an engine's models": Reader(models, [listed]),
        "an engine's log": Reader(log, logs),
        "a gateway's topology": Reader(gateway, gateway_answers()),
        "a receiver's reply": Reader(
            receipt, [b"120", b"Fri, 27 Nov 2026 12:00:00 GMT", b"https://u:p@example/x?y#z"]
        ),
    }


READERS = readers()
KEPT_ALIVE = 8
ANSWERS_WITHIN_S = 0.02
"""Then the witness waits for the rest of what was garbled, and is left alone."""

REQUEST = (
    b"POST /lane/0/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    b"authorization: Bearer sk-canary\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s"
)
CHUNKED = (
    b"POST /lane/1/v1/messages HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n3;x=y\r\nyou\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("name", READERS)
def test_no_bytes_make_a_reader_raise_or_grow(name: str, figures):
    """Whatever comes, it gives what it promises, and keeps nothing."""
    reader, rng = READERS[name], Random(name)
    fed = inputs = 0
    for data in reader.good:
        reader.feed(rng, data)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while fed < BYTES:
        data = garbled(rng, reader.good)
        try:
            reader.feed(rng, data)
        except Exception as error:
            error.add_note(f"input {inputs} of {name}: {data!r:.2000}")
            raise
        fed += len(data)
        inputs += 1
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    assert grown_mb < MOST_GROWN_MB
    figures(f"{fed} bytes in {inputs} inputs: 0 exceptions; grew by {grown_mb:.1f} MB")


async def test_no_bytes_at_its_port_end_a_witness(figures):
    """Whoever sends what, gets a refusal or nothing; drills go on, and no connection stays."""
    bodies = requests_of(WIRE_FORMATS["chat_completions"])
    good = [*(REQUEST % (len(body), body) for body in bodies), CHUNKED]
    rng, fed, inputs, refused = Random("witness"), 0, 0, 0
    async with drilling(honest()) as (driller, injector, witness):
        host, port = URL(witness.url).host, URL(witness.url).port
        sockets = held_sockets()
        while fed < BYTES:
            data = garbled(rng, good)
            answer = await told(host, port, pieces(rng, data))
            assert not answer or re.match(rb"HTTP/\d\.\d 4\d\d ", answer), (data, answer)
            refused += bool(answer)
            fed += len(data)
            inputs += 1
        drill = await driller.drill(scenario(), injector)
        assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
        # Those that wait for more are closed by us; the drill's own client keeps a few.
        await until(lambda: held_sockets() <= sockets + KEPT_ALIVE)
    figures(f"{fed} bytes in {inputs} connections: {refused} refused, then a drill passed")


async def told(host: str | None, port: int | None, data: Iterable[bytes]) -> bytes:
    """Send *data* and nothing more, and read what comes."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        with suppress(ConnectionError, TimeoutError):
            for piece in data:
                writer.write(piece)
            await writer.drain()
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await reader.read(1 << 16)
        return b""
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def held_sockets() -> int:
    """Count the sockets of this process."""
    return Held.by(os.getpid()).sockets
