"""Tests of the documentation: what can be checked against the code is."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from chaos.gateway.redirect_permission import lane_urls, permission_lines
from chaos.judge.check import Kind
from docs.tables import BLOCK, TABLES, current, pages
from supervisor.cli.main import app
from supervisor.settings.file import parse_settings
from supervisor.settings.model import AcceptedFailure, EngineSettings, Settings
from supervisor.setup.placement import Place, Surroundings, placement
from supervisor.web.page.documentation import slug

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EXAMPLE = ROOT / "config" / "understudy.example.yaml"
PAGES = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in pages()}


@pytest.mark.parametrize("name", PAGES)
def test_tables_say_what_the_registries_say(name):
    """Whoever adds a plugin runs 'make docs'; this is what fails if they do not."""
    assert PAGES[name] == current(PAGES[name]), "make docs"


def test_every_table_is_on_some_page():
    """A table that nobody reads is not worth keeping."""
    shown = {name for text in PAGES.values() for _, name, _ in BLOCK.findall(text)}
    assert shown == set(TABLES)


def test_a_table_that_has_drifted_is_written_anew():
    """The text around a block stays, the rows inside come from the code."""
    drifted = "before\n<!-- table: surfaces -->\n| wrong |\n<!-- end -->\nafter\n"
    written = current(drifted)
    assert written.startswith("before\n<!-- table: surfaces -->\n| surface |")
    assert written.endswith("<!-- end -->\nafter\n")
    assert "wrong" not in written
    assert "| `messages` | `POST /v1/messages` | yes |" in written


@pytest.mark.parametrize("name", ["settings", "metrics", "packages"])
def test_no_entry_is_without_a_meaning(name):
    """A row that says nothing is no reference."""
    assert [row[0] for row in TABLES[name]() if not row[-1].strip()] == []


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_explained(kind):
    """A person who sees a kind in a report finds it in docs/verdicts.md, beyond the table."""
    text = BLOCK.sub("", PAGES["docs/verdicts.md"])
    written = f"**{kind.value}**" if kind.is_reason else f"### {kind.value}\n"
    assert written in text


def test_the_example_configuration_is_valid():
    """It can be copied as it is."""
    settings = parse_settings(EXAMPLE.read_text("utf-8"), name=EXAMPLE.name)
    assert settings.witness == Settings().witness


def test_the_example_configuration_is_valid_with_every_comment_made_a_setting():
    """Its commented lines are settings too, not prose that has drifted."""
    text = re.sub(r"(?m)^(\s*)# ( *(?:- )?[a-z_]+:(?: .*)?)$", r"\1\2", EXAMPLE.read_text("utf-8"))
    settings = parse_settings(text, name=EXAMPLE.name)
    assert settings.drills == Settings().drills
    assert settings.accept
    assert settings.twin.litellm_config
    assert settings.engines["other_group"].container


@pytest.mark.parametrize("model", [Settings, AcceptedFailure, EngineSettings])
def test_the_example_configuration_names_every_setting(model):
    """A setting that is not in the example is a setting that nobody finds."""
    text = EXAMPLE.read_text("utf-8")
    assert [name for name in _settings(model) if not re.search(rf"\b{name}:", text)] == []


@pytest.mark.parametrize("place", Place)
def test_the_lines_for_litellm_are_those_that_init_prints(place):
    """The permission is copied by hand: one character off, and LiteLLM refuses the drill."""
    found = placement(place, "http://127.0.0.1:4000", Surroundings(), 8941)
    line = permission_lines(lane_urls(found.url))
    assert line in PAGES["README.md"] or place is not Place.HOST
    assert re.sub(r".*api_base: |\}\]$", "", line) in PAGES["docs/litellm-configuration.md"]
    for addresses in (found.listen[0], found.url):
        assert addresses in PAGES["docs/litellm-configuration.md"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (name, line)
        for name, text in PAGES.items()
        for line in re.findall(r"(?m)^(?:\S*/)?(understudy [^→#\n]*)", text.replace("\\\n", " "))
        + re.findall(r"`(understudy [^`]*)`", text)
    ],
)
def test_every_command_line_exists(name, line):
    """Commands, options and values on the pages are those of the command line."""
    args = shlex.split(re.sub(r"\|\w+", "", line).replace("init   ", "init "))[1:]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and not args[0].startswith("-"):
        word = args.pop(0)
        assert word in command.commands, f"{name}: {line}"
        command = command.commands[word]
    assert {arg for arg in args if arg.startswith("--")} <= _options(command), f"{name}: {line}"
    if not hasattr(command, "commands"):
        command.make_context(command.name, args)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    """Links to files of the repository, and to headings of any page."""
    page = ROOT / name
    for target in re.findall(r"\]\(([^)]+)\)", re.sub(r"(?s)```.*?```", "", PAGES[name])):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not heading or heading in _headings(there.read_text("utf-8")), target


def test_no_page_names_this_machine():
    """What is written is true elsewhere too."""
    for name, text in {**PAGES, "example": EXAMPLE.read_text("utf-8")}.items():
        assert str(Path.home()) + "/" not in text, name
        assert str(ROOT) not in text, name


def _settings(model: type[BaseModel]) -> list[str]:
    names = []
    for name, found in model.model_fields.items():
        names.append(name)
        if isinstance(found.annotation, type) and issubclass(found.annotation, BaseModel):
            names += _settings(found.annotation)
    return names


def _options(command: Any) -> set[str]:
    return {option for p in command.params for option in (*p.opts, *p.secondary_opts)} | {"--help"}


def _headings(text: str) -> set[str]:
    return {slug(heading) for heading in re.findall(r"(?m)^#+ (.*)$", text)}


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_exists(name):
    """What a page says to make can be made."""
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8")))
    code = re.findall(r"`(make [a-z-]+)", PAGES[name]) + re.findall(
        r"(?m)^(make [a-z-]+)", PAGES[name]
    )
    assert {line.split()[1] for line in code} <= targets


def test_every_page_can_be_reached_from_the_readme():
    """A page that nothing leads to is not read."""
    reached, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in PAGES:
            continue
        reached.add(name)
        for target in re.findall(r"\]\(([^)#]+)", PAGES[name]):
            there = (ROOT / name).parent / target
            if not target.startswith("https://"):
                waiting.append(str(there.resolve().relative_to(ROOT)))
    assert set(PAGES) - reached == set()
