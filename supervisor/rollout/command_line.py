"""Read vLLM's command line, however it is started. Pure.

    vllm serve MODEL --max-model-len 8192         the image's entrypoint, or a command
    python3 -m vllm.entrypoints.openai.api_server --model MODEL
    bash -c "exec vllm serve MODEL ..."           as launch scripts and recipes do

Flags are named as vLLM's help does: ``--tool_call_parser``, ``-tp`` and ``--max-model-len=1`` are
other ways to write one.
"""

import json
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.registry import suggestion
from supervisor.rollout.container_spec import SAME

SHORT = {
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-dp": "--data-parallel-size",
    "-dcp": "--decode-context-parallel-size",
    "-q": "--quantization",
    "-cc": "--compilation-config",
    "-sc": "--speculative-config",
    "-ac": "--attention-config",
}
"""Source: vLLM 0.32.0, ``vllm serve --help=all``."""

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash"})
_ENDS = frozenset({"&&", "||", ";", "|", "&", ">", ">>", "2>&1", "<"})
_SERVER = re.compile(r"^vllm\.entrypoints\.(openai\.)?(api_server|cli\.main)$")
_SECRET_ENDS = frozenset({"key", "keys", "token", "apikey", "auth"})
"""Last parts of a secret's name; that of ``--return-token-ids`` is another one."""

_SECRET_PARTS = frozenset(
    {"secret", "password", "passwd", "passphrase", "credential", "credentials", "authorization"}
)
_IN_TEXT = re.compile(r"(--[\w-]+)([= ]\s*)('[^']*'|\"[^\"]*\"|[^\s'\"]+)")
_SAME_IN_TEXT = re.compile(rf"(--[\w-]+)([= ]\s*)'?{re.escape(SAME)}'?")


@dataclass(frozen=True, slots=True)
class VllmCommand:
    """What a container's words say to vLLM.

    Attributes:
        model: The positional argument, or ``--model``.
        flags: By name with its dashes; without a value: the empty tuple.
        order: The words from the first of vLLM's own on, as they were written.
        before: The words that start it.
    """

    model: str | None = None
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    def value(self, flag: str) -> str | None:
        """Get the value of a flag; None where it is not given, or has none."""
        values = self.flags.get(flag, ())
        return values[0] if values else None

    @property
    def served_name(self) -> str | None:
        """What clients ask for, as far as the flags say: the first name, else the model."""
        return self.value("--served-model-name") or self.model


def read_command(words: Sequence[str]) -> VllmCommand | None:
    """Read entrypoint and command together; None if they do not start vLLM."""
    return _direct(list(words)) or _direct(_inside_shell(list(words)))


def _direct(words: list[str]) -> VllmCommand | None:
    for place, word in enumerate(words):
        name = word.rsplit("/", 1)[-1]
        if name == "vllm" and place + 1 < len(words) and words[place + 1] == "serve":
            return _read(words[: place + 2], words[place + 2 :])
        if _SERVER.match(word) and words[place - 1 : place] == ["-m"]:
            rest = words[place + 1 :]
            skip = 1 if rest[:1] == ["serve"] else 0
            return _read(words[: place + 1 + skip], rest[skip:])
    return None


def _inside_shell(words: list[str]) -> list[str]:
    """Take the command out of ``bash -c "..."``, also behind a program that starts the shell."""
    for place, word in enumerate(words[:-1]):
        if word.rsplit("/", 1)[-1] in _SHELLS:
            for later in range(place + 1, len(words) - 1):
                if re.fullmatch(r"-[a-z]*c", words[later]):
                    return _server_of(_shell_words(words[later + 1]))
                if not words[later].startswith("-"):
                    break
    return words


def _shell_words(text: str) -> list[str]:
    """Read a shell's text: a line that ends with a backslash goes on, any other ends a command."""
    joined = text.replace("\\\n", " ")
    words: list[str] = []
    try:
        for line in joined.splitlines():
            words += [*shlex.split(line, comments=True), ";"]
    except ValueError:
        # A quote that spans lines.
        try:
            return shlex.split(joined, comments=True)
        except ValueError:
            return []
    return words


def _server_of(words: list[str]) -> list[str]:
    """Cut a shell's words at what ends a command; keep the part that starts vLLM."""
    part: list[str] = []
    for word in [*words, ";"]:
        # shlex leaves a semicolon at the word before it.
        if not (word in _ENDS or word.endswith(";") or re.match(r"^\d?>", word)):
            part.append(word)
            continue
        if word not in _ENDS and not re.match(r"^\d?>", word):
            part.append(word.rstrip(";"))
        if _direct(part) is not None:
            return part
        part = []
    return words


