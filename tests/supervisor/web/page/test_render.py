"""Templates, style sheet and script."""

import re

import pytest

from chaos.scenario.expectation import Expected
from supervisor.web.page.drill import drill_view
from supervisor.web.page.home import home
from supervisor.web.page.render import HERE, environment, static_files
from tests.fakes.pages import many_paths
from tests.fakes.rows import row
from tests.fakes.snapshots import full_snapshot, snapshot, stored_drill

TEMPLATES = sorted(file.name for file in (HERE / "templates").iterdir())


def test_every_file_that_a_page_names_is_there():
    """With the tag of its content."""
    text = environment().get_template("home.html.j2").render(home=home(snapshot(), None, ()))
    named = re.findall(r'"/static/([^"?]+)\?(\w+)"', text)
    assert {name: static_files()[name].tag for name, _ in named} == dict(named)
    assert set(static_files()) == {name for name, _ in named}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_has_anything_inline_or_from_outside(name: str):
    """The page's own policy would keep it from working."""
    text = (HERE / "templates" / name).read_text()
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?! defer src=\"/static/)", text)
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "|safe" not in text


def test_five_hundred_paths_take_less_than_a_hundred_kilobytes():
    """Every chain, hop and cell of them, and everything else that can be known."""
    status = many_paths(20)
    assert len(status.paths) == 500
    text = environment().get_template("home.html.j2").render(home=home(status, None, ()))
    assert text.count("drills/") == 480
    assert len(text.encode()) < 100_000


def test_whatever_is_known_can_be_drawn():
    """Undefined values are errors here, not holes."""
    text = environment().get_template("home.html.j2").render(home=home(full_snapshot(), None, ()))
    assert "FallbackBroken" in text
    assert "release" in text


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (Expected.SERVED, "The answer was gemma's"),
        (Expected.REFUSED, "no fallback was asked"),
        (Expected.ERROR, "one well-formed error in time, as the settings expect"),
    ],
)
def test_what_a_pass_was_is_said(end: Expected, said: str):
    """A refusal that was expected is no hop that was left."""
    view = drill_view(stored_drill(row=row(expected=end)))
    assert said in environment().get_template("drill.html.j2").render(view=view)
