"""Try a model's template and a server's parsers without a model: vLLM's ``launch render``.

Understudy sends this file's text to the container's own Python, so it uses nothing but the
standard library, and no syntax newer than Python 3.9. Its argument is JSON:

    {"base": URL, "model": NAME, "tool": {...}, "arguments": {...}, "texts": {FORMAT: TEXT},
     "tools": bool}

It prints ``{"up": false}`` while nothing answers there, else

    {"up": true, "version": str, "history": STATUS, "error": str,
     "template": {"text": str, "whole": CALL, "streamed": CALL} or null,
     "formats": {FORMAT: {"whole": CALL, "streamed": CALL}}}

with ``CALL`` = ``[NAME, ARGUMENTS]`` or null. The template's text is what the model's own chat
template writes for a call: what a model was trained to write, and what its parser has to read.

Without ``tools``, because the server was not started to take any, only a plain chat is rendered.

Source: vLLM 0.32.0, run: ``/v1/chat/completions/render``, ``/derender``, ``/tokenize``.
"""

import json
import sys
import urllib.error
import urllib.request
from typing import Any

WITHIN_S = 60.0
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Containers often have a proxy in their environment, which does not lead to themselves."""


def asked(base: str, path: str, body: object = None) -> "tuple[int, Any]":
    """Send a request; an answer that is no JSON comes as its text."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(base + path, data, headers)  # noqa: S310 -- ours
    try:
        with OPENER.open(request, timeout=WITHIN_S) as reply:
            status, raw = reply.status, reply.read()
    except urllib.error.HTTPError as refusal:
        status, raw = refusal.code, refusal.read()
    try:
        return status, json.loads(raw)
    except ValueError:
        return status, raw.decode("utf-8", "replace")


