"""A provider that no other dialect speaks for: it can be made to fail, and nothing else.

Shape:
    {"error": {"message": str, "type": str, "param": str | null, "code": str | null}}

Only a twin has it: there every deployment has an address of its own, so a call need not be
understood to be known. What it asks is not read, and no reply can be given in its language.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from chaos.protocol.addressing import join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.dialects.openai import OpenAI
from chaos.protocol.error_rows import GENERAL
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

GENERIC = "generic"

ELSEWHERE = frozenset({"replicate", "sagemaker", "sagemaker_chat", "watsonx", "watsonx_text"})
"""Providers that LiteLLM asks at an address of its own, whatever ``api_base`` says.

Source: LiteLLM 1.106.2, run.
"""


class Generic:
    """Any provider, by its address alone."""

    name: ClassVar[str] = GENERIC
    providers: ClassVar[tuple[str, ...]] = ()
    formats: ClassVar[tuple[WireFormat, ...]] = (WIRE_FORMATS["chat_completions"],)
    key_headers: ClassVar[tuple[str, ...]] = ("authorization", "x-api-key", "api-key")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        name: replace(
            row,
            source=f"{GENERAL}: OpenAI's error, where the provider's own is not known",
            unconfirmed=True,
        )
        for name, row in OpenAI.rows.items()
        if "." not in name
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Take any request with a JSON body for a call, unread; a twin's address says whose."""
        if call.method != "POST" or not call.body:
            return None
        model = call.body.get("model")
        return Call(
            self.name,
            self.formats[0],
            model if isinstance(model, str) else "",
            call.body.get("stream") is True,
            readable=False,
        )

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        return join_url(base, call)
