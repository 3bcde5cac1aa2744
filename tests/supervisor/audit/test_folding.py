"""One cause is one finding, whatever number of groups it concerns."""

from itertools import permutations

import pytest
import yaml

from supervisor.audit.finding import AuditFinding
from supervisor.audit.folding import folded, joined_remedies
from supervisor.audit.rules import run_audits
from supervisor.engine.facts import EngineFacts
from tests.fakes.audit_findings import audited
from tests.fakes.topologies import group


def finding(subject, *, message="it is off", remedy="Switch it on.", **parts):
    """Make one finding."""
    return AuditFinding("some_code", "warning", subject, message, remedy, **parts)


def test_equal_findings_are_one_with_their_groups_in_any_order():
    """The daemon knows it again by its subject, however the gateway orders its groups."""
    for order in permutations("abc"):
        (one,) = folded(map(finding, order))
        assert (one.subject, one.groups) == ("a", ("a", "b", "c"))


def test_findings_of_one_cause_are_one_though_their_words_differ():
    """Two groups of one engine that is down."""
    told = [finding(n, message=f"the engine of {n} is down", cause="http://e") for n in "ba"]
    (one,) = folded(told)
    assert (one.message, one.groups) == ("the engine of a is down", ("a", "b"))


def test_what_differs_stays_apart():
    """By its words, its remedy, its cause, or how bad it is."""
    apart = [
        finding("a"),
        finding("b", message="it is on"),
        finding("c", remedy="Switch it off."),
        finding("d", cause="x"),
        finding("e", cause="y"),
    ]
    assert folded(apart) == apart


@pytest.mark.parametrize(
    ("remedies", "joined"),
    [
        (["Add:\n- a: [x]", "Add:\n- b: [x]"], ["Add:\n- a: [x]\n- b: [x]"]),
        (["Add:\n- a: [x]"] * 2, ["Add:\n- a: [x]"]),
        (
            [
                "Name it:\nengines:\n  a: u\nElse start it.",
                "Name it:\nengines:\n  b: u\nElse start it.",
            ],
            ["Name it:\nengines:\n  a: u\n  b: u\nElse start it."],
        ),
    ],
)
def test_remedies_that_differ_in_an_entry_are_one(remedies, joined):
    """Wherever the entry stands in them."""
    assert joined_remedies(remedies) == joined


@pytest.mark.parametrize(
    "remedies",
    [
        ["Set:\n  timeout: 60", "Set:\n  timeout: 30"],  # one key twice
        ["Start it:\n--flag a", "Start it:\n--flag b"],
        ["Start a:\n- x: 1", "Start b:\n- x: 1"],
        ["L:\n- model_name: a\n  timeout: 60", "L:\n- model_name: b\n  timeout: 60"],
        ["L:\n- a: [x]", "M:\n- b: [x]"],
        ["L:\n- a: [x]", "L:\n- b: [x]\nThen restart it."],
        ["L:\n- a", "L:\n  b: 1"],
        ["L:\n  a b", "L:\n  a c"],
    ],
)
def test_remedies_that_differ_in_more_stay_apart(remedies):
    """Put together they would say something else, or be no YAML."""
    assert joined_remedies(remedies) == remedies


def test_entries_of_different_places_are_not_mixed():
    """Two remedies that were joined at one line take none that differs at another."""
    told = ["A:\n- a: 1\nB:\n- x: 1", "A:\n- b: 1\nB:\n- x: 1", "A:\n- a: 1\nB:\n- y: 1"]
    assert joined_remedies(told) == ["A:\n- a: 1\n- b: 1\nB:\n- x: 1", told[2]]


def test_of_many_entries_the_first_are_written_and_the_rest_counted_in_a_comment():
    """What is copied is still YAML."""
    told = [f"engines:\n  g{n}: u" for n in range(5)]
    (text,) = joined_remedies(told, 2)
    assert text == "engines:\n  g0: u\n  g1: u\n  # and 3 more: --format json"
    assert yaml.safe_load(text) == {"engines": {"g0": "u", "g1": "u"}}


def test_the_groups_of_a_single_finding_are_kept():
    """A finding about a setting may name the groups that it concerns itself."""
    assert folded([finding("x", groups=("a", "b"))])[0].groups == ("a", "b")


def test_one_engine_behind_two_groups_is_one_finding_and_each_lonely_group_its_own():
    """Groups without a fallback are counted one by one."""
    engines = [EngineFacts(n, "http://127.0.0.1:8000", problem="refused") for n in ("two", "one")]
    found = run_audits(audited({"one": [], "two": []}, engines=tuple(engines)))
    down = [f for f in found if f.code == "engine_unreachable"]
    assert [(f.subject, f.groups) for f in down] == [("one", ("one", "two"))]
    assert [f.subject for f in found if f.code == "no_fallback"] == ["one", "two"]


def test_groups_without_a_permission_are_one_finding():
    """They all need the same lines."""
    groups = {name: group(name, redirect_permission=None) for name in ("a", "b")}
    found = run_audits(audited({"a": [], "b": []}, groups=groups))
    (one,) = [f for f in found if f.code == "redirect_unavailable"]
    assert one.groups == ("a", "b")
    assert [row["model_name"] for row in (one.config or {})["model_list"]] == ["a", "b"]


def test_a_setting_is_written_once():
    """It is the same for all of them."""
    config = {"router_settings": {"timeout": 60}}
    (one,) = folded(finding(n, config=config) for n in "ab")
    assert one.config == config


def test_the_entries_of_all_groups_of_one_cause_are_kept():
    """Each group needs its own line in the list that is lacking them."""
    told = [
        finding(
            n,
            remedy=f"Add to the list:\n- {n}: [x]",
            config={"router_settings": {"fallbacks": [{n: ["x"]}]}},
            cause="list",
        )
        for n in "ba"
    ]
    (one,) = folded(told)
    assert one.remedy == "Add to the list:\n- a: [x]\n- b: [x]"
    assert one.config == {"router_settings": {"fallbacks": [{"a": ["x"]}, {"b": ["x"]}]}}
