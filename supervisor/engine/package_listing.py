"""List the parsers and the flags that an installed vLLM offers, without importing it.

Understudy sends this file's text to the engine's own Python, so it uses nothing but the standard
library, and no syntax newer than Python 3.9. Importing vLLM would take ten seconds and a GPU's
driver; its source is read instead: a dictionary of names since December 2025, decorators before.
Prints ``{"version": ..., "tool": {NAME: CLASS}, "reasoning": {NAME: CLASS}, "flags": [FLAG]}``, or
``{}`` where there is no vLLM; two names of one class are the same parser, and ``--no-`` before a
flag is none of its own. Of vLLM 0.32.0 the flags are those that ``vllm serve --help=all`` shows.
"""

import ast
import importlib.util
import json
import pathlib

PLACES = {
    "tool": ("tool_parsers", "entrypoints/openai/tool_parsers"),
    "reasoning": ("reasoning",),
}
COMMAND_LINE = (
    "engine/arg_utils.py",
    "entrypoints/**/cli_args.py",
    "entrypoints/cli/serve.py",
    "entrypoints/cli/launch.py",
    "entrypoints/utils.py",
    "utils/argparse*.py",
)
"""Where flags are declared, in this year's vLLM and the last's."""


def texts_of(node: ast.AST) -> list[str]:
    """List the plain texts right below *node*."""
    return [
        child.value
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and isinstance(child.value, str)
    ]


def registered(tree: ast.Module) -> dict[str, str]:
    """Read what a module registers: a dictionary of names, or classes under a decorator."""
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values):  # noqa: B905 -- Python 3.9
                for name in texts_of(key) if key else ():
                    names[name] = ".".join(texts_of(value))
    for anything in ast.walk(tree):
        for decorator in getattr(anything, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and "register_module" in ast.dump(decorator.func):
                given = [*decorator.args, *(k.value for k in decorator.keywords if k.arg == "name")]
                for name in (text for argument in given for text in texts_of(argument)):
                    names[name] = str(getattr(anything, "name", ""))
    return names


def parsed(file: pathlib.Path) -> ast.Module:
    """Read a source file; an empty one where it cannot be read."""
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ast.parse("")


def names_in(folder: pathlib.Path) -> dict[str, str]:
    """Read the parsers of one folder, the dictionary before the decorators."""
    names = registered(parsed(folder / "__init__.py"))
    if not names:
        for file in sorted(folder.glob("*.py")):
            names.update(registered(parsed(file)))
    return names


def version_in(package: pathlib.Path) -> object:
    """Read ``__version__ = version = '0.32.0'``; None where it is written otherwise."""
    for node in parsed(package / "_version.py").body:
        names = [getattr(name, "id", "") for name in getattr(node, "targets", ())]
        if isinstance(node, ast.Assign) and {"version", "__version__"} & {*names}:
            return getattr(node.value, "value", None)
    return None


def flags_in(package: pathlib.Path) -> list[str]:
    """Read every flag that is declared, and every field of the server's arguments."""
    flags: set[str] = set()
    for file in sorted({file for place in COMMAND_LINE for file in package.glob(place)}):
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                given = [argument for argument in node.args if isinstance(argument, ast.Constant)]
                flags.update(text for each in given for text in texts_of(each) if text[:1] == "-")
            elif isinstance(node, ast.ClassDef) and node.name.endswith("FrontendArgs"):
                fields = [field.target for field in node.body if isinstance(field, ast.AnnAssign)]
                names = [target.id for target in fields if isinstance(target, ast.Name)]
                flags.update("--" + name.replace("_", "-") for name in names)
    return sorted(flags)


def listing() -> dict[str, object]:
    """Read everything; empty where there is no vLLM."""
    spec = importlib.util.find_spec("vllm")
    if spec is None or not spec.submodule_search_locations:
        return {}
    package = pathlib.Path(next(iter(spec.submodule_search_locations)))
    found: dict[str, object] = {"version": version_in(package)}
    for kind, places in PLACES.items():
        folders = (package / place for place in places)
        found[kind] = next((names for folder in folders if (names := names_in(folder))), {})
    found["flags"] = flags_in(package)
    return found


if __name__ == "__main__":
    print(json.dumps(listing()))  # noqa: T201 -- its purpose