def _segments(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Take words apart: a flag as it is written and its values; no flag: positional words."""
    flag, values = "", list[str]()
    for word in words:
        if _is_flag(word):
            yield flag, values
            flag, values = word, []
            if "=" in word:
                # Whatever follows is no value of it.
                yield flag, []
                flag, values = "", []
        else:
            values.append(word)
    yield flag, values


def _read(before: Sequence[str], words: Sequence[str]) -> VllmCommand:
    flags: dict[str, tuple[str, ...]] = {}
    positional: list[str] = []
    for written, values in _segments(words):
        if not written:
            positional += values
            continue
        name, equals, value = written.partition("=")
        if re.fullmatch(r"-O\d", name):
            flags["--compilation-config"] = (name[2:],)
        else:
            flags[canonical(name)] = (value,) if equals else tuple(values)
    model = positional[0] if positional else None
    return VllmCommand(
        model or (flags.get("--model") or (None,))[0], flags, tuple(words), tuple(before)
    )


def _is_flag(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not re.match(r"^-\d|^-\.\d", word)


def canonical(flag: str) -> str:
    """Name a flag as vLLM's help does; what follows a dot is a field of its value."""
    if flag in SHORT:
        return SHORT[flag]
    if not flag.startswith("--"):
        return flag
    name, dot, inside = flag.partition(".")
    return name.replace("_", "-") + dot + inside


def unknown_flags(command: VllmCommand, known: Iterable[str]) -> list[tuple[str, str]]:
    """List the flags that the package does not have, each with a suggestion."""
    names = set(known)
    found = []
    for flag in command.flags:
        base = flag.partition(".")[0]
        positive = "--" + base.removeprefix("--no-") if base.startswith("--no-") else base
        if {base, positive} & names or base in ("-h", "--help", "--model"):
            continue
        # argparse takes a beginning that only one flag has.
        if base.startswith("--") and sum(name.startswith(base) for name in names) == 1:
            continue
        found.append((flag, suggestion(base, sorted(names - {"-h"}))))
    return found


def is_secret(name: str) -> bool:
    """Tell whether a flag, a variable or an option of this name holds what must not be shown."""
    parts = [
        part.lower()
        for part in re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", name)
        if part and not part.isdigit()
    ]
    parts = parts[:-1] if parts[-1:] == ["id"] else parts
    return bool(parts) and (parts[-1] in _SECRET_ENDS or bool(_SECRET_PARTS & {*parts}))


def hidden(words: Iterable[str], by: str) -> Iterator[str]:
    """Put *by* in the place of each value that must not be shown, also inside a shell's text."""
    flag = ""
    for word in words:
        name, equals, _ = word.partition("=")
        if " " in word and "--" in word:
            yield _IN_TEXT.sub(lambda found: _masked(found, by), word)
        elif word.startswith("-") and len(word) > 1:
            flag = "" if equals else word
            yield f"{name}={by}" if equals and is_secret(name) else word
        elif equals and re.fullmatch(r"[A-Za-z_]\w*", name) and is_secret(name):
            yield f"{name}={by}"
        else:
            yield by if flag and is_secret(flag) else word


def _masked(found: re.Match[str], by: str) -> str:
    flag, between, _ = found.groups()
    return f"{flag}{between}{shlex.quote(by)}" if is_secret(flag) else found[0]


def shown(flag: str, values: Sequence[str]) -> str:
    """Write a flag's value for people: secrets are hidden, and a flag without one is on."""
    if is_secret(flag):
        return "(hidden)"
    return " ".join(values) if values else "on"


def same_value(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two values mean the same: JSON may be written in many ways."""
    return [_parsed(each) for each in one] == [_parsed(each) for each in other]


def _parsed(text: str) -> Any:
    if text[:1] in "{[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def without_flags(command: VllmCommand, flags: Collection[str]) -> tuple[str, ...]:
    """Write a command's flags again, in their order, without some of them and without the model."""
    words: list[str] = []
    for written, values in _segments(command.order):
        if written and canonical(written.partition("=")[0]) not in flags:
            words += [written, *values]
    return tuple(words)


def with_running_values(words: Sequence[str], running: VllmCommand | None) -> tuple[str, ...]:
    """Put the running container's values where a command has '<as running>'.

    Raises:
        ValueError: The running one has no value for such a flag.
    """

    def known(flag: str, place: int) -> str:
        values = running.flags.get(canonical(flag), ()) if running is not None else ()
        if place >= len(values):
            raise ValueError(f"the running container has no value for {canonical(flag) or SAME}")
        return values[place]

    taken: list[str] = []
    flag, place = "", 0
    for word in words:
        name, equals, value = word.partition("=")
        if word == SAME:
            taken.append(known(flag, place))
            place += 1
        elif equals and value == SAME:
            taken.append(f"{name}={known(name, 0)}")
        elif SAME in word:
            taken.append(
                _SAME_IN_TEXT.sub(
                    lambda found: f"{found[1]}{found[2]}{shlex.quote(known(found[1], 0))}", word
                )
            )
        else:
            taken.append(word)
            flag, place = (word, 0) if word.startswith("-") else (flag, place + 1)
    return tuple(taken)
