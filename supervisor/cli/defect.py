"""Tell of a defect of Understudy itself, so that it can be reported and shows no secret.

Errors quote what they were about, keys and prompts included: only their kind and the frames are
shown. Of the command only its name is, because its options name hosts and files.
"""

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import typer
from rich.text import Text

from chaos.errors import UnderstudyError
from supervisor.cli.console import complain, err
from supervisor.cli.version import installed_version


@dataclass(frozen=True, slots=True)
class Invoked:
    """Which command was called.

    Attributes:
        name: Such as ``understudy store check``.
        options: That it takes.
    """

    name: str
    options: frozenset[str]

    @classmethod
    def of(cls, app: typer.Typer, arguments: Sequence[str]) -> Self:
        """Find it; the options of groups take no values, so that names are what is left."""
        command = typer.main.get_command(app)
        name = "understudy"
        for argument in arguments:
            inner = getattr(command, "commands", {}).get(argument)
            if inner is not None:
                command, name = inner, f"{name} {argument}"
            elif not argument.startswith("-"):
                break
        options = frozenset(text for parameter in command.params for text in parameter.opts)
        return cls(name, options)

    def has(self, option: str) -> bool:
        """Tell whether it takes *option*."""
        return option in self.options


def tell(error: Exception, command: str) -> None:
    """Print what is needed to report *error*, on stderr."""
    for each in _all(error):
        for line in "".join(traceback.format_tb(each.__traceback__)).splitlines():
            err.print(Text(line, "dim"), soft_wrap=True)
    kinds = ", ".join(
        dict.fromkeys(
            type(each).__name__ for each in _all(error) if not isinstance(each, BaseExceptionGroup)
        )
    )
    complain(
        UnderstudyError(
            f"{command} broke off by a defect of Understudy: {kinds}",
            remedy="Please report it where you got Understudy from, with the lines above and:\n"
            f"understudy {installed_version()}, command: {command}\n"
            "They hold neither your options nor what the error says, which may quote a key.",
        )
    )


def _all(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and all that it is a group of, as far as they can be told."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _all(inner)
