"""Read what vLLM writes about itself while it starts. Pure: the text comes in as a value.

Some facts are nowhere else: the flags, the memory that the weights take, which kernels were
chosen, why a start failed. A log of several starts is read from the last one on. Wording of
vLLM 0.32.0, run on a CPU where that shows it, and read in its source where only a GPU does; the
older wording of some lines is understood too.
"""

import ast
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_QUOTED = 300
"""Characters of a line of the log that are repeated in a message."""

_ARGUMENTS = "non-default args:"
"""vLLM logs it once, early in every start, after its banner."""

_BANNER = re.compile(r"█.* version \d|vLLM API server version \d")
_BANNER_LINES = 10
"""The banner with the version stands so many lines above the arguments, at most."""


@dataclass(frozen=True, slots=True)
class EngineLog:
    """What the last start in a log says. None, or empty, means that it does not say.

    Attributes:
        flags: What vLLM was started with, by argument name (``tool_call_parser``), as far as it
            differs from the defaults; without secrets.
        shortened_from: The context length that was asked for, where vLLM reduced it to fit.
        weights_gib: Memory of the weights on one device.
        fp4_weight_only: FP4 weights are unpacked by Marlin, for want of FP4 hardware.
        kv_cache_gib: Memory that is left for the KV cache on one device.
        kv_cache_tokens: Tokens that the KV cache holds, on the device that it names.
        max_concurrency: Requests of full context length that fit into it at once.
        ready_s: How long profiling, KV cache and warm-up took.
        auto_tool_choice: vLLM says that automatic tool choice is on.
        sampling: Sampling parameters that the model's own files override.
        serving: The HTTP server came up.
        failures: Why the start failed, line by line.
        parsers: Tool-call parsers that a failed start listed.
        death: The line that tells that the engine died; empty where it was asked to stop.
        stopped: It was asked to stop.
    """

    flags: Mapping[str, Any] | None = None
    version: str | None = None
    max_model_len: int | None = None
    shortened_from: int | None = None
    architecture: str | None = None
    weights_gib: float | None = None
    load_s: float | None = None
    moe_backend: str | None = None
    linear_backends: tuple[str, ...] = ()
    fp4_weight_only: bool = False
    attention_backend: str | None = None
    quantization: str | None = None
    kv_cache_gib: float | None = None
    kv_cache_device: str | None = None
    kv_cache_tokens: int | None = None
    max_concurrency: float | None = None
    cuda_graph_gib: float | None = None
    ready_s: float | None = None
    auto_tool_choice: bool = False
    sampling: str | None = None
    serving: bool = False
    failures: tuple[str, ...] = ()
    parsers: tuple[str, ...] = ()
    death: str = ""
    stopped: bool = False

    @property
    def says_anything(self) -> bool:
        """Whether anything in the text was vLLM's."""
        return self != EngineLog()


_FLOAT = r"(\d+(?:\.\d+)?)"
_COUNT = r"([\d,]+)"

_TEXTS: Mapping[str, tuple[str, ...]] = {
    "version": (
        r"Initializing a V\d LLM engine \(v([^)\s]+)\)",
        r"vLLM API server version (\S+)",
        r"█.* version (\d\S*)",
    ),
    "architecture": (r"Resolved architecture: (\w+)",),
    "moe_backend": (
        r"Using '?([A-Z][A-Za-z0-9_]+)'? \w+ MoE backend",
        r"Using (\w+) backend for \w+ MoE",
    ),
    "attention_backend": (
        r"Using (?:AttentionBackendEnum\.)?(\w+) attention backend",
        r"FA4 not available, forcing (\w+) backend",
        r"heterogeneous head dimensions .*Using (FA4) for all layers",
        r"\bUsing (Flash Attention|FlashInfer|Triton|[A-Z_]{4,}) backend\b",
    ),
    "quantization": (r"Initializing a V\d LLM engine .*?\bquantization=([\w.-]+)",),
    "kv_cache_device": (r"(\w+)(?: \+ host)? KV cache size: ",),
    "sampling": (r"sampling parameters have been overridden by [^:]*: `?(\{.*?\})",),
}
_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "max_model_len": (
        r"Auto-fit max_model_len: reduced from \d+ to (\d+)",
        r"Using max model len (\d+)",
        r"Maximum concurrency for " + _COUNT + " tokens per request",
    ),
    "shortened_from": (r"Auto-fit max_model_len: reduced from (\d+) to",),
    "weights_gib": (r"Model loading took " + _FLOAT + r" Gi?B",),
    "load_s": (
        r"Model loading took \S+ Gi?B(?: memory)? and " + _FLOAT + " s",
        r"Loading weights took " + _FLOAT + " s",
    ),
    "kv_cache_gib": (r"Available KV cache memory: " + _FLOAT + r" Gi?B",),
    "kv_cache_tokens": (r"KV cache size: " + _COUNT + " tokens",),
    "max_concurrency": (r"Maximum concurrency for [\d,]+ tokens per request: ([\d,]+(?:\.\d+)?)x",),
    "cuda_graph_gib": (
        r"Graph capturing finished in \d+ secs?, took " + _FLOAT + r" Gi?B",
        r"Estimated CUDA graph memory: " + _FLOAT + r" Gi?B",
    ),
    "ready_s": (r"init engine \(profile, create kv cache, warmup model\) took " + _FLOAT + " s",),
}
"""What each field is read from, the best wording first."""

_WHOLE = frozenset({"max_model_len", "shortened_from", "kv_cache_tokens"})

_LINEAR = re.compile(r"Selected (\w+) for (\w+)")
_WEIGHT_ONLY = "does not have native support for FP4 computation"
_AUTO_TOOLS = '"auto" tool choice has been enabled'

