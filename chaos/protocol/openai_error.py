"""Read the error envelope that OpenAI's surfaces share, and whatever else comes in its place.

Shape:
    {"error": {"message": str, "type": str | null, "param": str | null,
               "code": str | int | null}}
    LiteLLM writes the status as text into ``code``, vLLM as a number.

Source: https://platform.openai.com/docs/api-reference, ``Error``; LiteLLM 1.106.2,
``ProxyException.to_dict``.
"""

from typing import Any

from chaos.protocol.json.strict import compact
from chaos.protocol.json.text import excerpt, whole_text
from chaos.protocol.reading import ReadError

MAX_MESSAGE_CHARACTERS = 4000


def error_in(body: Any, *, in_band: bool) -> ReadError | None:
    """Find the error that *body* tells of; None if it tells of none."""
    if not isinstance(body, dict) or not body.get("error"):
        return None
    return read_error(body["error"], in_band=in_band)


def failure(status: int, body: Any) -> ReadError:
    """Read the error of a reply that failed: in its envelope, or in whatever came instead."""
    return error_in(body, in_band=False) or foreign_error(status, body)


def read_error(error: Any, *, in_band: bool) -> ReadError:
    """Read the value of ``error``, well formed or not."""
    if not isinstance(error, dict):
        return ReadError(_text(error), well_formed=False, in_band=in_band)
    code = error.get("code")
    kind = error.get("type")
    return ReadError(
        message=_text(error.get("message", error)),
        type=whole_text(kind) if isinstance(kind, str) else None,
        code=None if code is None else _text(code),
        status=status_in(code),
        well_formed=_has_envelope(error),
        in_band=in_band,
    )


def foreign_error(status: int, body: Any) -> ReadError:
    """Read a reply of *status* that fails and has no ``error``: a web server's, a proxy's.

    Args:
        body: Parsed JSON, or text where it is not JSON.
    """
    told = body
    if isinstance(body, dict):
        told = body.get("detail") or body.get("message") or body
    message = excerpt(told) if isinstance(told, str) else _text(told)
    return ReadError(message or f"HTTP {status}", well_formed=False)


def status_in(code: Any) -> int | None:
    """Read an HTTP status out of an error's ``code``, where it is one."""
    text = str(code) if isinstance(code, int) and not isinstance(code, bool) else code
    if isinstance(text, str) and len(text) == 3 and text.isascii() and text.isdigit():
        status = int(text)
        return status if 400 <= status <= 599 else None
    return None


def _has_envelope(error: dict[str, Any]) -> bool:
    code = error.get("code")
    return (
        isinstance(error.get("message"), str)
        and {"type", "param", "code"} <= error.keys()
        and isinstance(error["type"], str | None)
        and (code is None or (isinstance(code, str | int) and not isinstance(code, bool)))
    )


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else compact(value)
    return whole_text(text[:MAX_MESSAGE_CHARACTERS])
