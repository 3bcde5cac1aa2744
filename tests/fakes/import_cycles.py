"""Find modules that cannot be imported first, because one of those that they need needs them."""

import ast
import graphlib
from collections.abc import Iterator, Mapping

_LATE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def import_cycle(sources: Mapping[str, str]) -> list[str]:
    """Name the modules of a circle, the first again at its end; empty where there is none.

    Without a circle the order in which modules are imported makes no difference. What a function
    imports is imported when it is called, and what types need, never.

    Args:
        sources: The text of each module, by its full name; a package's is its ``__init__``.
    """
    graph = {name: set(_needed(name, ast.parse(text), sources)) for name, text in sources.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def _needed(name: str, tree: ast.AST, known: Mapping[str, str]) -> Iterator[str]:
    for target in _imported(tree):
        parts = target.split(".")
        # The packages around it are run first; those around *name* run already, or have.
        for end in range(1, len(parts) + 1):
            each = ".".join(parts[:end])
            around = name == each or name.startswith(f"{each}.")
            if each in known and each != name and (end == len(parts) or not around):
                yield each


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield what is imported while the module itself is, also as names of their packages."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = str(node.module)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and _is_for_types(node.test):
            yield from (name for each in node.orelse for name in _imported(each))
        elif not isinstance(node, _LATE):
            yield from _imported(node)


def _is_for_types(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
