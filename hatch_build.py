"""Put into the wheel what the daemon shows of the documentation, and a bill of materials.

The bill is in `*.dist-info/sboms/`, CycloneDX, as PEP 770 has it.

A wheel names ranges; the bill holds what it was tested with: every runtime dependency and what
those need, at the versions of requirements-dev.txt.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.utils import get_reproducible_timestamp
from packageurl import PackageURL

BILL = "build/understudy.cdx.json"


SHOWN = "supervisor/web/page/docs"


class WheelExtras(BuildHookInterface):
    """Runs while a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have both packed; an editable install needs neither."""
        if version == "editable":
            return
        for page in sorted(Path(self.root, "docs").glob("*.md")):
            build_data["force_include"][str(page)] = f"{SHOWN}/{page.name}"
        file = Path(self.root, BILL)
        file.parent.mkdir(exist_ok=True)
        file.write_text(bill(Path(self.root), self.metadata.version), "utf-8")
        build_data["sbom_files"].append(BILL)


def bill(root: Path, version: str) -> str:
    """Write the bill of *version*; the same sources give the same bill."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    locked = dict(_locked((root / "requirements-dev.txt").read_text("utf-8")))
    direct = {_normal(re.split(r"[<>=!~\[; ]", one)[0]) for one in project["dependencies"]}
    own = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=version,
        bom_ref=project["name"],
        purl=PackageURL("pypi", name=project["name"], version=version),
    )
    needed = {name: _component(name, locked[name][0]) for name in _closure(direct, locked)}
    made = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"{own.purl}"),
        components=needed.values(),
        metadata=BomMetaData(
            component=own, timestamp=datetime.fromtimestamp(get_reproducible_timestamp(), UTC)
        ),
    )
    made.register_dependency(own, [needed[name] for name in direct])
    for name, component in needed.items():
        made.register_dependency(
            component, [other for key, other in needed.items() if name in locked[key][1]]
        )
    return make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def _component(name: str, version: str) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    return Component(name=name, version=version, bom_ref=name, purl=purl)


def _locked(text: str) -> Iterator[tuple[str, tuple[str, frozenset[str]]]]:
    """Yield each locked package with its version and the packages that need it."""
    for name, version, via in re.findall(r"(?m)^([\w.-]+)==(\S+)((?:\n    #.*)*)", text):
        needs_it = re.findall(r"(?m)^    #\s+(?:via )?([\w.-]+)$", via)
        yield _normal(name), (version, frozenset(map(_normal, needs_it)))


def _closure(direct: set[str], locked: dict[str, tuple[str, frozenset[str]]]) -> list[str]:
    """List *direct* and everything that they need, and so on."""
    found = set(direct)
    while more := {name for name, (_, via) in locked.items() if via & found} - found:
        found |= more
    return sorted(found)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
