"""What mitmdump is told to do: the same as the witness, in its own way.

Runs inside mitmproxy's environment, which has nothing of ours: it imports only mitmproxy. What
it needs to know comes through the environment.
"""

import os

from mitmproxy import http

_NONCE = os.environ["BENCHMARK_NONCE"].encode()
_STATUS = int(os.environ["BENCHMARK_STATUS"])
_BODY = os.environ["BENCHMARK_BODY"].encode()


def request(flow: http.HTTPFlow) -> None:
    """Answer with the error where the nonce is in the body."""
    if _NONCE in (flow.request.raw_content or b""):
        flow.response = http.Response.make(_STATUS, _BODY, {"content-type": "application/json"})


def responseheaders(flow: http.HTTPFlow) -> None:
    """Pass replies on as they come."""
    if flow.response is not None:
        flow.response.stream = True
