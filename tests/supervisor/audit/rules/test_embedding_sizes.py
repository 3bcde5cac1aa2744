"""Vectors of another size fit no index, and nobody asks for embeddings of a fallback by hand."""

import pytest

from supervisor.audit.rules.embedding_sizes import embedding_sizes_differ
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


def found(own, other):
    """What is wrong when the group's vectors and its fallback's have these sizes."""
    groups = {
        "embed": group("embed", mode="embedding", vector_size=own),
        "local": group("local", mode="embedding", vector_size=other),
    }
    return list(embedding_sizes_differ(audited({"embed": ["local"]}, groups=groups)))


def test_another_size_is_an_error():
    """It is known without a request."""
    (finding,) = found(1536, 768)
    assert brief([finding]) == [("embedding_sizes_differ", "error", "embed")]
    assert "1,536" in finding.message
    assert "768" in finding.message


@pytest.mark.parametrize(("own", "other"), [(768, 768), (None, 768), (768, None)])
def test_equal_and_unknown_sizes_are_not_told(own, other):
    """Null means unknown, never none."""
    assert found(own, other) == []
