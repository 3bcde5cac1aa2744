"""The harness of the benchmarks, with tiny counts: that it runs and measures what it says."""

import re

import pytest

from benchmarks import drills, load, memory, strangers, witness
from benchmarks.http_reply import is_whole
from benchmarks.latency import percentile


@pytest.fixture(autouse=True)
def own_generator(monkeypatch):
    """Machines differ in whether they have wrk; the test is the same on all."""
    monkeypatch.setattr(load, "has_wrk", lambda: False)


def test_the_witness_does_the_work_that_is_measured(capsys):
    """Every request of one kind is faulted, every one of the other is passed through."""
    witness.run(seconds=0.2, requests=2, rounds=1, with_mitmproxy=False)
    printed = capsys.readouterr().out
    ((faulted, passed),) = re.findall(r"^witness +(\d+) +\d+ +(\d+) ", printed, re.MULTILINE)
    assert int(faulted) > 0
    assert int(passed) > 0
    assert "did not do the work" not in printed


def test_drills_are_measured_one_at_a_time_and_four_at_a_time(capsys):
    """All of them pass, so that what is measured is a drill and not an error."""
    drills.run(drills=5, lab=False)
    printed = capsys.readouterr().out
    assert printed.count("(5 passed, 0 failed, 0 inconclusive)") == 2
    assert "besides the gateway's own time" in printed
    assert "lanes busy" in printed


def test_strangers_change_no_verdict(capsys):
    """The same drills pass in peace and beside a flood."""
    strangers.run(connections=50, drills=5)
    printed = capsys.readouterr().out
    assert "5 drills beside 0 hostile connections: 5 passed, 0 failed, 0 inconclusive" in printed
    assert "5 drills beside 50 hostile connections: 5 passed, 0 failed, 0 inconclusive" in printed


def test_memory_is_that_of_the_command(capsys):
    """The peak is more than the imports alone, and the drills did run."""
    memory.run(scenarios=2, lab=False)
    printed = capsys.readouterr().out
    imports, peak = (int(number) for number in re.findall(r"(\d+) MB$", printed, re.MULTILINE))
    assert peak > imports > 10
    assert "3 requests" in printed  # one of them to see how fast the gateway is


@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        (b"HTTP/1.1 429 X\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 429 X\r\nContent-Length: 2\r\n\r\n{", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", False),
        (b"HTTP/1.1 200 OK\r\n", False),
    ],
)
def test_a_reply_is_whole_at_its_end(reply, whole):
    """A reply that is counted too early would make its server look fast."""
    assert is_whole(reply) is whole


def test_a_percentile_is_one_of_the_values():
    """Half of them lie below the fiftieth, and the last is at most the greatest."""
    assert percentile([4, 1, 3, 2], 50) == 3
    assert percentile([4, 1, 3, 2], 100) == 4
