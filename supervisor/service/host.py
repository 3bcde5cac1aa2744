"""This machine, as far as a service changes it: every change is reported, and has a way back."""

import grp
import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chaos.errors import UnderstudyError


class ServiceError(UnderstudyError):
    """The machine did not let the service be installed, or removed (exit 1)."""


@dataclass(slots=True)
class Host:
    """Where files are written and commands are run.

    Attributes:
        say: Shows what is done, a line each.
        dry: Nothing is changed; what would be is shown.
        root: In front of every path; another folder than ``/`` in tests.
        undo: The ways back, the last change first; kept by whoever takes them.
        changed: Something was written.
    """

    say: Callable[[str], None]
    dry: bool = False
    root: Path = Path("/")
    undo: ExitStack = field(default_factory=ExitStack)
    changed: bool = False

    def at(self, path: Path) -> Path:
        """Place *path* under the root."""
        return self.root / path.relative_to("/")

    def write(
        self,
        path: Path,
        content: bytes,
        *,
        mode: int = 0o644,
        group: str = "",
        secret: bool = False,
    ) -> None:
        """Write a file, whole or not at all; nothing where it is so already.

        Args:
            group: That may read it; by default root's.
            secret: Whether it was changed is shown, and nothing more.

        Raises:
            ServiceError: It cannot be written.
        """
        file = self.at(path)
        before = _read(file)
        if before == content and (self.dry or file.stat().st_mode & 0o777 == mode):
            self.say(f"unchanged  {path}")
            return
        self.changed = True
        verb = "write" if before is None else "change"
        if self.dry:
            shown = [] if secret else [f"    {line}" for line in content.decode().splitlines()]
            self.say("\n".join([f"would {verb}  {path}", *shown]))
            return
        self.undo.callback(self._put_back, file, before, group, mode)
        self._put(file, content, group, mode)
        self.say(f"{verb}  {path}")

    def link(self, path: Path, target: Path) -> None:
        """Make *path* a link to *target*, unless somebody else's file is there.

        Raises:
            ServiceError: It cannot be made.
        """
        file = self.at(path)
        if file.is_symlink() and file.readlink() == target:
            self.say(f"unchanged  {path}")
        elif os.path.lexists(file):
            self.say(f"left alone  {path}: it is not a link to {target}")
        elif self.dry:
            self.say(f"would link  {path} to {target}")
        else:
            _trying(path, lambda: file.symlink_to(target))
            self.undo.callback(lambda: file.unlink(missing_ok=True))
            self.say(f"link  {path} to {target}")

    def remove(self, path: Path) -> None:
        """Remove a file, a link or an empty folder, if it is there.

        Raises:
            ServiceError: It cannot be removed.
        """
        file = self.at(path)
        if not os.path.lexists(file):
            return
        if self.dry:
            self.say(f"would remove  {path}")
            return
        is_folder = file.is_dir() and not file.is_symlink()
        _trying(path, file.rmdir if is_folder else file.unlink)
        self.say(f"remove  {path}")

    def run(self, *command: str, wrong: str = "", remedy: str = "", shown: bool = True) -> str:
        """Run *command* and return what it printed.

        Args:
            wrong: What its failure means; by default its own words.
            shown: Say that it is run; it may change something.

        Raises:
            ServiceError: It failed.
        """
        words = " ".join(command)
        if shown and self.dry:
            self.say(f"would run  {words}")
            return ""
        if shown:
            self.say(f"run  {words}")
        try:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise ServiceError(
                f"{words}: {error.strerror}", remedy=remedy or "This needs systemd."
            ) from error
        if ran.returncode != 0:
            own = (ran.stderr or ran.stdout).strip() or f"exit code {ran.returncode}"
            raise ServiceError(
                f"{wrong or words}: {own}" if wrong else f"{words}: {own}",
                remedy=remedy
                or (
                    "See what the command says; everything was put back."
                    if shown
                    else "This needs a machine that runs systemd."
                ),
            )
        return ran.stdout

    def attempt(self, *command: str) -> None:
        """Run *command* on the way back: it may fail, and nothing follows from that."""
        with suppress(ServiceError):
            self.run(*command)

    def _put(self, file: Path, content: bytes, group: str, mode: int) -> None:
        def put() -> None:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f".{file.name}.unfinished")
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                if group:
                    os.fchown(descriptor, -1, grp.getgrnam(group).gr_gid)
                os.fchmod(descriptor, mode)
                opened.write(content)
            unfinished.replace(file)

        _trying(Path("/") / file.relative_to(self.root), put)

    def _put_back(self, file: Path, before: bytes | None, group: str, mode: int) -> None:
        self.say(f"put back  {Path('/') / file.relative_to(self.root)}")
        if before is None:
            file.unlink(missing_ok=True)
        else:
            self._put(file, before, group, mode)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ServiceError(
            f"{file} cannot be read: {error.strerror}", remedy="Run this as root."
        ) from error


def _trying(path: Path, change: Callable[[], object]) -> None:
    try:
        change()
    except (OSError, KeyError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ServiceError(
            f"{path} cannot be changed: {why}", remedy="Run this as root; nothing was left behind."
        ) from error


def user_exists(name: str) -> bool:
    """Report whether this machine has the user."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def problems_at_once(problems: Sequence[str], what: str) -> None:
    """Raise all problems in one error; nothing if there is none.

    Raises:
        ServiceError: There is one.
    """
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ServiceError(
            "\n".join([f"{what}: {count}", *(f"  {problem}" for problem in problems)]),
            remedy="Nothing was changed. Mend them all, and run it again.",
        )
