"""A client of the gateway who uses the permission reaches the witness's lanes, and no further."""

import asyncio
import re

import aiohttp
import pytest
from aiohttp import web

from chaos.gateway.redirect_permission import lane_urls, redirect_permission
from chaos.witness.lease import Action
from chaos.witness.server import Witness
from tests.fakes.server import serving
from tests.fakes.upstreams import CANARY, NONCE, as_bytes, chat_request, hop
from tests.patience import PATIENCE_S

LANES = lane_urls("http://127.0.0.1:8941")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8941/lane/4",
        "http://127.0.0.1:8941/lane/0/",
        "http://127.0.0.1:8941/lane/0\n",
        "http://127.0.0.1:8941/lane/0@evil.example",
        "http://127.0.0.1:8941/lane/0?x=http://evil.example",
        "http://127.0.0.1:8941/lane/../admin",
        "http://127.0.0.1:8941.evil.example/lane/0",
        "http://127.0.0.1:89410/lane/0",
        "http://127x0x0x1:8941/lane/0",
        "http://user@127.0.0.1:8941/lane/0",
        "https://127.0.0.1:8941/lane/0",
        "http://169.254.169.254/latest",
        " http://127.0.0.1:8941/lane/0",
    ],
)
def test_the_permission_takes_four_addresses_and_nothing_like_them(address: str):
    """LiteLLM matches with `re.match`, so the pattern itself has to be closed at both ends."""
    assert all(re.match(redirect_permission(), lane) for lane in LANES)
    assert re.match(redirect_permission(), address) is None


class Elsewhere:
    """A server that nobody was told of; it counts who comes."""

    def __init__(self) -> None:
        self.came: list[str] = []

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        self.came.append(request.raw_path)
        return web.json_response({"secret": "of an internal service"})


async def sent(port: int, head: str, body: bytes = b"") -> bytes:
    """Send bytes as they are, and read the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = f"content-length: {len(body)}\r\n"
    writer.write(f"{head}\r\n{length}connection: close\r\n\r\n".encode() + body)
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("authorized", [False, True])
@pytest.mark.parametrize(
    "line",
    [
        "POST http://ELSEWHERE/v1/chat/completions HTTP/1.1",
        "POST http://ELSEWHERE/lane/0/chat/completions HTTP/1.1",
        "CONNECT ELSEWHERE HTTP/1.1",
        "POST /lane/0/http://ELSEWHERE/chat/completions HTTP/1.1",
        "POST /lane/0//ELSEWHERE/chat/completions HTTP/1.1",
        "POST /lane/0/@ELSEWHERE/chat/completions HTTP/1.1",
        "POST /lane/0/../../chat/completions HTTP/1.1",
        "GET /lane/0/v1/models HTTP/1.1",
        "POST /lane/0/chat/completions?api_base=http://ELSEWHERE HTTP/1.1",
    ],
)
async def test_nobody_makes_the_witness_call_another_address(line: str, authorized: bool):
    """Neither by the request line, nor by Host, nor by headers of proxies; even with the drill's
    own key and nonce a request goes to the hop that must serve, or nowhere.
    """
    elsewhere, served = Elsewhere(), Elsewhere()
    async with (
        serving(elsewhere) as elsewhere_url,
        serving(served) as served_url,
        Witness().serving([("127.0.0.1", 0)]) as witness,
    ):
        other = elsewhere_url.removeprefix("http://")
        async with asyncio.timeout(PATIENCE_S):
            lease = await witness.lease(
                nonce=NONCE,
                hops=[hop("a", Action.FORWARD, base_url=f"{served_url}/v1")],
                ttl_s=PATIENCE_S,
                lane=0,
                canary=CANARY,
                wants_canary=True,
            )
            key = CANARY if authorized else "guessed"
            head = (
                f"{line.replace('ELSEWHERE', other)}\r\nhost: {other}\r\n"
                f"x-forwarded-host: {other}\r\nforwarded: host={other}\r\n"
                f"authorization: Bearer {key}"
            )
            port = int(witness.url.rpartition(":")[2])
            answer = await sent(port, head, as_bytes(chat_request("a")))
            await lease.end()
    assert elsewhere.came == []
    assert all(path.startswith("/v1/") for path in served.came)
    if not authorized:
        assert served.came == []
        assert b"secret" not in answer


async def test_a_client_without_nonce_and_lease_is_told_no_once_and_learns_nothing():
    """A 400, which no gateway retries; it names Understudy, and neither a key, a nonce, an
    address nor whether a drill runs.
    """
    async with (
        serving(Elsewhere()) as served_url,
        Witness().serving([("127.0.0.1", 0)]) as witness,
        aiohttp.ClientSession(headers={"authorization": "Bearer sk-client"}) as client,
    ):
        witness.engine_keys[served_url.removeprefix("http://")] = "engine-key-of-the-owner"
        asked = f"{witness.lane_url(0)}/chat/completions"
        answers = []
        for runs in (False, True):
            if runs:
                await witness.lease(
                    nonce=NONCE,
                    hops=[hop("a", Action.FORWARD, base_url=f"{served_url}/v1")],
                    ttl_s=PATIENCE_S,
                    lane=0,
                    canary=CANARY,
                    wants_canary=True,
                )
            for nonce in ("00000000", NONCE):
                async with client.post(asked, json=chat_request("a", nonce=nonce)) as reply:
                    answers.append((reply.status, dict(reply.headers), await reply.text()))
    assert {status for status, _, _ in answers} == {400}
    assert len({text for _, _, text in answers}) == 1
    (_, headers, text), *_ = answers
    assert "Understudy" in text
    for secret in (NONCE, CANARY, "engine-key", served_url.rpartition(":")[2]):
        assert secret not in f"{headers}{text}"
