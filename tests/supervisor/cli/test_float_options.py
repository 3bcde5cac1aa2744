"""No command takes infinity, or what is not a number, for a number."""

import inspect
from collections.abc import Iterator
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner

from supervisor.cli.gateway_options import finite
from supervisor.cli.main import app


def float_options(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Walk over every command for the options that take a fraction; gives what to type."""
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from float_options(inner.typer_instance, (*path, str(inner.name)))
    for command in group.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        for parameter in inspect.signature(command.callback).parameters.values():
            taken, *more = get_args(parameter.annotation) or (None,)
            if float in (taken, *get_args(taken)):
                (option,) = more
                yield (*path, name, *(option.param_decls or [_spelled(parameter.name)]))


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"


OPTIONS = list(float_options(app))


def test_the_walk_finds_options():
    """Else nothing would be looked at."""
    expected = {("drill", "--deadline"), ("lab", "--start-within"), ("alerts", "test", "--within")}
    assert expected <= set(OPTIONS)


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inf", "is not a finite number"),
        ("1e999", "is not a finite number"),
        # The least value of an option refuses this one by itself.
        ("nan", "Input should be greater than or equal to"),
    ],
)
def test_every_option_refuses_what_is_no_number(words, text, message):
    """A wait without an end is never over, and no comparison with nan holds."""
    ended = CliRunner().invoke(app, [*words, text])
    assert ended.exit_code == 2
    assert words[-1] in ended.output
    assert message in ended.output


def test_numbers_and_what_is_not_given_pass():
    """Most options have no value."""
    assert finite(None) is None
    assert finite(0.5) == 0.5
