"""A twin's configuration: the same routing, and nothing that reaches outside."""

import pytest
import yaml

from chaos.drill.twin.config import rewrite
from chaos.errors import UsageError

USERS = yaml.safe_load("""
model_list:
  - model_name: claude
    litellm_params:
      model: anthropic/claude-x
      api_key: os.environ/ANTHROPIC_KEY
      extra_headers: {x-team: search}
    model_info: {id: mine, input_cost_per_token: 0.1}
  - model_name: gemma
    litellm_params: {model: hosted_vllm/g, api_base: os.environ/ENGINE_URL}
litellm_settings:
  callbacks: [prometheus, own_code.handler]
  success_callback: [langfuse]
  cache: true
  drop_params: true
  fallbacks: [{claude: [gemma]}]
router_settings: {num_retries: 1, redis_host: r}
general_settings: {master_key: sk-theirs, database_url: "postgres://u:p@h/db", alerting: [slack]}
environment_variables: {SLACK_URL: x}
guardrails: [{guardrail_name: pii}]
""")
VARIABLES = {"ANTHROPIC_KEY": "sk-ant-real", "ENGINE_URL": "http://127.0.0.1:8000/v1"}


def twin(**changes):
    """Rewrite the user's configuration."""
    values = {"base_url": lambda index: f"http://w/twin/{index}", "canary": "canary"}
    return rewrite(USERS, **{**values, "variables": VARIABLES, **changes})


def test_every_deployment_goes_to_an_address_of_its_own():
    """So a hop is always known."""
    params = [entry["litellm_params"] for entry in twin().config["model_list"]]
    assert [p["api_base"] for p in params] == ["http://w/twin/0", "http://w/twin/1"]


def test_no_credential_of_the_user_gets_into_the_twin():
    """Neither its value nor the name of its variable is needed to fail a hop."""
    made = twin()
    text = yaml.safe_dump(made.config)
    assert "sk-" not in text
    assert "ANTHROPIC_KEY" not in text
    assert {e["litellm_params"]["api_key"] for e in made.config["model_list"]} == {"canary"}
    assert made.environment == {}


def test_real_keys_are_handed_over_by_name_only():
    """The variable goes into the process, the configuration file keeps the reference."""
    made = twin(real_keys=True)
    assert made.config["model_list"][0]["litellm_params"]["api_key"] == "os.environ/ANTHROPIC_KEY"
    assert made.environment["ANTHROPIC_KEY"] == "sk-ant-real"


def test_what_routes_and_changes_requests_is_kept():
    """Otherwise the twin would prove another configuration."""
    config = twin().config
    assert config["litellm_settings"]["fallbacks"] == [{"claude": ["gemma"]}]
    assert config["litellm_settings"]["drop_params"] is True
    assert config["litellm_settings"]["callbacks"] == ["own_code.handler"]
    assert config["router_settings"]["num_retries"] == 1
    assert config["model_list"][0]["litellm_params"]["extra_headers"] == {"x-team": "search"}
    assert config["guardrails"] == [{"guardrail_name": "pii"}]


def test_one_drill_does_not_poison_the_next():
    """Cooldowns are off, and LiteLLM does not ask upstreams for models by itself."""
    config = twin().config
    assert config["router_settings"]["disable_cooldowns"] is True
    assert config["general_settings"] == {"disable_model_info_refresh": True}


def test_what_was_left_out_is_listed():
    """A report says what a twin does not prove."""
    assert twin().stripped == (
        "environment_variables",
        "general_settings.alerting",
        "general_settings.database_url",
        "litellm_settings.cache",
        "litellm_settings.callbacks: prometheus",
        "litellm_settings.success_callback",
        "router_settings.redis_host",
    )


def rewritten(**sections):
    """Rewrite a configuration of one model and *sections*."""
    model = {"model_name": "a", "litellm_params": {"model": "openai/a"}}
    raw = {"model_list": [model], **sections}
    return rewrite(raw, base_url=str, canary="canary", variables={})


