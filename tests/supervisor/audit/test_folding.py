"""One cause is one finding, whatever number of groups it concerns."""

from itertools import permutations

from supervisor.audit.finding import AuditFinding
from supervisor.audit.folding import folded
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
