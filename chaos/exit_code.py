"""How a command ends, for scripts and for CI: the one list of the exit codes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What each number says; a command's help names those that it can end with.

    A command that a signal stopped, and that has no result to report, ends with 128 and the
    signal's number, as a shell would say it (``supervisor.stop``).
    """

    OK = 0
    """Every drill passed; nothing was found; everything can be done."""

    FAILED = 1
    """A drill failed; an audit found an error or a warning; something keeps drills from working."""

    ERROR = 2
    """Nothing could be said: a wrong option or configuration, or a gateway that cannot be asked."""

    INCONCLUSIVE = 3
    """No drill failed, and something was not proven."""

    STOPPED = 4
    """Drills were ended by a signal; none of those before had failed."""

    INTERNAL = 70
    """A defect of Understudy kept it from ending its work: please report it (EX_SOFTWARE)."""
