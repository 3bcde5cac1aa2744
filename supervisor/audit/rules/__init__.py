"""What can be wrong with a gateway, told without a model request.

To add one: a new file here with a function ``(audited) -> Iterable[AuditFinding]``, and its name
below. Its docstring's first line says what it finds; its findings name what was seen and, in the
remedy, the lines to write.
"""

from chaos.witness.redaction import without_keys
from supervisor.audit.finding import Audit, Audited, AuditFinding
from supervisor.audit.folding import folded
from supervisor.audit.rules.chain_cycle import chain_cycle
from supervisor.audit.rules.chain_too_deep import chain_too_deep
from supervisor.audit.rules.compromised_release import gateway_version_compromised
from supervisor.audit.rules.config_not_loaded import config_not_loaded
from supervisor.audit.rules.context_shrinks import context_shrinks
from supervisor.audit.rules.dead_entries import dead_entries
from supervisor.audit.rules.drill_switches import (
    alerting_announces_drills,
    cache_hides_drills,
    mock_params_enabled,
    tag_filtering_on,
)
from supervisor.audit.rules.embedding_sizes import embedding_sizes_differ
from supervisor.audit.rules.ends_at_paid_hop import ends_at_paid_hop
from supervisor.audit.rules.engine_reach import engine_name_mismatch, engine_unreachable
from supervisor.audit.rules.engine_tools import engine_parser_unknown, engine_tool_calls_disabled
from supervisor.audit.rules.fallbacks_in_wrong_section import fallbacks_in_wrong_section
from supervisor.audit.rules.health_checks import health_check_routing_on
from supervisor.audit.rules.mode_not_covered import mode_not_covered
from supervisor.audit.rules.no_fallback import (
    alias_without_fallback,
    no_fallback,
    wildcard_without_fallback,
)
from supervisor.audit.rules.no_models import no_models
from supervisor.audit.rules.other_mode import fallback_of_other_mode
from supervisor.audit.rules.params_refused import params_refused
from supervisor.audit.rules.redirect_permission import (
    redirect_permission_partial,
    redirect_permission_too_wide,
    redirect_unavailable,
)
from supervisor.audit.rules.special_fallbacks import special_fallbacks_shadow_general
from supervisor.audit.rules.tools_unsupported import tools_unsupported
from supervisor.audit.rules.unknown_target import unknown_target
from supervisor.audit.rules.waiting import no_timeout, retries_delay_fallback

AUDITS: tuple[Audit, ...] = (
    gateway_version_compromised,
    no_models,
    no_fallback,
    alias_without_fallback,
    wildcard_without_fallback,
    fallbacks_in_wrong_section,
    unknown_target,
    dead_entries,
    config_not_loaded,
    engine_unreachable,
    engine_name_mismatch,
    engine_tool_calls_disabled,
    engine_parser_unknown,
    chain_cycle,
    chain_too_deep,
    fallback_of_other_mode,
    special_fallbacks_shadow_general,
    ends_at_paid_hop,
    tools_unsupported,
    params_refused,
    context_shrinks,
    embedding_sizes_differ,
    no_timeout,
    retries_delay_fallback,
    health_check_routing_on,
    mode_not_covered,
    redirect_permission_too_wide,
    redirect_permission_partial,
    redirect_unavailable,
    mock_params_enabled,
    alerting_announces_drills,
    tag_filtering_on,
    cache_hides_drills,
)
SEVERITIES = ("error", "warning", "info")


def run_audits(audited: Audited) -> tuple[AuditFinding, ...]:
    """Run every audit; errors first, otherwise in the order of audits; one cause is told once."""
    # What a gateway or an engine says of itself may name a key.
    findings = [without_keys(finding) for audit in AUDITS for finding in audit(audited)]
    return tuple(sorted(folded(findings), key=lambda finding: SEVERITIES.index(finding.severity)))
