"""Build Understudy's wheel and fetch what it needs, for one Python on one machine.

    python .ci/wheelhouse.py FOLDER [--python 3.13] [--machine aarch64] [--wheel FILE]
    python .ci/wheelhouse.py --all

Only wheels are taken, at the versions of requirements-dev.txt: what comes together here installs
there without a compiler. With --all it is done for every Python and machine that is supported, and
nothing is kept but the answer.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
EXTRAS = "[postgresql]"
CONNECTION_TRIES = 3


def build(folder: Path) -> Path:
    """Build the wheel of this clone into *folder*, and give its file."""
    for old in folder.glob("understudy-*.whl"):
        old.unlink()
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("understudy-*.whl")
    return wheel


def fetch(folder: Path, wheel: Path, python: str, machine: str) -> None:
    """Fetch everything that *wheel* needs into *folder*; what is there is not fetched again."""
    platforms = [
        f"manylinux_2_28_{machine}",
        f"manylinux_2_17_{machine}",
        f"manylinux2014_{machine}",
    ]
    _pip(
        *("download", "--only-binary=:all:", "--python-version", python, "--dest", str(folder)),
        *(argument for each in platforms for argument in ("--platform", each)),
        *("--find-links", str(folder), "--constraint", str(ROOT / "requirements-dev.txt")),
        f"{wheel}{EXTRAS}",
    )


def _pip(command: str, *arguments: str) -> None:
    line = [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check"]
    for tries in range(1, CONNECTION_TRIES + 1):
        done = subprocess.run([*line, *arguments], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        if tries < CONNECTION_TRIES:
            time.sleep(tries)
    sys.exit(f"pip {command} failed {CONNECTION_TRIES} times:\n{done.stdout}{done.stderr}")


def check_all() -> None:
    """Fetch for every Python and machine, and say how much came."""
    with tempfile.TemporaryDirectory() as built:
        wheel = build(Path(built))
        for machine, python in product(MACHINES, PYTHONS):
            with tempfile.TemporaryDirectory() as folder:
                fetch(Path(folder), wheel, python, machine)
                files = list(Path(folder).glob("*.whl"))
                size_mb = sum(file.stat().st_size for file in files) / 1e6
                line = f"Python {python} on {machine}: {len(files)} wheels, {size_mb:.0f} MB\n"
                sys.stdout.write(line)
                sys.stdout.flush()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--python", default="{}.{}".format(*sys.version_info))
    parser.add_argument("--wheel", type=Path, help="one that was built before")
    parser.add_argument("--machine", default=platform.machine(), choices=MACHINES)
    parser.add_argument(
        "--all", action="store_true", help="every Python and machine, and keep nothing"
    )
    given = parser.parse_args()
    if given.all:
        check_all()
        return
    if given.folder is None:
        parser.error("name the folder for the wheels, or give --all")
    given.folder.mkdir(parents=True, exist_ok=True)
    wheel = given.wheel or build(given.folder)
    fetch(given.folder, wheel, given.python, given.machine)


if __name__ == "__main__":
    main()
