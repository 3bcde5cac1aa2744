"""Read LiteLLM's own configuration file, for what the running gateway does not tell.

Values that name the environment (``os.environ/NAME``) stay as they are: nothing here needs them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from chaos.errors import UsageError

REMEDY = "Give --litellm-config the file that the gateway was started with."


def read_litellm_config(path: Path) -> Mapping[str, Any]:
    """Read the file at *path* and what it includes.

    Raises:
        UsageError: It or an included file cannot be read, or holds no sections.
    """
    return _read(path, frozenset({path.resolve()}))


def _read(path: Path, including: frozenset[Path]) -> dict[str, Any]:
    config = _load(path)
    includes = config.pop("include", None) or []
    if not isinstance(includes, list):
        raise UsageError(f"{path}: include: not a list of files", remedy=REMEDY)
    for name in includes:
        inner = (path.parent / str(name)).resolve()
        if inner in including:
            continue
        for key, value in _read(inner, including | {inner}).items():
            # Lists are joined, everything else is replaced. Source: LiteLLM 1.106.2.
            if isinstance(value, list) and isinstance(config.get(key), list):
                config[key] = [*config[key], *value]
            else:
                config[key] = value
    return config


def _load(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {why}", remedy=REMEDY) from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(
            f"{path}: not YAML{where}: {getattr(error, 'problem', None) or error}", remedy=REMEDY
        ) from error
    if not isinstance(raw, Mapping):
        raise UsageError(f"{path}: holds no sections such as model_list", remedy=REMEDY)
    return {str(key): value for key, value in raw.items()}
