"""The API in a process of its own, so that what strangers cost it can be measured.

python -m tests.fakes.api_process
"""

import asyncio
import sys

from supervisor.log import configure
from supervisor.web.application import application, listening
from tests.fakes.world import ACCESS, FakeWorld


async def _serve() -> None:
    # Nobody reads on from stdout: a log there would stop the process when the pipe is full.
    configure(sys.stderr)
    app = application(FakeWorld(), access=ACCESS, version="9.9")
    async with listening(app, ["127.0.0.1:0"]) as (url,):
        sys.stdout.write(f"{url.rpartition(':')[2]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
