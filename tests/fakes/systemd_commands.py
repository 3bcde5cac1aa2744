"""The commands of systemd, as programs that write down how they were called."""

import os
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """#!/bin/sh
echo "$(basename "$0") $*" >> "{folder}/calls"
case "$*" in *--version*) echo "systemd {version} (made up)"; exit 0;; esac
grep -qxF "$(basename "$0") $*" "{folder}/failing" 2>/dev/null && echo "no luck" >&2 && exit 1
cat "{folder}/prints" 2>/dev/null
exit 0
"""
NAMES = ("systemctl", "systemd-sysusers", "systemd-tmpfiles", "journalctl", "userdel", "chown")


@dataclass
class SystemdCommands:
    """What was called, and what is to fail."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        """Every call until now, without those that only look."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if not line.startswith("systemctl is-active")]

    def failing(self, *calls: str) -> None:
        """Let exactly these calls fail."""
        (self.folder / "failing").write_text("\n".join(calls))

    def printing(self, text: str) -> None:
        """Let every call print this."""
        (self.folder / "prints").write_text(text)


def systemd_commands(folder: Path, monkeypatch, *, version: int = 257) -> SystemdCommands:
    """Put them first in the path."""
    folder.mkdir()
    for name in NAMES:
        file = folder / name
        file.write_text(SCRIPT.format(folder=folder, version=version))
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return SystemdCommands(folder)
