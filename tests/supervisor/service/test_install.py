"""The service is installed step by step, and put back if a step fails."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.errors import UsageError
from supervisor.service import install as module
from supervisor.service.host import ServiceError
from supervisor.service.install import STORE, Wish, install, with_store
from supervisor.service.units import Machine
from supervisor.settings.file import parse_settings

CONFIG = "gateway:\n  url: http://127.0.0.1:4000\n  key: {env: KEY}\n"
MACHINE = Machine(257, Path("/opt/understudy/bin/understudy"), "1.2.3")
STARTED = [
    "systemctl daemon-reload",
    "systemctl enable --quiet understudy-witness.socket understudy.service",
    "systemctl start understudy-witness.socket",
]


@pytest.fixture
def wish(monkeypatch: pytest.MonkeyPatch) -> Wish:
    """A configuration with one key, in the environment."""
    monkeypatch.setenv("KEY", "sk-1")
    return Wish(MACHINE, CONFIG, "understudy.yaml", {"KEY": "sk-1"})


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is not there before the first installation."""
    monkeypatch.setattr(module, "user_exists", lambda _: False)


def files(root: Path) -> dict[str, str]:
    """Read everything on the machine."""
    return {
        str(file.relative_to(root)): file.read_text() for file in root.rglob("*") if file.is_file()
    }


def test_everything_is_written_then_started(host, root: Path, commands, wish: Wish):
    """In this order: user, folders, configuration, key, units, port, daemon."""
    install(host(), wish)
    written = files(root)
    assert sorted(written) == [
        "etc/systemd/system/understudy-witness.socket",
        "etc/systemd/system/understudy.service",
        "etc/sysusers.d/understudy.conf",
        "etc/tmpfiles.d/understudy.conf",
        "etc/understudy/credentials/KEY",
        "etc/understudy/understudy.yaml",
    ]
    assert written["etc/understudy/credentials/KEY"] == "sk-1\n"
    key = root / "etc/understudy/credentials/KEY"
    config = root / "etc/understudy/understudy.yaml"
    assert (stat.S_IMODE(key.stat().st_mode), stat.S_IMODE(config.stat().st_mode)) == (
        0o600,
        0o640,
    )
    assert "sk-1" not in "".join(text for name, text in written.items() if "KEY" not in name)
    assert "LoadCredential=KEY:" in written["etc/systemd/system/understudy.service"]
    command = root / "usr/local/bin/understudy"
    assert command.readlink() == Path("/opt/understudy/bin/understudy")
    assert commands.calls == [
        "systemd-sysusers /etc/sysusers.d/understudy.conf",
        "systemd-tmpfiles --create /etc/tmpfiles.d/understudy.conf",
        *STARTED,
        "systemctl restart understudy.service",
    ]


def test_a_second_run_restarts_nothing(host, root: Path, commands, wish: Wish):
    """Whoever automates it runs it every night."""
    install(host(), wish)
    before, called = files(root), len(commands.calls)
    install(host(), replace(wish, environment={}))
    assert files(root) == before
    assert commands.calls[called + 2 :] == [*STARTED, "systemctl start understudy.service"]


def test_a_configuration_that_was_changed_is_kept(host, root: Path, commands, wish: Wish):
    """Somebody runs the note again with the file of the first day."""
    install(host(), wish)
    file = root / "etc/understudy/understudy.yaml"
    changed = f"{file.read_text()}\n# what I have learnt since\n"
    file.write_text(changed)
    install(host(), wish)
    kept = root / "etc/understudy/understudy.yaml.before"
    assert kept.read_text() == changed
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert "learnt" not in file.read_text()


def test_a_new_version_is_a_restart(host, commands, wish: Wish):
    """The upgrade is: pip install, and this."""
    install(host(), wish)
    install(host(), replace(wish, machine=replace(MACHINE, version="1.2.4")))
    assert commands.calls[-1] == "systemctl restart understudy.service"


def test_a_port_that_moves_is_let_go_first(host, commands, wish: Wish):
    """Systemd moves no socket while its service runs."""
    install(host(), wish)
    moved = f'{CONFIG}witness: {{listen: ["127.0.0.1:9000"], url: "http://127.0.0.1:9000"}}\n'
    install(host(), replace(wish, config=moved))
    assert commands.calls[-3:] == [
        "systemctl stop understudy.service understudy-witness.socket",
        "systemctl start understudy-witness.socket",
        "systemctl restart understudy.service",
    ]


