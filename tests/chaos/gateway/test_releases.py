"""Which releases of LiteLLM were run, and which nobody should run."""

from chaos.gateway.releases import COMPROMISED, LITELLM_VERSION, compromised, tried_versions


def test_what_was_run_is_what_is_pinned():
    """In the order of versions, the verified one among them, and no compromised one."""
    tried = tried_versions()
    assert LITELLM_VERSION in tried
    assert {"1.82.6", "1.103.0", "1.106.12", "1.108.6"} <= set(tried)
    assert tried.index("1.82.6") < tried.index("1.103.0") < tried.index("1.106.12")
    assert not set(tried) & set(COMPROMISED)


def test_a_compromised_release_is_known_by_its_number():
    """Whatever a builder has added to it."""
    assert "24512" in (compromised("1.82.8") or "")
    assert compromised("1.82.8+mine") == compromised("1.82.8")
    assert compromised("1.82.6") is None
    assert compromised("not a version") is None
