"""Run one audit on a small gateway."""

from chaos.gateway.topology import RouterSettings
from supervisor.audit.finding import Audited
from tests.fakes.topologies import topology

LANES = tuple(f"http://127.0.0.1:8941/lane/{lane}" for lane in range(4))


def audited(chains, *, groups=None, settings=None, changes=None, **parts):
    """Make what audits look at; *changes* are the topology's."""
    made = topology(
        chains, groups, settings=settings or RouterSettings(num_retries=0), **(changes or {})
    )
    return Audited(made, witness_urls=LANES, **parts)


def brief(findings):
    """What was found, without the words."""
    return [(finding.code, finding.severity, finding.subject) for finding in findings]
