"""The published schemas of reports are those of the code."""

import pytest

from docs.tables import PUBLISHED, ROOT, schema_of


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_schema_is_the_model_s(name):
    """Others validate what they parse; run `make docs` after a change of the report."""
    assert (ROOT / "docs" / "schemas" / name).read_text("utf-8") == schema_of(PUBLISHED[name])
