"""What an upstream does, as data."""

from chaos.faults.script import Head, Reset, Script, Send


def test_the_status_of_a_script_is_that_of_its_head():
    """A reset before any head has none."""
    assert Script((Head(429), Send(b"x"))).status == 429
    assert Script((Reset(),)).status is None
