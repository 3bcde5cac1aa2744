"""Rules about the shape of the source, so that it stays as easy to find one's way in."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import chaos
import supervisor
from tests.fakes.import_cycles import import_cycle

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("chaos", "supervisor")

# Modules without a twin under tests/, and where they are tested instead, or why they need no test.
TESTED_ELSEWHERE: dict[str, str] = {
    "chaos.drill.requests.asking": "test_driller.py asks with it; test_client.py sends",
    "chaos.drill.requests.follow_ups": "test_driller.py has a drill for each of its questions",
    "chaos.drill.events": "holds what happens; test_rehearsal.py sees it happen",
    "chaos.drill.injector": "a contract; tests/chaos/drill/injectors holds every injector to it",
    "chaos.errors": "holds names only; whoever raises them tests them",
    "chaos.lab.lab_engine": "a contract; the simulated and the real engine are held to it",
    "chaos.process.environment": "tests/chaos/gateway/test_install.py makes environments with it",
    "chaos.protocol.dialect": "a contract; test_registry.py holds every dialect to it",
    "chaos.protocol.format": "a contract; test_registry.py holds every format to it",
    "chaos.traffic.shape": "a contract; test_registry.py holds every shape to it",
    "supervisor.cli.rollout_parts": "commands/test_rollout.py and tests/system/ use every part",
    "supervisor.cli.demo_daemon": "test_demo.py runs it beside a real LiteLLM",
    "supervisor.daemon.upkeep": "test_service.py opens a damaged store; the store tests the rest",
    "supervisor.rollout.docker_host": "tests/system/test_rollouts.py runs it on a real Docker",
    "supervisor.rollout.exchange.restore": "tests/system/test_rollout_swaps.py comes back",
    "supervisor.rollout.exchange.running": "every gate's test makes one",
    "supervisor.rollout.exchange.starting": "tests/system/test_rollout_swaps.py starts them",
    "supervisor.rollout.exchange.swap": "tests/system/test_rollout_swaps.py swaps",
    "supervisor.rollout.stage": "tests/system/test_rollouts.py stages on a real Docker",
    "supervisor.probes.depths.seen": "holds what was seen; test_state.py judges it",
    "supervisor.probes.depths.steps": "test_look.py takes every step",
    "supervisor.alerts.rule": "a contract; test_step.py and the rules' own tests hold to it",
    "supervisor.probes.probe": "a contract; test_runner.py and the kinds keep it",
    "supervisor.web.answers.alerts": "endpoints/test_alerts.py reads every answer of it",
    "supervisor.web.answers.answer": "holds how every answer behaves; the others test it",
    "supervisor.web.answers.benchmarks": "endpoints/test_benchmarks.py reads every answer of it",
    "supervisor.web.answers.parts": "test_status.py and endpoints/test_heartbeats.py read them",
    "supervisor.web.answers.topology": "endpoints/test_snapshot.py reads it",
    "supervisor.web.world": "a contract; tests/fakes/world.py keeps it for tests of the API",
}

# What other Pythons run: ours cannot import it, and nothing of ours does.
FOREIGN = {"chaos.lab.tiny_models.train": "runs in vLLM's Python, where torch is"}
MOST_MODULES = 20
"""In one folder, beside the entries of a registry: more than that, and nobody finds their way."""
ENTRIES = {
    "checks",
    "clients",
    "commands",
    "dialects",
    "endpoints",
    "formats",
    "gates",
    "injectors",
    "kinds",
    "notifiers",
    "rules",
    "shapes",
    "surfaces",
}

MEANINGLESS_NAMES = {"utils", "helpers", "common", "base", "manager", "core", "misc"}

BY_PACKAGE = re.compile(r"^\s*import (?:chaos|supervisor)\.", re.MULTILINE)
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module of ours with its file, packages too."""
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            parts = file.relative_to(REPOSITORY).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if name not in FOREIGN:
                yield name, file


