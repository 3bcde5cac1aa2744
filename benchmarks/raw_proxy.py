"""The same work with nothing but aiohttp and uvloop: about the most that Python gives.

python -m benchmarks.raw_proxy URL-OF-THE-UPSTREAM
"""

import asyncio
import contextlib
import sys

import aiohttp
import uvloop
from aiohttp import web

from benchmarks.traffic import ERROR_BODY, ERROR_STATUS, FAULTED_NONCE

_NONCE = FAULTED_NONCE.encode()


async def _serve(upstream: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if _NONCE in body:
            return web.Response(
                status=ERROR_STATUS, body=ERROR_BODY, content_type="application/json"
            )
        async with session.post(
            upstream + request.path, data=body, headers={"content-type": "application/json"}
        ) as reply:
            response = web.StreamResponse(
                status=reply.status, headers={"content-type": reply.headers["content-type"]}
            )
            response.enable_chunked_encoding()
            # At the end of a measurement the caller leaves in the middle.
            with contextlib.suppress(ConnectionError):
                await response.prepare(request)
                async for data in reply.content.iter_any():
                    await response.write(data)
                await response.write_eof()
            return response

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        runner = web.ServerRunner(web.Server(answer, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
