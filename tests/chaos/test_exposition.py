"""Tests of taking published metrics apart."""

import pytest

from chaos.exposition import Sample, samples


def test_samples_have_names_labels_and_values():
    """Comments and empty lines are none."""
    page = '# HELP a x\n# TYPE a counter\na_total{b="c",d="e f"} 2.0\n\nplain 1e3\n'
    assert list(samples(page)) == [
        Sample("a_total", {"b": "c", "d": "e f"}, 2.0),
        Sample("plain", {}, 1000.0),
    ]


def test_a_label_may_hold_anything():
    """Braces, commas and quotes are part of addresses and of error texts."""
    (sample,) = samples('x{api_base="http://h/{a}",m="say \\"hi\\", you"} 1')
    assert sample.labels == {"api_base": "http://h/{a}", "m": 'say \\"hi\\", you'}


@pytest.mark.parametrize("line", ["a NaN", "a +Inf", "a{b} x", "{} 1", "a", "# a 1"])
def test_what_says_nothing_is_left_out(line):
    """A page of somebody's own is no reason to fail."""
    assert list(samples(line)) == []
