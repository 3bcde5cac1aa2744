"""Events with fields: readable on a terminal, JSON everywhere else."""

import io
import json

import pytest
import structlog

from supervisor.log import configure


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored():
    """Leave the log of the tests as it was."""
    yield
    structlog.reset_defaults()


def test_everywhere_but_on_a_terminal_a_line_is_json():
    """With the event, its fields, its level and its time in UTC."""
    stream = io.StringIO()
    configure(stream)
    structlog.get_logger().info("drill.ended", drill="d1", took_s=0.5)
    (line,) = stream.getvalue().splitlines()
    written = json.loads(line)
    assert written.pop("timestamp").endswith("Z")
    assert written == {"event": "drill.ended", "level": "info", "drill": "d1", "took_s": 0.5}


def test_on_a_terminal_it_is_for_people():
    """No JSON."""
    stream = Terminal()
    configure(stream)
    structlog.get_logger().info("drill.ended", drill="d1")
    assert "drill.ended" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_keys_are_masked(stream: io.StringIO):
    """In every field, and in a traceback."""
    configure(stream)
    key = "sk-ant-" + "a1" * 20
    structlog.get_logger().warning("gateway.away", why=f"it said {key}")
    structlog.get_logger().error("path.broken", exc_info=ValueError(key))
    assert "path.broken" in stream.getvalue()
    assert key not in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_one_event_is_one_line_and_commands_no_terminal(stream: io.StringIO):
    """Neither a line that looks like another event, nor a code, comes from what others say."""
    configure(stream)
    said = ('no\r\n{"event": "drill.ended"}\x1b]0;owned\x07', "\x1b]0;owned\x07")
    for text in said:
        structlog.get_logger().warning("gateway.away", why=text)
    written = stream.getvalue()
    assert len(written.splitlines()) == written.count("owned") == len(said)
    assert "\x1b]" not in written
    assert "\x07" not in written


class Gone(io.StringIO):
    """Nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_log_that_nobody_reads_ends_no_daemon():
    """What cannot be written is left out."""
    configure(Gone())
    structlog.get_logger().info("drill.ended", drill="d1")
