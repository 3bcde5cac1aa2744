"""``understudy faults``, ``shapes``, ``clients`` and ``checks`` list what the registries hold."""

import json

import pytest

from chaos.faults.kinds import FAULTS
from chaos.judge.checks import CHECKS
from chaos.traffic.clients import CLIENTS
from chaos.traffic.shapes import SHAPES

REGISTRIES = {
    "faults": list(FAULTS),
    "shapes": list(SHAPES),
    "clients": list(CLIENTS),
    "checks": [check.name for check in CHECKS],
}


@pytest.mark.parametrize("command", REGISTRIES)
def test_json_lists_every_entry_with_its_summary(invoke, command):
    """A plugin that is registered is listed, in the registry's order."""
    ended = invoke(command, "--format", "json")
    rows = json.loads(ended.out)
    assert [row["name"] for row in rows] == REGISTRIES[command]
    assert all(row["summary"] for row in rows)


@pytest.mark.parametrize("columns", [60, 120])
@pytest.mark.parametrize("command", REGISTRIES)
def test_the_table_breaks_no_name(invoke, command, columns):
    """Names can be copied from terminals of any width."""
    shown = invoke(command, COLUMNS=str(columns)).out
    assert set(REGISTRIES[command]) <= {line.split(" ")[0] for line in shown.splitlines()}
    assert max(map(len, shown.splitlines())) <= columns


def test_variants_are_listed_with_their_fault(invoke):
    """Nobody has to read the source to write ``rate_limit.retry_after_20``."""
    rows = {row["name"]: row for row in json.loads(invoke("faults", "--format", "json").out)}
    assert "retry_after_20" in rows["rate_limit"]["variants"]
    assert rows["hang"]["phase"]


def test_a_client_s_facts_come_with_their_sources(invoke):
    """Anyone can look up why a drill asks as it does, and what is a guess."""
    rows = {row["name"]: row for row in json.loads(invoke("clients", "--format", "json").out)}
    thinking = rows["claude_code"]["parameters"]["messages"]["thinking"]
    assert thinking["value"]["budget_tokens"] == 31_999
    assert "BerriAI/litellm" in thinking["source"]
    assert rows["hermes"]["headers"]["User-Agent"]["unconfirmed"] is True
    assert "unconfirmed: User-Agent" in invoke("clients").out
