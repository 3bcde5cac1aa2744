"""What is written and what is running are compared."""

from chaos.gateway.topology import RouterSettings
from supervisor.audit.rules.config_not_loaded import config_not_loaded
from tests.fakes.audit_findings import audited, brief

LOADED = RouterSettings(num_retries=2, timeout_s=60.0, fallbacks=({"claude": ("local",)},))


def told(file=None, config=None):
    """What differs from what is loaded."""
    seen = audited(
        {"claude": ["local"]}, settings=LOADED, changes={"file_settings": file}, config=config
    )
    return [finding.message for finding in config_not_loaded(seen)]


def test_an_edit_that_was_not_loaded_is_told_with_both_values():
    """Drills test what is running."""
    assert told(RouterSettings(num_retries=0, timeout_s=60.0)) == [
        "the running gateway has num_retries = 2, its file says 0"
    ]


def test_fallbacks_that_were_added_and_not_loaded_are_told():
    """The most expensive of all edits to forget."""
    (message,) = told(RouterSettings(fallbacks=({"claude": ("gpt",)},)))
    assert message == (
        "the running gateway has fallbacks = [{claude: [local]}], its file says [{claude: [gpt]}]"
    )


def test_what_the_file_does_not_say_is_no_difference():
    """Defaults hold then."""
    assert told(RouterSettings()) == []
    assert told(None) == []


def test_the_file_that_is_named_is_compared_too():
    """Models and lists of litellm_settings are seen only there."""
    config = {
        "model_list": [{"model_name": "claude"}, {"model_name": "new"}, {"model_name": "o/*"}],
        "litellm_settings": {"fallbacks": [{"claude": ["new"]}]},
    }
    models, lists = told(config=config)
    assert (
        models == "the running gateway has model_list = no 'new', its file says that there is 'new'"
    )
    assert "its file says [{claude: [new]}]" in lists


def test_an_equal_file_is_well():
    """The default under a star is LiteLLM's own addition."""
    config = {
        "model_list": [{"model_name": "claude"}],
        "router_settings": {"fallbacks": [{"claude": [{"model": "local"}]}]},
    }
    assert told(LOADED, config) == []


def test_a_file_of_another_kind_is_left_alone():
    """LiteLLM itself refuses it at start."""
    assert told(config={"model_list": "x", "router_settings": {"fallbacks": ["local"]}}) == []


def test_a_difference_is_a_warning_about_its_setting():
    """Nobody knows yet which of the two is wrong."""
    seen = audited({}, settings=LOADED, changes={"file_settings": RouterSettings(timeout_s=7.0)})
    assert brief(config_not_loaded(seen)) == [("config_not_loaded", "warning", "timeout")]
