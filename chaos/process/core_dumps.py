"""Leave no memory behind: keys are in it, and a core dump is a file that anybody may be sent."""

import resource
from contextlib import suppress
from pathlib import Path

_FILTER = Path("/proc/self/coredump_filter")


def forbid_core_dumps() -> None:
    """Have the kernel write no core of this process, nor of any that it starts.

    Where cores go to a program (systemd-coredump, apport), the limit alone does not hold, so the
    filter keeps every page of memory out of them as well. Source: core(5).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # no /proc, as in some sandboxes
        _FILTER.write_text("0")
