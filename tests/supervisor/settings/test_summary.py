"""A configuration is said in sentences, without its secrets."""

from supervisor.settings.model import Settings
from supervisor.settings.summary import meaning


def said(**sections):
    """All sentences, in one text."""
    return "\n".join(meaning(Settings.model_validate(sections)))


def test_defaults_are_said_too():
    """A person with an empty file learns what holds."""
    text = said()
    assert "No gateway is named." in text
    assert "The witness listens on 127.0.0.1:8941; LiteLLM dials http://127.0.0.1:8941." in text
    assert "answered by a stand-in; a run may spend 0.00 USD" in text


def test_everything_that_is_set_is_said():
    """Each part of the file has its sentence."""
    text = said(
        gateway={"url": "http://g:4000", "key": {"env": "KEY"}, "admin_key": {"file": "/admin"}},
        drills={"real_keys": True, "budget_usd": 1.5},
        twin={"litellm_config": "/etc/litellm.yaml"},
        engines={
            "gemma": {
                "url": "http://127.0.0.1:8000",
                "container": "vllm",
                "log": "/vllm.log",
                "python": "/opt/vllm",
                "key": {"env": "VLLM_KEY"},
            }
        },
        providers={"odd": "https://odd.example"},
        accept=[{"scenario": "x/*", "until": "2026-12-31", "reason": "soon"}],
    )
    for part in (
        "http://g:4000",
        "the key in $KEY",
        "file /admin",
        "called with real keys; a run may spend 1.50 USD",
        "/etc/litellm.yaml",
        "engine of gemma is at http://127.0.0.1:8000, and costs nothing",
        "container vllm",
        "/vllm.log",
        "/opt/vllm",
        "the key in $VLLM_KEY",
        "provider odd",
        "Failures of x/* are accepted until 2026-12-31: soon.",
    ):
        assert part in text


def test_a_key_in_the_place_of_its_name_is_not_repeated():
    """An easy slip must not spread it."""
    assert "sk-secret" not in said(gateway={"key": {"env": "sk-secret"}})