@pytest.mark.parametrize(
    "step",
    [
        "systemd-sysusers /etc/sysusers.d/understudy.conf",
        "systemd-tmpfiles --create /etc/tmpfiles.d/understudy.conf",
        *STARTED,
        "systemctl restart understudy.service",
    ],
)
def test_a_first_installation_that_fails_leaves_nothing(
    step: str, host, root: Path, commands, wish: Wish
):
    """At whichever step: no file, no unit that is enabled, no user."""
    commands.failing(step)
    with pytest.raises(ServiceError, match=r"no luck|does not start"):
        install(host(), wish)
    assert files(root) == {}
    assert not (root / "usr/local/bin/understudy").is_symlink()
    after = commands.calls[commands.calls.index(step) + 1 :]
    assert "userdel understudy" in after
    if step in STARTED or "restart" in step:
        assert "systemctl disable --quiet understudy-witness.socket understudy.service" in after
    assert "systemctl start understudy-witness.socket understudy.service" not in after


def test_an_upgrade_that_fails_goes_on_with_what_was(
    host, root: Path, commands, wish: Wish, monkeypatch
):
    """The old units are back before the old daemon is started again."""
    install(host(), wish)
    monkeypatch.setattr(module, "user_exists", lambda _: True)
    monkeypatch.setattr(module, "active", lambda _: True)
    before = files(root)
    commands.failing("systemctl restart understudy.service")
    commands.printing("error: something is wrong with 1.2.4\n")
    with pytest.raises(ServiceError, match=r"does not start.*\n.*wrong with 1\.2\.4"):
        install(host(), replace(wish, machine=replace(MACHINE, version="1.2.4")))
    assert files(root) == before
    assert commands.calls[-2:] == [
        "systemctl daemon-reload",
        "systemctl start understudy-witness.socket understudy.service",
    ]
    assert not any("disable" in call or "userdel" in call for call in commands.calls)


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        ("engines: {}", ["gateway.url: no gateway is named"]),
        (
            f"{CONFIG}store: {{keep_verdicts: 5}}\ntwin: {{litellm_config: /root/litellm.yaml}}",
            [
                f"store.url: not set; write {STORE} under store:",
                "twin.litellm_config: /root/litellm.yaml: services cannot see this folder",
                "gateway.key: /etc/understudy/credentials/KEY is not there",
            ],
        ),
    ],
)
def test_every_problem_is_named_before_anything_is_changed(
    config: str, problems: list[str], host, root: Path, commands, wish: Wish, monkeypatch
):
    """All of them at once."""
    monkeypatch.delenv("KEY")
    with pytest.raises(ServiceError) as refused:
        install(host(), replace(wish, config=config, environment={}))
    assert all(problem in refused.value.message for problem in problems)
    assert (files(root), commands.calls) == ({}, [])


def test_a_broken_configuration_is_refused(host, root: Path, wish: Wish):
    """As every command refuses it."""
    with pytest.raises(UsageError, match="unknown key"):
        install(host(), replace(wish, config="nonsense: 1"))
    assert files(root) == {}


def test_a_dry_run_changes_nothing(host, root: Path, commands, said: list[str], wish: Wish):
    """It shows the units, and no key."""
    install(host(dry=True), wish)
    assert (files(root), commands.calls) == ({}, [])
    assert "LoadCredential=KEY:" in "\n".join(said)
    assert "sk-1" not in "\n".join(said)


def test_the_store_is_named_so_that_every_command_finds_it():
    """In the file itself; one that is named stays."""
    text, problems = with_store(CONFIG, "x")
    url = parse_settings(text, name="x").store.url
    assert (url.get_secret_value() if url else None, problems) == (STORE, [])
    assert with_store(text, "x") == (text, [])


@pytest.mark.parametrize("config", ["{gateway: {url: 'http://g'}}", "store:\n  # url: x\n"])
def test_a_store_that_cannot_be_named_is_a_problem(config: str):
    """Nobody's file is written anew by guessing."""
    assert with_store(config, "x") == (
        config,
        [f"store.url: not set; write {STORE} under store:"],
    )
