"""One request of the gateway while it is answered, and the record that is left of it.

The record holds no credential: what the request carried is masked in every text.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chaos.protocol.conversation import Ask, Json
from chaos.protocol.dialect import Call
from chaos.protocol.format import WireFormat
from chaos.protocol.json.text import parse_json
from chaos.protocol.json_lines import LINES
from chaos.protocol.reading import Reading
from chaos.witness.content_coding import unpacked
from chaos.witness.redaction import Scrub
from chaos.witness.script_player import Played
from chaos.witness.wire_record import AttemptOutcome, KeyOwner, WireRecord

MOST_DIGITS = 6
"""Of a ``Retry-After``: eleven days; a longer one says nothing."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One request while it is being answered; becomes a ``WireRecord``.

    Attributes:
        outcome: What the witness did by itself; of what it passed on, the reply tells.
        trouble: What went wrong with the real upstream itself.
        message: Why the witness did not pass it on.
        credentials: What it carried, so that it can be kept out of its record.
    """

    ordinal: int
    started_at_s: float
    outcome: AttemptOutcome = AttemptOutcome.REFUSED
    group: str | None = None
    deployment: str | None = None
    call: Call | None = None
    body: Json = field(default_factory=dict)
    fault: str | None = None
    played: Played = field(default_factory=Played, repr=False)
    ended_at_s: float = 0.0
    key_owner: KeyOwner = KeyOwner.NONE
    credentials: frozenset[str] = field(default=frozenset(), repr=False)
    via_proxy: bool = False
    peer: str | None = None
    trouble: str | None = None
    message: str | None = None
    caller_left: bool = False
    cut: bool = False
    abort: Callable[[], None] | None = None

    def record(self) -> WireRecord:
        """Freeze it; the reply's bytes are read only now, off the hot path."""
        call = self.call
        reply = self._read()
        message = self.trouble or self.message
        if message is None and reply is not None and reply.error is not None:
            message = reply.error.message
        record = WireRecord(
            ordinal=self.ordinal,
            group=self.group,
            deployment=self.deployment,
            dialect=call.dialect if call else None,
            operation=call.format.name if call else None,
            model=call.model if call else None,
            stream=call.stream if call else False,
            outcome=self._outcome(reply),
            status=self.played.status,
            fault=self.fault,
            started_at_s=self.started_at_s,
            first_byte_at_s=self.played.first_byte_at_s,
            ended_at_s=self.ended_at_s,
            sent_bytes=self.played.sent_bytes,
            asked=self._asked(),
            reply=reply,
            upstream_message=message,
            key_owner=self.key_owner,
            forwarded=self.played.reached,
            whole=self.played.whole,
            caller_left=self.caller_left,
            cut=self.cut,
            retry_after_s=self._retry_after_s(),
            via_proxy=self.via_proxy,
            peer=self.peer,
        )
        scrubbed = Scrub(self.credentials)(record)
        # Cut only now: the first half of a credential would not be recognised.
        return replace(scrubbed, upstream_message=(scrubbed.upstream_message or "")[:500] or None)

    def _retry_after_s(self) -> float | None:
        """Read how long the reply asks to wait; a date is not read, which providers do not send."""
        response = self.played.response
        told = response.headers.get("Retry-After", "") if response is not None else ""
        return float(told) if told.isdecimal() and len(told) <= MOST_DIGITS else None

    def _asked(self) -> Ask | None:
        readable = self.call is not None and self.call.readable
        return self.call.format.read_ask(self.body) if self.call and readable else None

    def _outcome(self, reply: Reading | None) -> AttemptOutcome:
        """Tell what became of it; a real upstream's answer counts once its end is there.

        Client libraries close the connection at the end of the answer, which may come before
        the end of the reply.
        """
        if self.trouble is not None:
            return AttemptOutcome.ERRORED
        status = self.played.status
        if not self.played.reached or status is None:
            return self.outcome
        if not 200 <= status < 300:
            return AttemptOutcome.ERRORED
        there = self.played.whole or (reply is not None and reply.complete)
        return AttemptOutcome.SERVED if there else AttemptOutcome.REFUSED

    def _read(self) -> Reading | None:
        if self.call is None or self.played.status is None:
            return None
        if self.played.sent_bytes > len(self.played.sent):
            return None  # a copy that was cut would read like a reply that was
        body = unpacked(bytes(self.played.sent), self.played.coding)
        if body is None:
            return None
        whole = self.played.status >= 300 or _is_whole(body, self.call.format)
        if not self.call.stream or whole:
            return self.call.format.read_reply(self.played.status, body)
        reader = self.call.format.stream_reader()
        reader.feed(body)
        return reader.close()


def _is_whole(body: bytes, spoken: WireFormat) -> bool:
    """Tell whether a whole reply came where a stream was asked for: an object, or a page.

    Where each line of a stream is an object, one alone is a whole reply.
    """
    begin = body.lstrip()[:1]
    if begin == b"{" and spoken.content_type(stream=True) == LINES:
        return _is_json(body)
    return begin in (b"{", b"<")


def _is_json(body: bytes) -> bool:
    try:
        parse_json(body)
    except ValueError:
        return False
    return True
