"""The lab with its real LiteLLM, in a process of its own.

python -m benchmarks.real_lab WITNESS-PORT
"""

import sys
import tempfile
from pathlib import Path

from chaos.lab.lab import running_lab
from supervisor.cli.console import say
from supervisor.stop import Stop, run


async def _serve(stop: Stop) -> int:
    with tempfile.TemporaryDirectory(prefix="understudy-benchmark-") as folder:
        async with running_lab(
            "healthy", Path(folder), say=say, witness_port=int(sys.argv[1])
        ) as lab:
            print(lab.gateway_url, lab.key, flush=True)
            await stop.event.wait()
    return 0


if __name__ == "__main__":
    run(_serve)
