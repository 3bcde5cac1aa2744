"""Names of faults as people write them."""

import pytest

from chaos.faults.fault import FaultName


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("billing", FaultName("billing")),
        ("billing.once", FaultName("billing", None, True)),
        ("rate_limit.retry_after_20", FaultName("rate_limit", "retry_after_20")),
        ("rate_limit.retry_after_20.once", FaultName("rate_limit", "retry_after_20", True)),
    ],
)
def test_a_name_is_taken_apart_and_written_as_it_was(text, name):
    """The scenario key carries the text, so it has to survive the round trip."""
    assert FaultName.parse(text) == name
    assert str(name) == text


def test_once_in_the_middle_is_a_variant_not_a_wish():
    """Only the last part says how often."""
    assert not FaultName.parse("a.once.b").once