_FAILURE = re.compile(
    r"invalid (?:tool call|reasoning) parser: .*"
    r"|--enable-auto-tool-choice requires --tool-call-parser.*"
    r"|--[\w-]+.* cannot be used with the tokenizer of .*"
    r"|No available memory for the cache blocks.*"
    r"|Cannot auto-fit max_model_len.*"
    r"|To serve at least one request with the model's max seq len.*"
    r"|Free memory on device .* on startup is less than .*"
    r"|Failed to load model - not enough GPU memory.*"
    r"|error: (?:unrecognized arguments|argument|ambiguous option|the following arguments)\b.*"
)
_OFFERED = re.compile(r"\(chose from \{\s*([^}]*?)\s*\}\)")
_DEATH = re.compile(
    r"Worker proc \S+ died unexpectedly.*"
    r"|EngineCore encountered a fatal error.*"
    r"|engine core exited unexpectedly.*"
    r"|Engine core process \S+ died unexpectedly.*"
    r"|RPC call to \S+ timed out.*"
)
_STOP = re.compile(
    r"received signal=SIG|API server: shutdown triggered|\[shutdown\] MPClient: start\b"
)
_SERVING = "Application startup complete"

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SECRET = re.compile(r"(?:key|token|secret|password)$", re.IGNORECASE)


def read_log(text: str) -> EngineLog:
    """Read the last start in *text*."""
    lines = last_start(plain_lines(text))
    whole = "\n".join(lines)
    read: dict[str, Any] = {name: _first(whole, ways) for name, ways in _TEXTS.items()}
    for name, ways in _NUMBERS.items():
        read[name] = _number(_first(whole, ways), whole=name in _WHOLE)
    if read["quantization"] == "None":
        read["quantization"] = None
    failures = [_quoted(found[0]) for line in lines if (found := _FAILURE.search(line))]
    death, stopped = _end(lines)
    return EngineLog(
        **read,
        flags=_flags(lines),
        linear_backends=tuple(
            dict.fromkeys(f"{kernel} for {layer}" for kernel, layer in _LINEAR.findall(whole))
        ),
        fp4_weight_only=_WEIGHT_ONLY in whole,
        auto_tool_choice=_AUTO_TOOLS in whole,
        serving=_SERVING in whole,
        failures=tuple(dict.fromkeys(failures)),
        parsers=_offered(whole),
        death=death,
        stopped=stopped,
    )


def plain_lines(text: str) -> list[str]:
    """Split into messages without colours; lines that are JSON give their message."""
    return [_message(_COLOUR.sub("", line)) for line in text.splitlines()]


def last_start(lines: list[str]) -> list[str]:
    """Cut away earlier starts; all lines, where the beginning of the last one is missing."""
    starts = [number for number, line in enumerate(lines) if _ARGUMENTS in line]
    if not starts:
        return lines
    begin = starts[-1]
    banner = [line for line in lines[max(0, begin - _BANNER_LINES) : begin] if _BANNER.search(line)]
    return [*banner[-1:], *lines[begin:]]


def _message(line: str) -> str:
    """Take the message out of a line of JSON, as Docker's files and JSON loggers write it."""
    if line.startswith("{"):
        try:
            row = json.loads(line)
        except ValueError:
            return line
        if isinstance(row, Mapping):
            found = row.get("message") or row.get("log") or row.get("msg")
            return _COLOUR.sub("", str(found)).rstrip("\n") if found else line
    return line


def _first(text: str, ways: Iterable[str]) -> str | None:
    """Find the best wording that occurs; of equal lines the last."""
    for way in ways:
        found = re.findall(way, text)
        if found:
            return str(found[-1])
    return None


def _number(text: str | None, *, whole: bool) -> float | int | None:
    if text is None:
        return None
    digits = text.replace(",", "")
    try:
        return int(digits) if whole else float(digits)
    except ValueError:
        return None


def _quoted(text: str) -> str:
    shorter = _OFFERED.sub("", text).strip(" '\"")
    return shorter if len(shorter) <= MOST_QUOTED else shorter[:MOST_QUOTED] + "…"


def _offered(text: str) -> tuple[str, ...]:
    found = _OFFERED.search(text)
    return tuple(sorted(name.strip() for name in found[1].split(","))) if found else ()


def _end(lines: Iterable[str]) -> tuple[str, bool]:
    """Tell how it died, if it did, and whether it was asked to stop first.

    After an ordinary SIGTERM vLLM logs the death of its engine too.
    """
    for line in lines:
        if _STOP.search(line):
            return "", True
        found = _DEATH.search(line)
        if found:
            return _quoted(found[0]), False
    return "", False


# --- the flags ------------------------------------------------------------------------


def _flags(lines: Iterable[str]) -> Mapping[str, Any] | None:
    written = next((line for line in lines if _ARGUMENTS in line), None)
    if written is None:
        return None
    flags = _dictionary(written.partition(_ARGUMENTS)[2].strip())
    return {name: value for name, value in flags.items() if not _SECRET.search(name)}


def _dictionary(source: str) -> dict[str, Any]:
    """Read a printed dictionary; values that are no literals stay text."""
    for attempt in (source, re.sub(r"<[^<>]*>", lambda found: repr(found[0]), source)):
        try:
            tree = ast.parse(attempt, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        if isinstance(tree, ast.Dict):
            return {
                key.value: _value(value)
                for key, value in zip(tree.keys, tree.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
    return {name: _literal(value) for name, value in _PAIR.findall(source)}


_PAIR = re.compile(
    r"'(\w+)': ('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\[[^\[\]{}]*\]|True|False|None|-?[\d.e+-]+)"
)
"""For a dictionary that is cut off, or that Python cannot read."""


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return ast.unparse(node)


def _literal(source: str) -> Any:
    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return source
