"""Give a twin what its user wrote beside LiteLLM's configuration."""

from pathlib import Path

_CODE = ("*.py", "*/*.py", "*/*/*.py")


def link_own_code(source: Path, directory: Path) -> None:
    """Let the twin find the user's own callbacks, which LiteLLM looks for beside its file.

    Folders count where they, or folders in them, hold Python code.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        link = directory / entry.name
        if not link.exists() and _is_own_code(entry, directory):
            link.symlink_to(entry.resolve())


def _is_own_code(entry: Path, directory: Path) -> bool:
    if entry.suffix == ".py":
        return True
    if entry.name.startswith(".") or entry.name == "__pycache__" or not entry.is_dir():
        return False
    if (entry / "pyvenv.cfg").exists() or directory.resolve().is_relative_to(entry.resolve()):
        return False
    return any(any(entry.glob(pattern)) for pattern in _CODE)
