"""Try tokenizer, template and parsers of the new image, without a GPU, while the old one serves.

``vllm launch render`` starts in seconds, loads no weights, and has the server's own template and
parsers. It finds flags that are gone, parsers that do not read what the model's template writes,
and templates that fail. It cannot find kernels, memory, speed, or what the model makes of it.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from supervisor.engine.container import NotRunningError, parse_state
from supervisor.probes.depths.forced import CALLS, TOOL, tool
from supervisor.rollout.command_line import VllmCommand, without_flags
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost, in_thread
from supervisor.rollout.finding import Answer, Finding

PORT = 8000
"""Inside the container, which has a network of its own."""

LOOK_EVERY_S = 1.0
ARGUMENTS = {"a": "understudy 4711"}

ASKED = "tokenizer, template and parsers work in the new image (vllm launch render, no GPU)"
_SERVER_FLAGS = frozenset(
    {"--host", "--port", "--uds", "--api-key", "--ssl-keyfile", "--ssl-certfile", "--ssl-ca-certs"}
)
_NEEDS_A_GPU = re.compile(
    r"cuda|nvidia|\bgpu|device type|triton|flashinfer|out of memory", re.IGNORECASE
)
_USAGE = re.compile(r"error: (?:unrecognized arguments|argument |the following arguments)")
"""argparse's own words: what is wrong is the command, also where a flag's name has a GPU in it."""

_NO_RENDER = re.compile(r"invalid choice: '(?:launch|render)'")


@dataclass(frozen=True, slots=True)
class Rendered:
    """How the trial ended.

    Attributes:
        log_tail: Of a container that did not come up.
        result: What ``render_probe`` printed; None if it did not come to that.
    """

    result: Mapping[str, Any] | None = None
    exit_code: int | None = None
    log_tail: str = ""
    took_s: float = 0.0


def render_words(command: VllmCommand) -> tuple[str, ...]:
    """Write the command that starts the trial: the server's own, without what only serves."""
    program = next((word for word in command.before if word.rsplit("/", 1)[-1] == "vllm"), "vllm")
    words = [program, "launch", "render"]
    if command.model is not None:
        words.append(command.model)
    words += without_flags(command, {*_SERVER_FLAGS, "--model"})
    return (*words, "--host", "127.0.0.1", "--port", str(PORT))


async def try_render(
    host: DockerHost,
    spec: ContainerSpec,
    command: VllmCommand,
    *,
    name: str,
    rollout: str,
    within_s: float,
    say: Callable[[str], None] = lambda _: None,
) -> Rendered:
    """Start the trial in a container of its own, ask, and remove it, whatever happens.

    Args:
        name: The container's; it must not be taken by another's.

    Raises:
        SetupError: Docker cannot do it.
    """
    began_s = time.monotonic()
    await in_thread(host.remove, name)
    words = render_words(command)
    alone = spec.model_copy(
        update={
            "entrypoint": words[:1],
            "command": words[1:],
            "environment": {**spec.environment, "HF_HUB_OFFLINE": "1", "VLLM_API_KEY": None},
            "mounts": tuple(one.model_copy(update={"read_only": True}) for one in spec.mounts),
            "gpus": None,
            "devices": (),
            "runtime": None,
            "network": "none",
            "ports": (),
            "hosts": (),
            "privileged": False,
            "labels": {},
        }
    )
    try:
        await in_thread(host.create, alone, name, rollout)
        await in_thread(host.start, name)
        say("starting vLLM's renderer in the new image, without a GPU")
        while True:
            result = await in_thread(_probed, host, name, command)
            if result is not None and result.get("up"):
                return Rendered(result, took_s=time.monotonic() - began_s)
            ended = await in_thread(_ended, host, name)
            took_s = time.monotonic() - began_s
            if ended is not None or took_s > within_s:
                tail = await in_thread(host.log, name, tail=60)
                return Rendered(None, ended, tail, took_s)
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await asyncio.shield(in_thread(host.remove, name))


def _probed(host: DockerHost, name: str, command: VllmCommand) -> Mapping[str, Any] | None:
    given = {
        "base": f"http://127.0.0.1:{PORT}",
        "model": command.served_name or "",
        "tool": tool(),
        "arguments": ARGUMENTS,
        "texts": {one.format: one.text for one in CALLS},
        "tools": "--enable-auto-tool-choice" in command.flags,
    }
    for python in ("python3", "python"):
        words = [python, "-I", "-c", _script(), json.dumps(given)]
        try:
            code, output = host.run_inside(name, words)
        except NotRunningError:  # How it ended is looked up next.
            return None
        lines = output.strip().splitlines()
        if code == 0 and lines:
            try:
                found = json.loads(lines[-1])
            except ValueError:
                continue
            return found if isinstance(found, Mapping) else None
    return None


