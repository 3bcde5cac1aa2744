"""Read the error envelope of Google's APIs.

Shape:
    {"error": {"code": int, "message": str, "status": str, "details": [object]}}

Source: https://google.aip.dev/193, "HTTP/1.1+JSON representation".
"""

from typing import Any

from chaos.protocol.json.lenient import as_json_text
from chaos.protocol.json.text import excerpt, whole_text
from chaos.protocol.reading import ReadError


def read_google_error(status: int | None, body: Any, *, in_band: bool = False) -> ReadError:
    """Read an error body, or whatever came in its place."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]  # a stream that fails without alt=sse answers with a list of one
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        told = body if isinstance(body, str) else as_json_text(body)
        return ReadError(excerpt(told), status=status, well_formed=False, in_band=in_band)
    code, name = error.get("code"), error.get("status")
    numbered = isinstance(code, int) and not isinstance(code, bool)
    return ReadError(
        whole_text(error["message"]),
        type=whole_text(name) if isinstance(name, str) else None,
        code=str(code) if numbered else None,
        status=code if numbered else status,
        well_formed=numbered and isinstance(name, str),
        in_band=in_band,
    )
