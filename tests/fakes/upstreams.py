"""Upstreams as a lease knows them, and requests as a gateway sends them."""

import json

from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS
from chaos.protocol.dialects import DIALECTS
from chaos.witness.lease import Action, LeasedHop, Upstream

NONCE = "3fa91c02"
CANARY = "understudy-canary-x"


def upstream(group, dialect="vllm", **changes):
    """Make an upstream of *group* whose model is called as the group."""
    return Upstream(
        **{
            "group": group,
            "deployment": f"{group}-id",
            "dialect": DIALECTS[dialect],
            "model": group,
            "base_url": None,
            "local": True,
            **changes,
        }
    )


def hop(group, action=Action.STAND_IN, *, fault=None, dialect="vllm", **changes):
    """Make a leased hop with one upstream."""
    name = FaultName.parse(fault) if fault else None
    own = {key: changes.pop(key) for key in ("base_url", "model", "deployment") if key in changes}
    return LeasedHop(
        group=group,
        upstreams=(upstream(group, dialect, **own),),
        action=action,
        fault=FAULTS[name.name] if name else None,
        fault_name=name,
        **changes,
    )


def chat_request(model, *, nonce=NONCE, stream=False, **changes):
    """Write a chat completions body that carries *nonce* in its prompt."""
    return {
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": f"Say {nonce}."}],
        **changes,
    }


def as_bytes(body):
    """Write *body* as JSON bytes."""
    return json.dumps(body).encode()