def test_a_twin_alerts_nobody_and_fills_no_cache():
    """Of the router's settings only those are kept that route."""
    hook = {"webhook_url": "https://hooks.example/real"}
    made = rewritten(
        router_settings={
            "alerting_config": hook,
            "cache_responses": True,
            "something_new": 1,
            "retry_policy": {"TimeoutErrorRetries": 2},
        }
    )
    assert made.config["router_settings"] == {
        "retry_policy": {"TimeoutErrorRetries": 2},
        "disable_cooldowns": True,
    }
    assert made.stripped == (
        "router_settings.alerting_config",
        "router_settings.cache_responses",
        "router_settings.something_new",
    )


def test_a_twins_callbacks_before_the_call_are_the_users_own_alone():
    """An integration would tell the outside of drills."""
    made = rewritten(litellm_settings={"input_callback": ["sentry", "hooks.mask.handler"]})
    assert made.config["litellm_settings"] == {"input_callback": ["hooks.mask.handler"]}
    assert made.stripped == ("litellm_settings.input_callback: sentry",)


def test_defaults_for_every_deployment_lead_past_no_witness():
    """Neither an address nor a key comes in by another door."""
    defaults = {"api_base": "https://real", "api_key": "sk-real", "max_tokens": 9}
    made = rewritten(router_settings={"default_litellm_params": defaults})
    assert made.config["router_settings"]["default_litellm_params"] == {"max_tokens": 9}


def test_deployments_are_known_by_id_and_keep_their_real_address():
    """The hop that must serve is forwarded to where the user's own gateway would go."""
    made = twin().deployments
    assert [d.id for d in made] == ["mine", "twin-1"]
    assert made[1].original["litellm_params"]["api_base"] == "http://127.0.0.1:8000/v1"


def test_the_users_own_object_is_not_changed():
    """It may be rewritten a second time, with real keys."""
    before = yaml.safe_dump(USERS)
    twin()
    assert yaml.safe_dump(USERS) == before


@pytest.mark.parametrize("raw", [{}, {"model_list": []}, {"model_list": "x"}])
def test_a_file_without_models_is_refused(raw):
    """There would be nothing to drill."""
    with pytest.raises(UsageError, match="has no model_list"):
        rewrite(raw, base_url=str, canary="c", variables={})


def test_the_settings_of_a_virtual_key_take_the_place_of_the_files():
    """Also where the file has them elsewhere, or as defaults; an empty list is one."""
    assert "fallbacks" in twin().config["litellm_settings"]
    made = twin(caller_settings={"fallbacks": [], "num_retries": 0})
    assert made.config["router_settings"]["fallbacks"] == []
    assert made.config["router_settings"]["num_retries"] == 0
    assert "fallbacks" not in made.config["litellm_settings"]
    users = {**USERS, "router_settings": {"default_fallbacks": ["gemma"]}}

    def router(**own):
        made = rewrite(
            users, base_url=str, canary="canary", variables=VARIABLES, caller_settings=own
        )
        return made.config["router_settings"]

    assert router(num_retries=0)["default_fallbacks"] == ["gemma"]
    assert "default_fallbacks" not in router(fallbacks=[{"claude": ["gemma"]}])


@pytest.mark.parametrize("real_keys", [False, True])
def test_vertex_signs_in_where_a_stand_in_answers(real_keys):
    """Its own credentials are kept in no case, and the operation follows the address."""
    theirs = {
        "model": "vertex_ai/gemini-2.5-pro",
        "vertex_credentials": "os.environ/GOOGLE_KEY",
        "use_psc_endpoint_format": True,
    }
    users = {"model_list": [{"model_name": "g", "litellm_params": theirs}]}
    made = rewrite(
        users,
        base_url=lambda index: f"http://w/twin/{index}",
        canary="canary",
        variables={},
        google="stand-in",
        real_keys=real_keys,
    )
    (entry,) = made.config["model_list"]
    params = entry["litellm_params"]
    assert (params["vertex_credentials"], params["vertex_project"]) == ("stand-in", "understudy")
    assert "use_psc_endpoint_format" not in params


def test_others_need_no_sign_in():
    """Only Vertex AI asks Google first."""
    params = [entry["litellm_params"] for entry in twin(google="stand-in").config["model_list"]]
    assert all("vertex_credentials" not in one for one in params)
