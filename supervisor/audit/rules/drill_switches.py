"""Switches of the gateway that change what a drill can show."""

from collections.abc import Iterable

from supervisor.audit.finding import Audited, AuditFinding


def cache_hides_drills(audited: Audited) -> Iterable[AuditFinding]:
    """LiteLLM's cache may answer in a provider's place."""
    written = audited.section("litellm_settings").get("cache") is True
    if audited.topology.settings.caches or written:
        yield AuditFinding(
            code="cache_hides_drills",
            severity="info",
            subject="litellm_settings.cache",
            message="LiteLLM caches answers: a broken fallback stays hidden while the cache "
            "answers; drills ask not to be cached",
            remedy="Nothing, for drills. A test of your own must send cache: {no-cache: true}.",
        )


def tag_filtering_on(audited: Audited) -> Iterable[AuditFinding]:
    """A tagged request would be refused."""
    if audited.topology.settings.enable_tag_filtering:
        yield AuditFinding(
            code="tag_filtering_on",
            severity="info",
            subject="router_settings.enable_tag_filtering",
            message="tag filtering is on: LiteLLM answers 401 to tagged requests, so drills carry "
            "no tags and are known only by their key's alias",
            remedy="Send drills with a virtual key of their own, with the alias 'understudy'.",
        )


def alerting_announces_drills(audited: Audited) -> Iterable[AuditFinding]:
    """LiteLLM's own alerting announces requests that fail, those of drills among them."""
    alerting = audited.section("general_settings").get("alerting")
    if alerting:
        channels = ", ".join(map(str, alerting)) if isinstance(alerting, list) else str(alerting)
        yield AuditFinding(
            code="alerting_announces_drills",
            severity="info",
            subject="general_settings.alerting",
            message=f"LiteLLM's alerting ({channels}) announces requests that fail, and drills "
            "fail on purpose",
            remedy="Leave llm_exceptions, llm_requests_hanging and cooldown_deployment out of "
            "general_settings.alert_types, or warn those who read them.",
        )


def mock_params_enabled(audited: Audited) -> Iterable[AuditFinding]:
    """Every client may make LiteLLM fail on purpose."""
    key = "dangerously_allow_mock_testing_request_params"
    if audited.section("general_settings").get(key) is True:
        yield AuditFinding(
            code="mock_params_enabled",
            severity="warning",
            subject=f"general_settings.{key}",
            message=f"general_settings.{key} lets any client make the gateway fail on purpose; "
            "its mock errors also pass where real ones do not",
            remedy=f"Remove {key} from general_settings; drills do not need it.",
        )
