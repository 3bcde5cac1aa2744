"""The example of ``docs/library.md`` runs as it stands, and is as short as it says."""

import re
from functools import partial

from chaos.rehearsal import Rehearsal
from docs.tables import ROOT
from tests.fakes.whole_gateway import whole_gateway

PAGE = (ROOT / "docs" / "library.md").read_text("utf-8")
MOST_LINES = 10


async def test_the_example_drills_the_smoke_profile(monkeypatch, capsys):
    """Three imports and seven lines show a verdict for each scenario."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= MOST_LINES
    names: dict[str, object] = {}
    exec(compile(code, "docs/library.md", "exec"), names)
    async with whole_gateway() as (gateway, witness):
        opened = partial(Rehearsal.opened, witness=witness)
        monkeypatch.setattr(Rehearsal, "opened", opened)

        class Given:
            async def __aenter__(self):
                return gateway

            async def __aexit__(self, *_):
                return None

        names["open_gateway"] = lambda *_, **__: Given()
        await names["drill"]("http://unused", "sk-unused")  # type: ignore[operator]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 36
    assert all(line.endswith(" passed") for line in lines)
