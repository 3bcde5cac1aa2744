"""How settings and a request become the options of a rehearsal."""

from dataclasses import replace
from datetime import date

from chaos.rehearsal import RehearsalOptions
from chaos.scenario.expectation import Expectation, Expected
from supervisor.campaign.request import DrillRequest, known_gaps, rehearsal_options
from supervisor.settings.model import AcceptedFailure, DrillSettings, Settings, TwinSettings


def options(**sections) -> RehearsalOptions:
    """The options of some settings."""
    return rehearsal_options(Settings.model_validate(sections), DrillRequest())


def test_the_defaults_of_both_are_the_same():
    """A script and the command line rehearse alike."""
    made = options()
    assert replace(made, seed=None) == RehearsalOptions()


def test_a_twin_is_started_where_it_is_asked_for_or_possible():
    """``auto`` without a configuration file has none to start."""
    possible = TwinSettings.model_validate({"litellm_config": "x.yaml"})
    assert not options().twin_wanted
    assert options(twin=possible).twin_wanted
    assert options(drills=DrillSettings(injector="twin")).twin_wanted
    assert not options(twin=possible, drills=DrillSettings(injector="redirect")).twin_wanted


def test_engines_bring_their_addresses_and_keys(monkeypatch):
    """A key is fetched from where the settings say it is."""
    monkeypatch.setenv("ENGINE_KEY", "sk-engine")
    engine = {"url": "http://127.0.0.1:9000", "key": {"env": "ENGINE_KEY"}}
    made = options(engines={"gemma": engine, "open": "http://127.0.0.1:9001"})
    assert made.engine_urls == {"gemma": "http://127.0.0.1:9000", "open": "http://127.0.0.1:9001"}
    assert made.engine_keys == {"gemma": "sk-engine"}


def test_addresses_of_the_witness_are_parsed_once():
    """An IPv6 address loses its brackets, as sockets want it."""
    made = options(witness={"listen": ["127.0.0.1:1", "[::1]:2"], "url": "http://x:1"})
    assert made.witness_listen == (("127.0.0.1", 1), ("::1", 2))


def test_an_accepted_failure_holds_until_its_day():
    """Afterwards it is a failure again."""
    entry = AcceptedFailure(scenario="claude/*", until=date(2026, 12, 1), reason="being mended")
    settings, request = Settings(accept=(entry,)), DrillRequest()
    (on_the_day, *_) = known_gaps(settings, request, date(2026, 12, 1))
    assert "being mended" in on_the_day.source
    after = known_gaps(settings, request, date(2026, 12, 2))
    assert after == known_gaps(Settings(), request, date(2026, 12, 2))
    assert known_gaps(settings, DrillRequest(known_gaps=False), date(2026, 12, 1)) == ()


def test_a_twin_needs_no_port_that_a_daemon_may_hold():
    """It dials addresses of its own; only a gateway dials the witness's."""
    twin = Settings(drills=DrillSettings(injector="twin"))
    made = rehearsal_options(twin, DrillRequest())
    assert made.witness_listen == (("127.0.0.1", 0),)
    assert rehearsal_options(Settings(), DrillRequest()).witness_listen == (("127.0.0.1", 8941),)


def test_a_seed_is_drawn_where_none_is_given():
    """Every report can name the seed that replays its drills."""
    drawn = DrillRequest()
    assert drawn.seed is not None
    assert rehearsal_options(Settings(), drawn).seed == drawn.seed
    assert DrillRequest().seed != drawn.seed
    assert DrillRequest(seed=0).seed == 0


def test_how_drills_should_end_is_kept_in_the_order_of_the_file():
    """The first that covers a scenario counts."""
    rows = [
        {"scenario": "claude/*/billing/*", "outcome": "served", "reason": "the exception"},
        {"scenario": "claude/*", "outcome": "refused", "reason": "policy"},
    ]
    assert options(expect=rows).drills.expectations == (
        Expectation("claude/*/billing/*", Expected.SERVED, "the exception"),
        Expectation("claude/*", Expected.REFUSED, "policy"),
    )
