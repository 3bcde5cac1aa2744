"""docs/security.md: every claim has a test, every test that it names exists, numbers are true."""

import ast
import re
from pathlib import Path

import pytest

from chaos.witness import bounded_server, request
from supervisor.settings.model import Settings
from supervisor.web.application import LONGEST_BODY_BYTES
from tests.security.test_strangers import MOST_MB, STRANGERS

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "security.md").read_text("utf-8")
FEWEST_CLAIMS = 50
NOT_DEFENDED = "## What is not defended against"


def tables(header: str) -> list[list[str]]:
    """List the rows of every table of the page with this header, as cells."""
    found = re.findall(rf"(?m)^\| {header}\|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE)
    return [[c.strip() for c in row.strip("|").split("|")] for t in found for row in t.splitlines()]


CLAIMS = tables("claim ")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[0][:60])
def test_every_claim_names_tests_that_exist(claim: list[str]):
    """A claim without a test is a wish; a test that was renamed takes the claim with it."""
    words, proofs = claim
    assert words.endswith(".")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", proofs)
    assert ", ".join(f"`{file}::{test}`" for file, test in named) == proofs != ""
    for file, test in named:
        tree = ast.parse((REPOSITORY / file).read_text("utf-8"))
        tests = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert test in tests, f"{file} has no {test}"


def test_nothing_is_claimed_outside_of_the_tables():
    """Every section but those that explain holds a table of claims, and all were found."""
    assert len(CLAIMS) >= FEWEST_CLAIMS
    told, _, _ = PAGE.partition(NOT_DEFENDED)
    sections = re.split(r"(?m)^## ", told)[2:]
    assert [one.splitlines()[0] for one in sections if "\n| claim |" not in one] == []
    assert told.count(" | `tests/") == len(CLAIMS)


def test_the_bounds_are_those_of_the_code():
    """Numbers on a page age."""
    numbers = [re.findall(r"\d+", " ".join(row[1:])) for row in tables("bound ")]
    head = [bounded_server.MOST_HEADER_BYTES, bounded_server.MOST_HEAD_BYTES]
    expected = [
        [bounded_server.MOST_CONNECTIONS] * 2,
        [int(bounded_server.IDLE_S)] * 2,
        head * 2,
        [request.MOST_REQUEST_BYTES, LONGEST_BODY_BYTES],
        [request.MOST_UNKEYED_BYTES, bounded_server.MOST_UNPROVEN],
        [int(request.BODY_WITHIN_S)] * 2,  # one constant
    ]
    assert numbers == [[str(one) for one in row] for row in expected]
    assert f"less than {MOST_MB} MB beyond what is in use, measured with {STRANGERS} con" in PAGE


def test_both_ports_are_loopback_by_default():
    """Nobody is exposed by not having read the documentation."""
    settings = Settings()
    assert settings.web.listen == ("127.0.0.1:8940",)
    assert settings.witness.listen == ("127.0.0.1:8941",)
