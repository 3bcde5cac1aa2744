"""Tables of the documentation, made from the registries, so that they cannot drift.

``make docs`` writes them between ``<!-- table: NAME -->`` and ``<!-- end -->``. To add one: a
function that yields rows of cells, and its line in ``TABLES``.
"""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from chaos.drill.report import DrillReport
from chaos.faults.kinds import FAULTS, variants_of
from chaos.judge.check import MEANINGS, Kind
from chaos.judge.checks import CHECKS
from chaos.lab.setups import SETUPS
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.traffic.clients import CLIENTS
from chaos.traffic.shapes import SHAPES
from docs.metrics_table import metrics
from docs.settings_table import settings
from supervisor.audit.report import AuditReport
from supervisor.audit.rules import AUDITS
from supervisor.coverage.ledger import MEANINGS as STATE_MEANINGS
from supervisor.coverage.ledger import PathState

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- table: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)

Rows = Iterator[tuple[str, ...]]


def failures() -> Rows:
    """Kinds that make a drill fail, in the order of precedence."""
    yield ("kind", "it means")
    yield from ((code(k), MEANINGS[k]) for k in Kind if not k.is_reason)


def reasons() -> Rows:
    """Kinds that say why nothing could be told."""
    yield ("reason", "it means")
    yield from ((code(k), MEANINGS[k]) for k in Kind if k.is_reason)


def faults() -> Rows:
    """Ways to fail, with their variants and where they apply."""
    yield ("fault", "what the upstream does", "variants")
    for name, fault in FAULTS.items():
        only = [
            limit
            for limit, holds in (
                ("streams only", fault.streams_only),
                ("tool calls only", fault.tools_only),
                ("not for embeddings", fault.chats_only),
            )
            if holds
        ]
        limits = f" *({', '.join(only)})*" if only else ""
        variants = ", ".join(code(variant) for variant in variants_of(name))
        yield (code(name), fault.summary + limits, variants)


def shapes() -> Rows:
    """Kinds of requests."""
    yield ("shape", "what is asked", "surfaces")
    for name, shape in SHAPES.items():
        here = [code(surface) for surface in SURFACES if surface in shape.surfaces]
        yield (code(name), shape.summary, ", ".join(here))


def clients() -> Rows:
    """Clients that people use, and what they send."""
    yield ("client", "how it asks", "surfaces", "parameters", "unconfirmed")
    for name, client in CLIENTS.items():
        lists = (client.surfaces, client.parameters, client.unconfirmed)
        yield (code(name), client.summary, *(", ".join(map(code, names)) for names in lists))


def surfaces() -> Rows:
    """Endpoints of the gateway."""
    yield ("surface", "endpoint", "streams")
    for name, surface in SURFACES.items():
        yield (code(name), code(f"POST {surface.path}"), "yes" if surface.streams else "no")


def checks() -> Rows:
    """What is judged."""
    yield ("check", "what holds if it passes")
    yield from ((code(check.name), check.summary) for check in CHECKS)


def dialects() -> Rows:
    """Providers by their prefix in LiteLLM."""
    yield ("dialect", "LiteLLM's provider prefixes")
    for name, dialect in DIALECTS.items():
        yield (code(name), ", ".join(code(prefix) for prefix in sorted(dialect.providers)))


def audits() -> Rows:
    """What an audit finds."""
    yield ("audit", "what it does")
    for audit in AUDITS:
        first = (audit.__doc__ or "").strip().splitlines()[0].replace("``", "`")
        yield (code(audit.__name__), first)


def setups() -> Rows:
    """Labs to try Understudy on."""
    yield ("set-up", "what it is")
    yield from ((code(name), setup.summary) for name, setup in SETUPS.items())


def states() -> Rows:
    """States of a path, the worst first."""
    yield ("state", "it means")
    yield from ((code(state.value), STATE_MEANINGS[state]) for state in PathState)


def packages() -> Rows:
    """Packages in the order in which they may import each other, with what each is about."""
    yield ("package", "it is about")
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    for contract in contracts["contracts"]:
        if contract["type"] != "layers":
            continue
        (root,) = contract["containers"]
        for layer in reversed(contract["layers"]):
            for name in layer.split(" | "):
                doc = (import_module(f"{root}.{name}").__doc__ or "").strip().splitlines()[0]
                yield (code(f"{root}/{name}"), doc.replace("``", "`"))


TABLES: Mapping[str, Callable[[], Rows]] = {
    table.__name__: table
    for table in (
        failures,
        reasons,
        faults,
        shapes,
        clients,
        surfaces,
        checks,
        dialects,
        audits,
        setups,
        states,
        settings,
        metrics,
        packages,
    )
}


def code(text: str) -> str:
    """Write *text* as code."""
    return f"`{text}`"


def markdown(rows: Rows) -> str:
    """Write rows of cells, header first, as a Markdown table."""
    header, *body = (tuple(cell.replace("|", "\\|") for cell in row) for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, ("---",) * len(header), *body))


def current(text: str) -> str:
    """Write every marked table of *text* anew.

    Raises:
        KeyError: A block names a table that does not exist.
    """
    return BLOCK.sub(lambda m: m[1] + markdown(TABLES[m[2]]()) + m[3], text)


def pages(root: Path = ROOT) -> list[Path]:
    """List every page of the repository; any of them may hold tables."""
    folders = ("config", "deploy", "docs", "tests")
    inside = (page for folder in folders for page in (root / folder).rglob("*.md"))
    return [*sorted(root.glob("*.md")), *sorted(inside)]


PUBLISHED: Mapping[str, type[BaseModel]] = {
    "drill-report-1.json": DrillReport,
    "audit-report-1.json": AuditReport,
}
"""The schemas that others validate by, in ``docs/schemas``."""


def schema_of(model: type[BaseModel]) -> str:
    """Write the JSON schema of a report."""
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    return json.dumps(schema, indent=2) + "\n"


def main() -> None:
    """Bring every page up to date, and name those that changed."""
    for page in pages():
        old = page.read_text("utf-8")
        new = current(old)
        if new != old:
            page.write_text(new, "utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}: tables written\n")
    for name, model in PUBLISHED.items():
        path, text = ROOT / "docs" / "schemas" / name, schema_of(model)
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}: schema written\n")


if __name__ == "__main__":
    main()
