"""A broken file is explained: every problem, its path, its value, and what was allowed."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from chaos.errors import UsageError
from chaos.scenario.expand import Profile
from supervisor.settings.file import load_settings, parse_settings, schema
from supervisor.settings.model import Settings

GOOD = """
gateway:
  url: http://litellm:4000/
  key: {env: LITELLM_KEY}
drills: {profile: full, deadline_s: 20}
engines: {gemma: 'http://127.0.0.1:8000'}
accept:
  - {scenario: 'claude/*', until: 2026-12-31, reason: being mended}
"""


def problems(text):
    """What is wrong with *text*, without the headline."""
    with pytest.raises(UsageError) as caught:
        parse_settings(text, name="the.yaml")
    headline, *lines = caught.value.message.splitlines()
    assert headline.startswith("the.yaml: ")
    return headline, [line.strip() for line in lines]


def test_a_good_file_is_taken_as_it_is_written():
    """Names are those of the documentation."""
    settings = parse_settings(GOOD, name="the.yaml")
    assert settings.gateway.url == "http://litellm:4000"
    assert (settings.drills.profile, settings.drills.deadline_s) == (Profile.FULL, 20.0)
    assert settings.accept[0].reason == "being mended"


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_means_the_defaults(text):
    """A file may begin as a comment."""
    assert parse_settings(text, name="the.yaml") == Settings()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("gatway: {}", "gatway: unknown key; did you mean 'gateway'?"),
        ("drills: {deadlin_s: 3}", "drills.deadlin_s: unknown key; did you mean 'deadline_s'?"),
        ("gateway: {key: {evn: X}}", "gateway.key.evn: unknown key; did you mean 'env'?"),
        ("gateway: {url: litellm}", 'gateway.url: "litellm" is not an http:// or https:// URL'),
        ("gateway: {key: {}}", "gateway.key: name exactly one of: env, file, credential"),
        (
            "witness: {listen: ['127.0.0.1']}",
            'witness.listen[0]: "127.0.0.1" is not ADDRESS:PORT, such as 127.0.0.1:8941',
        ),
        (
            "drills: {injector: twins}",
            "drills.injector: 'twins' is not allowed; did you mean 'twin'?",
        ),
        (
            "drills: {concurrency: 9}",
            "drills.concurrency: 9: input should be less than or equal to 4",
        ),
        ("accept: [{scenario: x/*, reason: y}]", "accept[0].until: missing"),
        ("drills: {deadline_s: .inf}", "drills.deadline_s: Infinity is no finite number"),
        ("drills: {budget_usd: .nan}", "drills.budget_usd: NaN is no finite number"),
        (
            "budget: {providers: {a: {usd: .inf}}}",
            "budget.providers.a.usd: Infinity is no finite number",
        ),
        ("budget: {requests: .inf}", "budget.requests: Infinity is no finite number"),
        (
            "rehearse: {target: .inf}",
            "rehearse.target: Infinity is not a duration such as 90s, 15m, 1h30m or 7d",
        ),
        (
            "accept: [{scenario: claude, reason: y, until: 2026-12-31}]",
            (
                'accept[0].scenario: "claude" is no pattern of a scenario such as '
                "claude/*/billing/*, and matches nothing; 'understudy drill --list' prints "
                "scenarios"
            ),
        ),
        (
            "accept: [{scenario: 'cl[a*', reason: y, until: 2026-12-31}]",
            'accept[0].scenario: "cl[a*" is a pattern whose [ is never closed, and matches nothing',
        ),
        (
            "expect: [{scenario: claude, reason: y, outcome: refused}]",
            (
                'expect[0].scenario: "claude" is no pattern of a scenario such as '
                "claude/*/billing/*, and matches nothing; 'understudy drill --list' prints "
                "scenarios"
            ),
        ),
        (
            "expect: [{scenario: x/*, reason: y, outcome: refuse}]",
            "expect[0].outcome: 'refuse' is not allowed; did you mean 'refused'?",
        ),
        ("expect: [{scenario: x/*, outcome: error}]", "expect[0].reason: missing"),
        ("rehearse: {critical: ['']}", 'rehearse.critical[0]: "" is empty, and matches nothing'),
        ("rehearse: {critical: [' ']}", 'rehearse.critical[0]: " " is empty, and matches nothing'),
        (
            "rehearse: {groups: {'a[b': {enabled: false}}}",
            (
                'rehearse.groups.a[b.[key]: "a[b" is a pattern whose [ is never closed, '
                "and matches nothing"
            ),
        ),
    ],
)
def test_a_problem_is_one_line(text, problem):
    """Path, value, and what was allowed or probably meant."""
    headline, lines = problems(text)
    assert headline == "the.yaml: 1 problem"
    assert lines == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "drills: {}\nbudget: {}\ndrills:\n  profile: full",
            "drills: is there twice, at lines 1 and 3",
        ),
        (
            "drills:\n  profile: full\n  profile: smoke\n",
            "profile: is there twice, at lines 2 and 3",
        ),
    ],
)
def test_what_is_there_twice_is_told_with_both_lines(text, problem):
    """YAML would take the last, and nobody would miss the first."""
    assert problems(text)[1] == [problem]


def test_what_a_merge_brings_may_be_given_again():
    """That is what it is for."""
    text = """
