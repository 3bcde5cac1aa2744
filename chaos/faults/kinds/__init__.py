"""The ways an upstream fails, by name, in the order of the public contract.

To add one: in a new file here write a ``chaos.faults.fault.Fault``, import it, and list it below.
Its docstring says what really fails like that, with its source. A fault knows no concrete dialect
or wire format: it works with ``scene.pieces()`` and ``scene.dialect.rows``. A new error *status*
is no new fault but a row in the dialects and an entry in ``STATUS_FAULTS``. The contract tests in
``tests/chaos/faults/kinds/test_registry.py`` play each fault in every format.
"""

import re
from collections.abc import Mapping

from chaos.errors import UsageError
from chaos.faults.fault import Fault, FaultName
from chaos.faults.http_error import RETRY_AFTER_20, RETRY_AFTER_N, STATUS_FAULTS
from chaos.faults.kinds.connection_refused import ConnectionRefused
from chaos.faults.kinds.connection_reset import ConnectionReset
from chaos.faults.kinds.empty_200 import Empty200
from chaos.faults.kinds.error_200 import Error200
from chaos.faults.kinds.hang import Hang
from chaos.faults.kinds.html_200 import Html200
from chaos.faults.kinds.keepalive_only import KeepaliveOnly
from chaos.faults.kinds.malformed_chunk import MalformedChunk
from chaos.faults.kinds.outage import Outage
from chaos.faults.kinds.refusal_200 import Refusal200
from chaos.faults.kinds.slow_first_token import SlowFirstToken
from chaos.faults.kinds.stream_cut import StreamCut
from chaos.faults.kinds.stream_error_first import StreamErrorFirst
from chaos.faults.kinds.stream_error_mid import StreamErrorMid
from chaos.faults.kinds.stream_no_done import StreamNoDone
from chaos.faults.kinds.stream_stall import StreamStall
from chaos.faults.kinds.stream_truncated import StreamTruncated
from chaos.faults.kinds.tool_call_cut import ToolCallCut
from chaos.protocol.dialects import DIALECTS
from chaos.registry import index, lookup, suggestion

FAULTS: Mapping[str, Fault] = index(
    *STATUS_FAULTS,
    ConnectionRefused(),
    ConnectionReset(),
    Hang(),
    SlowFirstToken(),
    KeepaliveOnly(),
    StreamCut(),
    StreamTruncated(),
    StreamErrorFirst(),
    StreamErrorMid(),
    StreamStall(),
    StreamNoDone(),
    MalformedChunk(),
    ToolCallCut(),
    Empty200(),
    Error200(),
    Html200(),
    Refusal200(),
    Outage(),
)


def variants_of(name: str) -> tuple[str, ...]:
    """List the variants of the fault called *name*, without ``once``.

    Those of a status fault are rows of the dialects; one dialect may lack what another has.

    Raises:
        UsageError: There is no such fault.
    """
    fault = lookup("fault", name, FAULTS)
    if not fault.status_fault:
        return fault.variants
    rows = (row.split(".", 1) for dialect in DIALECTS.values() for row in dialect.rows)
    variants = {row[1] for row in rows if row[0] == name and len(row) > 1}
    return tuple(sorted(variants | ({RETRY_AFTER_N} if RETRY_AFTER_20 in variants else set())))


def parse_fault(text: str) -> tuple[Fault, FaultName]:
    """Read a fault as people write it, ``name[.variant][.once]``, and find it.

    Raises:
        UsageError: No fault, or no variant, of this name; the remedy suggests the nearest.
    """
    name = FaultName.parse(text)
    fault = lookup("fault", name.name, FAULTS)
    known = variants_of(name.name)
    if name.variant is not None and not any(_fits(name.variant, variant) for variant in known):
        hint = suggestion(name.variant, known)
        raise UsageError(
            f"{name.variant!r} is not a variant of the fault {name.name!r}",
            remedy=hint[:1].upper() + hint[1:],
        )
    if fault.twin_only and name.once:
        raise UsageError(
            f"the fault {name.name!r} cannot strike only once: its address refuses every attempt",
            remedy=f"Drill {name.name!r}, or 'connection_reset.once'.",
        )
    if fault.lasts_s(name.variant) is not None and name.once:
        raise UsageError(
            f"the fault {name.name!r} cannot strike only once: it lasts, and then it is over",
            remedy=f"Drill {name.name!r}, or 'server_error.once'.",
        )
    if str(name) != text:
        raise UsageError(f"{text!r} is not a fault", remedy=f"Did you mean {str(name)!r}?")
    return fault, name


def _fits(variant: str, known: str) -> bool:
    """Tell whether *variant* is *known*, where an ``N`` stands for a number.

    A length of time is one second at least: what ends as it begins meets no request.
    """
    number = "[1-9][0-9]{0,3}" if known.startswith("seconds_") else "[0-9]{1,4}"
    return re.fullmatch(re.escape(known).replace("N", number), variant) is not None