def _script() -> str:
    return files("supervisor.rollout").joinpath("render_probe.py").read_text("utf-8")


def _ended(host: DockerHost, name: str) -> int | None:
    described = host.container(name)
    if described is None:
        return -1
    state = parse_state(name, described)
    return None if state.running else (state.exit_code if state.exit_code is not None else -1)


# --- what it means [pure] -----------------------------------------------------------------------


def findings_of(rendered: Rendered, command: VllmCommand, within_s: float) -> tuple[Finding, ...]:
    """Judge a trial."""
    result = rendered.result
    if result is None:
        return (_did_not_start(rendered, within_s),)
    tools = "--enable-auto-tool-choice" in command.flags
    takes = "tools, calls and their results" if tools else "chats"
    error = str(result.get("error") or "")
    if error and result.get("history") != 200:
        return (
            Finding(
                "template",
                Answer.REFUSED,
                f"the model's template takes {takes}",
                error,
                "Give the engine a template that does: --chat-template FILE.",
            ),
        )
    up = f"it answers after {rendered.took_s:.0f} s"
    findings = [Finding("render", Answer.OK, ASKED, up)]
    if not tools or not command.value("--tool-call-parser"):
        findings.append(
            Finding(
                "parsers",
                Answer.WARNING,
                "tool calls are read",
                "the command does not turn them on",
                "If clients offer tools: --enable-auto-tool-choice --tool-call-parser NAME.",
            )
        )
        return tuple(findings)
    if error:
        why = f"they could not be tried: {error}"
        findings.append(Finding("parsers", Answer.UNKNOWN, "tool calls are read", why))
        return tuple(findings)
    findings.append(_of_parsers(result, str(command.value("--tool-call-parser"))))
    return tuple(findings)


def _did_not_start(rendered: Rendered, within_s: float) -> Finding:
    tail = rendered.log_tail.strip().splitlines()
    why = next((line for line in reversed(tail) if re.search(r"\w*(Error|error):", line)), "")
    why = (why or (tail[-1] if tail else "it wrote nothing")).strip()[:300]
    if _NO_RENDER.search(rendered.log_tail):
        return Finding("render", Answer.UNKNOWN, ASKED, "the image's vLLM has no launch render yet")
    if rendered.exit_code is None:
        return Finding(
            "render",
            Answer.UNKNOWN,
            ASKED,
            f"it does not answer within {within_s:g} s; its last words: {why}",
            "Give it longer: limits.render.",
        )
    gpu = _NEEDS_A_GPU.search(why) and not _USAGE.search(rendered.log_tail)
    answer = Answer.UNKNOWN if gpu else Answer.REFUSED
    return Finding(
        "render",
        answer,
        ASKED,
        f"it ended with exit code {rendered.exit_code}: {why}",
        "Mend the command; the engine itself would end so, too."
        if answer is Answer.REFUSED
        else "",
    )


def _of_parsers(result: Mapping[str, Any], parser: str) -> Finding:
    asked = f"the parser {parser} reads the tool call that the model's own template writes"
    template = result.get("template")
    wanted = [TOOL, ARGUMENTS]
    if isinstance(template, Mapping) and str(ARGUMENTS["a"]) in str(template.get("text")):
        bad = [way for way in ("whole", "streamed") if template.get(way) != wanted]
        if not bad:
            return Finding("parsers", Answer.OK, asked, "it does, whole and streamed")
        came = template.get(bad[0])
        return Finding(
            "parsers",
            Answer.REFUSED,
            asked,
            f"{' and '.join(bad)}: {'no call' if came is None else json.dumps(came)}, of "
            f"{_short(str(template.get('text')))}",
            _reads(result, "Choose the parser of the model's family."),
        )
    formats = result.get("formats") or {}
    read = [name for name, one in formats.items() if one.get("whole") and one.get("streamed")]
    if read:
        return Finding(
            "parsers",
            Answer.OK,
            asked,
            f"it reads calls as {', '.join(read)} writes them; the template writes none to compare",
        )
    return Finding(
        "parsers",
        Answer.UNKNOWN,
        asked,
        "the template writes no call to compare, and none of the known formats is read: "
        + ", ".join(formats),
        "The smoke test after the start will tell.",
    )


def _reads(result: Mapping[str, Any], otherwise: str) -> str:
    formats = result.get("formats") or {}
    read = [name for name, one in formats.items() if one.get("whole")]
    return f"It reads calls as {', '.join(read)} writes them. {otherwise}" if read else otherwise


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 160 else f"{line[:157]}…"
