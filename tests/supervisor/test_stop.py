"""A signal ends a command in order, and says so with its exit code."""

import asyncio
import os
import signal

import pytest

from supervisor.stop import Stop, run


def send(number: int = signal.SIGTERM) -> None:
    """Send a signal to this process, as a terminal or systemd would."""
    os.kill(os.getpid(), number)


def test_a_command_that_ends_by_itself_keeps_its_code():
    """Without a signal nothing is added."""

    async def command(_: Stop) -> int:
        return 3

    assert run(command) == 3


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_cancels_a_command_through_its_finally(number: int, code: int):
    """What it holds is let go, and the shell learns which signal it was."""
    let_go = []

    async def command(_: Stop) -> int:
        try:
            send(number)
            await asyncio.Event().wait()
        finally:
            let_go.append(True)
        return 0

    assert run(command) == code
    assert let_go == [True]


def test_a_command_may_have_a_code_of_its_own_for_it():
    """Drills that were broken off end with 4, not with a signal's number."""

    async def command(_: Stop) -> int:
        send()
        await asyncio.Event().wait()
        return 0

    assert run(command, stopped=4) == 4


def test_a_command_that_watches_is_not_cancelled_by_the_first_signal():
    """It still has something to report."""

    async def command(stop: Stop) -> int:
        stop.watched()
        send()
        await stop.event.wait()
        await asyncio.sleep(0)
        return 7

    assert run(command, stopped=4) == 7


def test_a_second_signal_cancels_in_any_case():
    """Who presses Ctrl-C twice does not wait for a report."""

    async def command(stop: Stop) -> int:
        stop.watched()
        send()
        await stop.event.wait()
        send()
        await asyncio.Event().wait()
        return 7

    assert run(command, stopped=4) == 4


def test_afterwards_signals_mean_what_they_meant_before():
    """No handler of ours outlives the command."""

    async def command(_: Stop) -> int:
        return 0

    before = signal.getsignal(signal.SIGTERM)
    run(command)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("meaning", "options"),
    [(signal.SIG_IGN, {}), (signal.default_int_handler, {"ends_at_hangup": False})],
    ids=["nohup", "means something else"],
)
def test_a_hangup_that_means_something_else_is_left_alone(meaning, options):
    """A command under nohup outlives its terminal, and the daemon reads its configuration."""
    before = signal.signal(signal.SIGHUP, meaning)
    try:

        async def command(_: Stop) -> int:
            return 0 if signal.getsignal(signal.SIGHUP) is meaning else 1

        assert run(command, **options) == 0
        assert signal.getsignal(signal.SIGHUP) is meaning
    finally:
        signal.signal(signal.SIGHUP, before)
