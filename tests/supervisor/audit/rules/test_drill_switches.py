"""Switches that change what a drill can show are told."""

from typing import Any

from chaos.gateway.topology import RouterSettings
from supervisor.audit.rules.drill_switches import (
    alerting_announces_drills,
    cache_hides_drills,
    mock_params_enabled,
    tag_filtering_on,
)
from tests.fakes.audit_findings import audited, brief

PLAIN = audited({"claude": []})


def test_a_cache_is_a_note_whoever_tells_of_it():
    """The gateway shows it, and so does its file."""
    loaded = audited({"claude": []}, settings=RouterSettings(caches=True))
    written = audited({"claude": []}, config={"litellm_settings": {"cache": True}})
    for seen in (loaded, written):
        assert brief(cache_hides_drills(seen)) == [
            ("cache_hides_drills", "info", "litellm_settings.cache")
        ]
    assert brief(cache_hides_drills(PLAIN)) == []


def test_tag_filtering_is_a_note():
    """Drills carry no tags then."""
    seen = audited({"claude": []}, settings=RouterSettings(enable_tag_filtering=True))
    assert [severity for _, severity, _ in brief(tag_filtering_on(seen))] == ["info"]
    assert brief(tag_filtering_on(PLAIN)) == []


def test_litellms_own_drill_switch_is_a_warning():
    """Any client may use it."""
    config = {"general_settings": {"dangerously_allow_mock_testing_request_params": True}}
    found = brief(mock_params_enabled(audited({"claude": []}, config=config)))
    assert [severity for _, severity, _ in found] == ["warning"]
    assert brief(mock_params_enabled(PLAIN)) == []


def test_alerting_of_litellm_s_own_is_warned_of():
    """Drills fail on purpose, and whoever reads its channel would be woken by them."""
    config = {"general_settings": {"alerting": ["slack", "email"]}}
    (found,) = alerting_announces_drills(audited({"claude": []}, config=config))
    assert found.severity == "info"
    assert "(slack, email)" in found.message
    assert list(alerting_announces_drills(PLAIN)) == []
    quiet: dict[str, Any] = {"general_settings": {"alerting": []}}
    assert list(alerting_announces_drills(audited({"claude": []}, config=quiet))) == []
