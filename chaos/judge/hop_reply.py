"""What a hop's own reply amounts to: an answer, a trouble, or a key turned away."""

import re

from chaos.http_client import redirects
from chaos.judge.evidence import quote
from chaos.protocol.reading import Defect
from chaos.witness.wire_record import AttemptOutcome, KeyOwner, WireRecord

# Source: FastAPI ("Not Found"), Go's HTTP server ("404 page not found"), llama.cpp ("File Not
# Found"), LM Studio ("Unexpected endpoint or method"), OpenAI ("… in the v1/… endpoint").
_ABOUT_THE_ENDPOINT = re.compile(
    r"\bend-?point|\broute\b|\bpage not found|\bfile not found|\bmethod not allowed"
    r"|\bnot implemented\b|\A[\W\d]*not found\W*\Z|\"(?:detail|message|error)\"\s*:\s*\"not found",
    re.IGNORECASE,
)
_ABOUT_ACCESS = re.compile(r"key\b|credential|auth|token|permission|denied|access", re.IGNORECASE)
_ABOUT_THE_KEY = re.compile(r"api[ _-]?key|credential|unauthori[sz]ed", re.IGNORECASE)
_NO_REPLY = (Defect.NOT_JSON, Defect.NOT_AN_OBJECT, Defect.NO_OUTPUT_FIELD)

TRANSLATED = frozenset({"messages", "responses"})
"""Surfaces whose requests LiteLLM can turn into chat completions for a hop."""


def trouble(record: WireRecord) -> str | None:
    """Say what is wrong with a hop's own reply; None if it is a reply."""
    reply = record.reply
    text = record.upstream_message or (reply.error.message if reply and reply.error else None)
    if record.outcome is AttemptOutcome.ERRORED:
        if redirects(record.status):
            return text or f"status {record.status}, a redirect"
        status = "no reply" if record.status is None else f"status {record.status}"
        return f"{status}, {quote(text)}"
    if reply is not None and reply.error is not None:
        return f"status {record.status} with the error {quote(reply.error.message)}"
    left = record.caller_left or record.cut
    if not record.whole and not left and (reply is None or not reply.complete):
        return f"its reply broke off after {record.sent_bytes} bytes"
    if reply is not None and not reply.has_output and reply.has(*_NO_REPLY):
        return f"status {record.status} and no readable reply ({reply.defects[0].detail})"
    return None


def gave_up_on(record: WireRecord) -> bool:
    """Tell whether a hop was asked and had not answered when it was given up."""
    refused = record.status is not None and record.status >= 400
    return record.outcome is AttemptOutcome.REFUSED and not refused


def turned_away(record: WireRecord) -> bool:
    """Tell whether a hop refused the drill's canary key, which says nothing of the hop."""
    if record.key_owner is KeyOwner.OTHER or knows_no_such_endpoint(record):
        return False
    if record.status in (401, 403):
        return True
    # Some providers call a bad key a bad request.
    return record.status == 400 and bool(_ABOUT_THE_KEY.search(record.upstream_message or ""))


def knows_no_such_endpoint(record: WireRecord) -> bool:
    """Tell whether a hop refused the endpoint or its form, such as a server that only chats."""
    if record.status not in (401, 404, 405, 501):
        return False
    message = (record.upstream_message or "").strip()
    return bool(_ABOUT_THE_ENDPOINT.search(message)) and not _ABOUT_ACCESS.search(message)