def twin(file: Path) -> Path:
    """Say where the tests of *file* belong."""
    inside = file.relative_to(REPOSITORY)
    return REPOSITORY / "tests" / inside.with_name(f"test_{inside.name}")


def test_both_packages_come_from_this_repository():
    """No other package called supervisor or chaos, supervisord's say, stands in for ours."""
    assert Path(chaos.__file__) == REPOSITORY / "chaos" / "__init__.py"
    assert Path(supervisor.__file__) == REPOSITORY / "supervisor" / "__init__.py"


def test_every_module_has_a_test_twin():
    """Who changes a module finds its tests at the same place under tests/."""
    lonely = [
        f"{name}: write {twin(file).relative_to(REPOSITORY)}"
        for name, file in modules()
        if file.name not in {"__init__.py", "__main__.py"}
        and name not in TESTED_ELSEWHERE
        and not twin(file).exists()
    ]
    assert lonely == []


def test_modules_without_a_twin_exist_and_have_none():
    """The list of exceptions to the rule of twins holds no module that needs none."""
    files = dict(modules())
    outdated = [
        name for name in TESTED_ELSEWHERE if name not in files or twin(files[name]).exists()
    ]
    assert outdated == []


def test_every_folder_of_tests_is_a_package():
    """Without __init__.py equal file names collide, and tests/supervisor hides supervisor."""
    folders = {file.parent for file in (REPOSITORY / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_folder_of_source_is_a_package():
    """A folder without __init__.py is invisible to import-linter."""
    folders = {file.parent for _, file in modules()}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_no_module_is_named_after_nothing():
    """Every file is named after what it holds, none after the lack of a better idea."""
    assert [name for name, _ in modules() if MEANINGLESS_NAMES & set(name.split("."))] == []


def test_no_folder_holds_too_many_modules():
    """A package is a subject: what it holds fits on one screen."""
    held = Counter(file.parent for _, file in modules() if file.parent.name not in ENTRIES)
    assert {str(folder): count for folder, count in held.items() if count > MOST_MODULES + 1} == {}


def test_a_package_s_own_init_imports_nothing():
    """A contract never loads its registry: only folders of entries import, to list them."""
    importing = [
        name
        for name, file in modules()
        if file.name == "__init__.py"
        and file.parent.name not in ENTRIES
        and any(
            isinstance(node, ast.Import | ast.ImportFrom)
            for node in ast.parse(file.read_text()).body
        )
    ]
    assert importing == []


ASKS = {"get", "post", "put", "patch", "delete", "head", "request"}


def test_no_request_of_ours_follows_a_redirect_or_has_a_client_of_its_own():
    """A 307 carries the key and the prompt to whoever it names; cookies and netrc carry more."""
    loose = []
    for name, file in modules():
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            where = f"{name}:{node.lineno}"
            if node.func.attr == "ClientSession" and name != "chaos.http_client":
                loose.append(f"{where} makes a client: use chaos.http_client.open_session")
            asked = ast.unparse(node.func.value).split(".")[-1].lstrip("_")
            stays = {k.arg: ast.unparse(k.value) for k in node.keywords}.get("allow_redirects")
            if node.func.attr in ASKS and asked == "session" and stays != "False":
                loose.append(f"{where} follows redirects: add allow_redirects=False")
    assert loose == []


def test_every_module_can_be_imported_first():
    """No module relies on another having been imported before it: none needs itself."""
    sources = {name: file.read_text() for name, file in modules()}
    assert import_cycle(sources) == []
    # Names of ours are imported; a module is not used through its package, where it may be missing.
    assert [name for name, text in sources.items() if BY_PACKAGE.search(text)] == []
    names = [name for name in sources if not name.endswith("__main__")]
    tried = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *names],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_every_test_states_a_behaviour():
    """Every test has a docstring of one sentence: a statement that could be false."""
    silent = [
        f"{file.relative_to(REPOSITORY)}:{node.lineno} {node.name}"
        for file in sorted((REPOSITORY / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").endswith(".")
    ]
    assert silent == []
