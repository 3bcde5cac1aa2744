"""The documentation as the daemon shows it."""

import re
from html.parser import HTMLParser

import pytest

from supervisor.alerts.rule import runbook
from supervisor.settings.alerting import ALERTS
from supervisor.web.page.documentation import CLONE, contents, document, slug


class Anchors(HTMLParser):
    """Where a page can be entered, and where it leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note both."""
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.targets += [given["href"] or ""] if "href" in given else []


def anchors(name: str) -> Anchors:
    """Of a document."""
    found = document(name)
    assert found is not None
    return Anchors(found.body)


def test_every_page_of_the_folder_is_there():
    """Those that people look up most come first."""
    names = [name for name, _ in contents()]
    assert set(names) == {file.name for file in CLONE.glob("*.md")}
    assert names[:2] == ["alerts.md", "verdicts.md"]
    assert document("../README.md") is None


@pytest.mark.parametrize("alert", [alert for alert in ALERTS if alert != "UnderstudyTest"])
def test_an_alerts_runbook_can_be_opened(alert: str):
    """The address that goes out with it leads to its section."""
    _, name, heading = re.split("[/#]", runbook(alert))
    assert heading in anchors(name).ids


@pytest.mark.parametrize("name", [name for name, _ in contents()])
def test_no_link_leads_to_nothing(name: str):
    """What is not served is text, and no heading has the name of another one."""
    here, shown = anchors(name), document(name)
    assert len(here.ids) == len(set(here.ids))
    assert shown is not None
    assert "<!--" not in shown.body
    for target in here.targets:
        file, _, heading = target.partition("#")
        if not target.startswith("http"):
            there = anchors(file) if file else here
            assert not heading or heading in there.ids, target


def test_headings_are_named_as_forges_name_them():
    """One link is right in both places."""
    assert slug("What it asks: `hop_failed`, and more") == "what-it-asks-hop_failed-and-more"
