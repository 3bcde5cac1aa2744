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
        gateway={
            "url": "http://g:4000",
            "key": {"env": "KEY"},
            "admin_key": {"file": "/admin"},
            "as_key": {"env": "TEAM"},
        },
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
        expect=[{"scenario": "y/*", "outcome": "refused", "reason": "policy"}],
    )
    for part in (
        "http://g:4000",
        "the key in $KEY",
        "file /admin",
        "drills as the virtual key in $TEAM",
        "called with real keys; a run may spend 1.50 USD",
        "/etc/litellm.yaml",
        "engine of gemma is at http://127.0.0.1:8000, and costs nothing",
        "container vllm",
        "/vllm.log",
        "/opt/vllm",
        "the key in $VLLM_KEY",
        "provider odd",
        "Failures of x/* are accepted until 2026-12-31: soon.",
        "Drills of y/* should be refused, without asking a fallback: policy.",
    ):
        assert part in text


def test_a_key_in_the_place_of_its_name_is_not_repeated():
    """An easy slip must not spread it."""
    assert "sk-secret" not in said(gateway={"key": {"env": "sk-secret"}})


def test_what_the_daemon_would_do_is_said():
    """When it drills, how often, and what that may cost."""
    settings = Settings.model_validate(
        {
            "rehearse": {"target": "12h"},
            "schedule": {"windows": ["Mon-Fri 07:00-20:00"], "blackouts": ["12:00-13:00"]},
            "budget": {"usd": 1.5},
        }
    )
    text = " ".join(meaning(settings))
    assert "every path within 12h, and within 1h where the group is critical" in text
    assert "It drills in Mon-Fri 07:00-20:00 (UTC)." in text
    assert "It drills nothing in 12:00-13:00 (UTC)." in text
    assert "may spend 1.50 USD" in text
    asleep = Settings.model_validate({"rehearse": {"enabled": False}, "budget": {"usd": None}})
    text = " ".join(meaning(asleep))
    assert "drills nothing by itself" in text
    assert "any amount of money" in text


def test_the_model_that_is_drilled_for_a_wildcard_is_said():
    """By its pattern."""
    assert "The wildcard openai/* is drilled as openai/gpt." in said(
        wildcards={"openai/*": "openai/gpt"}
    )
