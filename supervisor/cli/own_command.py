"""How this command is called in another terminal, whose ``PATH`` may lack it."""

import shlex
import shutil
import sys
from pathlib import Path

NAME = "understudy"


def own_command() -> str:
    """Write it for a shell: its name where that is this very program, else its whole path."""
    own = _script()
    found = shutil.which(NAME)
    if own is None or (found is not None and Path(found).resolve() == own.resolve()):
        return NAME
    return shlex.quote(str(own.absolute()))


def _script() -> Path | None:
    """Find the installed script: what was called, or else what is beside this Python."""
    for script in (Path(sys.argv[0]), Path(sys.executable).parent / NAME):
        if script.name == NAME and script.is_file():
            return script
    return None
