"""Install mitmproxy, in exact versions, into an environment of its own."""

import hashlib
import subprocess
import sys
from pathlib import Path

VERSION = "11.0.2"
"""The newest that Python 3.11 runs."""

_CONSTRAINTS = Path(__file__).with_name("mitmproxy-constraints.txt")


def mitmdump(directory: Path) -> Path:
    """Make sure that *directory* holds mitmproxy, and return its ``mitmdump``.

    Raises:
        subprocess.CalledProcessError: It could not be installed; pip has said why.
    """
    environment = directory.absolute() / "mitmproxy"
    executable = environment / "bin" / "mitmdump"
    stamp = environment / "understudy-stamp"
    made_from = f"{sys.version} {hashlib.sha256(_CONSTRAINTS.read_bytes()).hexdigest()}"
    if executable.exists() and stamp.exists() and stamp.read_text() == made_from:
        return executable
    print(f"Installing mitmproxy {VERSION} into {environment}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
    subprocess.run(
        [
            *(str(environment / "bin" / "python"), "-m", "pip", "install", "-qq"),
            *("--disable-pip-version-check", "--constraint", str(_CONSTRAINTS)),
            f"mitmproxy=={VERSION}",
        ],
        check=True,
    )
    stamp.write_text(made_from)
    return executable