engines:
  one: &one {url: 'http://127.0.0.1:8000', container: vllm}
  two: {<<: *one, container: other}
"""
    assert parse_settings(text, name="x").engines["two"].container == "other"


def test_where_nothing_may_be_said_is_refused_where_it_is_a_mistake():
    """An editor or a full disk leaves such a file."""
    for text, why in (("", "empty"), ("\n", "empty"), ("# gateway:\n", "all comments")):
        with pytest.raises(UsageError, match=f"says nothing: it is {why}"):
            parse_settings(text, name="the.yaml", may_be_empty=False)


def test_all_problems_come_at_once():
    """One edit mends them all."""
    headline, lines = problems("drills: {concurrency: 9, profile: x}\nwitness: 3\n")
    assert headline == "the.yaml: 3 problems"
    assert len(lines) == 3


@pytest.mark.parametrize("key", ["sk-secret", "{env: [sk-secret]}", "[sk-secret]"])
def test_a_key_written_into_the_file_is_not_shown(key):
    """Who puts a secret where a place belongs does not find it in a log."""
    _, lines = problems(f"gateway: {{key: {key}}}")
    assert "sk-secret" not in " ".join(lines)


def test_a_key_written_into_the_file_is_told_where_it_belongs():
    """The words of a section that names its place."""
    _, lines = problems("gateway: {key: sk-secret}")
    assert lines == ["gateway.key: not a section with any of: env, file, credential"]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    """Missing, or no text."""
    with pytest.raises(UsageError, match="No such file"):
        load_settings(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_settings(tmp_path / "binary")


def test_the_schema_takes_what_we_take():
    """Editors warn exactly where we would."""
    good = yaml.safe_load(GOOD)
    good["accept"][0]["until"] = "2026-12-31"
    jsonschema.validate(good, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"gatway": {}}, schema())


def test_a_section_with_all_its_keys_commented_out_is_not_there():
    """That is what editing the written configuration naturally leaves."""
    assert parse_settings("drills:\n  # profile: full\nengines:\n", name="x") == Settings()


def test_an_engine_is_a_url_or_a_section_with_more():
    """Who needs no more than the URL writes no more."""
    text = """
engines:
  plain: http://127.0.0.1:8000/
  more: {url: 'http://127.0.0.1:8001', container: vllm, log: /l, python: /p, key: {env: KEY}}
"""
    settings = parse_settings(text, name="x")
    assert settings.engine_urls == {
        "plain": "http://127.0.0.1:8000",
        "more": "http://127.0.0.1:8001",
    }
    assert settings.engines["plain"].container is None
    more = settings.engines["more"]
    assert (more.container, more.log) == ("vllm", Path("/l"))


def test_everything_wrong_with_engines_is_told_at_once():
    """With what was probably meant, and no key that was written where its place belongs."""
    _, lines = problems(
        "engines: {a: nope, b: 5, c: {url: 'http://x', contaner: x}, d: null, e: {}, "
        "f: {url: 'http://x', container: ''}, g: {url: 'http://x', key: sk-secret}}"
    )
    keys = "url, container, log, python, key"
    assert lines == [
        'engines.a: "nope" is not an http:// or https:// URL',
        f"engines.b: 5 is neither a URL nor a section with any of: {keys}",
        "engines.c.contaner: unknown key; did you mean 'container'?",
        f"engines.d: neither a URL nor a section with any of: {keys}",
        "engines.e.url: missing",
        'engines.f.container: "" is empty',
        "engines.g.key: not a section with any of: env, file, credential",
    ]


def test_the_schema_takes_an_engine_in_both_forms():
    """Editors must not mark what is right."""
    both = schema()["$defs"]["EngineSettings"]["anyOf"]
    assert [form["type"] for form in both] == ["string", "object"]