class Probe:
    """One server, and one tool that it is asked about."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.base = given["base"]
        self.model = given["model"]
        self.tool = given["tool"]
        self.arguments = given["arguments"]
        self.texts = given["texts"]
        self.tools = given.get("tools", True)

    def chat(self, *messages: dict[str, Any], prompt: bool = True) -> dict[str, Any]:
        """Ask for a chat with the tool."""
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": "Call the tool."}, *messages],
            "tools": [self.tool],
            "tool_choice": "auto",
            "max_tokens": 256,
            "add_generation_prompt": prompt,
        }

    def rendered(self, chat: dict[str, Any]) -> "tuple[int, Any]":
        """Have the template write a chat."""
        return asked(self.base, "/v1/chat/completions/render", chat)

    def called(self) -> dict[str, Any]:
        """Write the turn in which the model calls the tool."""
        function = {
            "name": self.tool["function"]["name"],
            "arguments": json.dumps(self.arguments),
        }
        call = {"id": "call_understudy", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}

    def whole(self, tokens: list[int]) -> Any:
        """Have the parsers read a whole reply; returns the call in it."""
        choice = {"index": 0, "token_ids": tokens, "finish_reason": "stop"}
        body = {
            "model": self.model,
            "generate_response": {"request_id": "understudy", "choices": [choice]},
            "chat_request": self.chat(),
        }
        status, answer = asked(self.base, "/v1/chat/completions/derender", body)
        if status != 200:
            raise ValueError(f"derender answers {status}: {str(answer)[:300]}")
        return call_of([answer["choices"][0]["message"]])

    def streamed(self, tokens: list[int], prompt: list[int]) -> Any:
        """Have the parsers read a reply token by token."""
        state: Any = None
        deltas: list[dict[str, Any]] = []
        for place, token in enumerate(tokens):
            last = place == len(tokens) - 1
            choice = {"index": 0, "token_ids": [token], "finish_reason": "stop" if last else None}
            body = {
                "model": self.model,
                "stream": True,
                "generate_chunk": {"request_id": "understudy", "choices": [choice]},
                "chat_request": self.chat(),
                "prompt_token_ids": prompt,
            }
            if state is not None:
                body["stream_state"] = state
            status, answer = asked(self.base, "/v1/chat/completions/derender", body)
            if status != 200:
                raise ValueError(f"derender answers {status}: {str(answer)[:300]}")
            state = answer.get("stream_state")
            chunk = answer.get("chunk") or answer
            deltas += [given.get("delta") or {} for given in chunk.get("choices") or ()]
        return call_of(deltas)

    def read(self, tokens: list[int], prompt: list[int]) -> dict[str, Any]:
        """Have the parsers read a reply in both ways."""
        return {"whole": self.whole(tokens), "streamed": self.streamed(tokens, prompt)}

    def template(self, prompt: list[int]) -> Any:
        """Take what the template writes for a call, and have the parsers read it."""
        status, answer = self.rendered(self.chat(self.called(), prompt=False))
        if status != 200:
            raise ValueError(f"the template refuses a call: {str(answer)[:300]}")
        tokens = answer["token_ids"]
        same = 0
        while same < min(len(tokens), len(prompt)) and tokens[same] == prompt[same]:
            same += 1
        own = tokens[same:]
        if not own:
            return None
        body = {"model": self.model, "tokens": own}
        _, text = asked(self.base, "/detokenize", body)
        text = text.get("prompt", "") if isinstance(text, dict) else ""
        return {"text": text, **self.read(own, prompt)}

    def plain(self) -> dict[str, Any]:
        """Try a chat without tools."""
        said = {"role": "assistant", "content": "Hello."}
        asks = {"role": "user", "content": "And?"}
        chat = self.chat(said, asks)
        del chat["tools"], chat["tool_choice"]
        status, answer = self.rendered(chat)
        error = "" if status == 200 else f"the template refuses a chat: {str(answer)[:300]}"
        return {"up": True, "error": error, "template": None, "formats": {}, "history": status}

    def result(self) -> dict[str, Any]:
        """Try everything."""
        found: dict[str, Any] = {"up": True, "error": "", "template": None, "formats": {}}
        _, version = asked(self.base, "/version")
        found["version"] = version.get("version") if isinstance(version, dict) else None
        status, answer = self.rendered(self.chat())
        if status != 200:
            found["error"] = f"the template refuses a chat with a tool: {str(answer)[:300]}"
            found["history"] = status
            return found
        if not isinstance(answer, dict) or not isinstance(answer.get("token_ids"), list):
            return {**found, "history": status, "error": f"render answers {str(answer)[:300]}"}
        prompt = answer["token_ids"]
        told = {"role": "tool", "tool_call_id": "call_understudy", "content": "done"}
        found["history"], history = self.rendered(self.chat(self.called(), told))
        if found["history"] != 200:
            found["error"] = f"the template refuses a tool's result: {str(history)[:300]}"
        try:
            found["template"] = self.template(prompt)
            for name, text in self.texts.items():
                body = {"model": self.model, "prompt": text, "add_special_tokens": False}
                _, counted = asked(self.base, "/tokenize", body)
                found["formats"][name] = self.read(counted["tokens"], prompt)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            found["error"] = found["error"] or f"{type(error).__name__}: {error}"
        return found


def call_of(messages: list[dict[str, Any]]) -> Any:
    """Join the pieces of the first call in a message, or in a stream's deltas."""
    name, arguments = "", ""
    for message in messages:
        for call in message.get("tool_calls") or ():
            if call.get("index", 0) == 0:
                function = call.get("function") or {}
                name += function.get("name") or ""
                arguments += function.get("arguments") or ""
    if not name:
        return None
    try:
        return [name, json.loads(arguments or "{}")]
    except ValueError:
        return [name, arguments]


def main() -> None:
    """Try everything, once something answers."""
    probe = Probe(json.loads(sys.argv[1]))
    try:
        asked(probe.base, "/health")
    except OSError:
        print(json.dumps({"up": False}))  # noqa: T201 -- its purpose
        return
    print(json.dumps(probe.result() if probe.tools else probe.plain()))  # noqa: T201 -- its purpose


if __name__ == "__main__":
    main()
