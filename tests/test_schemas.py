"""The published schemas of reports are those of the code."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from chaos.drill.report import DrillReport
from supervisor.audit.report import AuditReport

SCHEMAS = Path(__file__).parents[1] / "docs" / "schemas"
PUBLISHED: dict[str, type[BaseModel]] = {
    "drill-report-1.json": DrillReport,
    "audit-report-1.json": AuditReport,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_schema_is_the_model_s(name):
    """Others validate what they parse; run `make docs` after a change of the report."""
    model = PUBLISHED[name]
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    assert json.loads((SCHEMAS / name).read_text("utf-8")) == schema
