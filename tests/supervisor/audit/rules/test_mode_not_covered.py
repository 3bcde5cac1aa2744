"""What no drill asks for is told, so that nobody takes it for proven."""

from supervisor.audit.folding import folded
from supervisor.audit.rules.mode_not_covered import mode_not_covered
from tests.fakes.audit_findings import audited
from tests.fakes.topologies import group

MODES = {
    "ears": "audio_transcription",
    "also-ears": "audio_transcription",
    "brush": "image_generation",
    "words": "chat",
    "numbers": "embedding",
    "old": None,
}


def test_groups_of_other_modes_are_told_by_mode():
    """Those that chat or embed, or do not say, are drilled."""
    groups = {name: group(name, mode=mode) for name, mode in MODES.items()}
    found = folded(mode_not_covered(audited({name: [] for name in MODES}, groups=groups)))
    assert [(one.severity, one.groups or (one.subject,)) for one in found] == [
        ("info", ("also-ears", "ears")),
        ("info", ("brush",)),
    ]
