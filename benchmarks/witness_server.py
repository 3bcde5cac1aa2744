"""Our witness with two leases: one that faults, one that forwards to an upstream.

python -m benchmarks.witness_server URL-OF-THE-UPSTREAM
"""

import asyncio
import sys

import uvloop

from benchmarks.traffic import FAULTED_MODEL, FAULTED_NONCE, PASSED_MODEL, PASSED_NONCE
from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS
from chaos.protocol.dialects import DIALECTS
from chaos.witness.lease import Action, LeasedHop, Upstream
from chaos.witness.server import Witness

_FOR_S = 24 * 3600.0
_OTHERS = 12
"""Groups of the gateway outside the chain: a request is compared with them as well."""


async def _serve(upstream: str) -> None:
    witness = Witness()
    primary = Upstream(FAULTED_MODEL, "primary-id", DIALECTS["openai"], FAULTED_MODEL)
    local = Upstream(PASSED_MODEL, "local-id", DIALECTS["vllm"], PASSED_MODEL, f"{upstream}/v1")
    others = [
        Upstream(f"group-{number}", f"id-{number}", DIALECTS["openai"], f"model-{number}")
        for number in range(_OTHERS)
    ]
    hops = [
        LeasedHop(
            FAULTED_MODEL,
            (primary,),
            Action.FAULT,
            fault=FAULTS["rate_limit"],
            fault_name=FaultName.parse("rate_limit"),
        ),
        LeasedHop(PASSED_MODEL, (local,), Action.FORWARD),
    ]
    async with witness.serving([("127.0.0.1", 0)]):
        for nonce in (FAULTED_NONCE, PASSED_NONCE):
            await witness.lease(nonce=nonce, hops=hops, others=others, ttl_s=_FOR_S)
        sys.stdout.write(f"{witness.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
