"""The service where it lives: installed by its note, killed, frozen, rebooted, upgraded, removed.

The tests of one machine follow each other; the last one removes the service.
"""

import json
import re
import shutil
from pathlib import Path

from tests.box.conftest import NEW, OLD, Installed, commands_of

UNITS = "understudy-witness.socket understudy.service"
PORT = "ss --no-header --listening --tcp --numeric 'sport = :8941'"


# Traces of Debian's own commands, and of the stranger.
FOREIGN = ("etc/subgid", "etc/subuid", "etc/sysusers.d", "var/lib/apt", "var/tmp/systemd-private")


def override(installed: Installed, *settings: str) -> None:
    """Change the unit as its owner would, for this boot only; without *settings* no more."""
    folder = "/run/systemd/system/understudy.service.d"
    lines = "\\n".join(("[Service]", *settings))
    change = f"mkdir -p {folder}; printf '{lines}\\n' > {folder}/test.conf"
    installed.box.sh(f"{change if settings else f'rm -rf {folder}'}; systemctl daemon-reload")


def test_the_note_leads_to_a_proven_path(installed: Installed):
    """Nothing but its commands, and what was written is right."""
    box = installed.box
    assert installed.active()
    assert box.show("NotifyAccess", "StatusText")["StatusText"] != ""
    known = box.until(
        lambda: (found := box.understudy("status"))["states"].get("proven") and found,
        "a proven path",
    )
    assert known["problems"] == []
    assert box.understudy("service", "status")["problems"] == []
    status = box.until(
        lambda: "proven" in (text := box.show("StatusText")["StatusText"]) and text, "a sentence"
    )
    assert re.match(r"(All )?\d+ (of \d+ )?fallback paths proven", status)


def test_systemd_finds_nothing_wrong_with_the_units(installed: Installed):
    """No warning, and an exposure of at most 1.5."""
    assert installed.box.sh(f"systemd-analyze verify {UNITS} 2>&1") == ""
    exposure = installed.box.sh("systemd-analyze security --threshold=15 understudy.service")
    assert "Overall exposure level" in exposure


def test_a_killed_daemon_comes_back_and_nobody_takes_its_port(installed: Installed):
    """The port is held by systemd alone while it is down."""
    before = installed.pid()
    held = installed.box.sh(f"kill -KILL {before}; {PORT} --processes")
    assert '"systemd"' in held
    installed.box.until(lambda: installed.back(before), "the daemon's return")
    assert installed.box.understudy("status")["states"]["proven"] > 0


def test_a_frozen_daemon_is_restarted_by_its_watchdog(installed: Installed):
    """It runs and does nothing; only its silence is noticed."""
    box, before = installed.box, installed.pid()
    try:
        override(installed, "WatchdogSec=20")
        box.sh("systemctl restart understudy")
        before = installed.pid()
        box.sh(f"kill -STOP {before}")
        box.until(lambda: installed.back(before), "the daemon's return")
        log = box.sh("journalctl --unit understudy --no-pager --lines 30")
        assert "Watchdog timeout" in log
        assert "Failed with result 'watchdog'" in log
    finally:
        override(installed)
        box.sh("systemctl restart understudy")


def test_a_reload_takes_a_new_file_and_reports_a_bad_one(installed: Installed):
    """The command fails, the daemon goes on with the old one and says why; then all is well."""
    box, before = installed.box, installed.pid()
    file = installed.box.root / "etc/understudy/understudy.yaml"
    good = file.read_text()

    def refused() -> str | None:
        known = json.loads(box.sh("curl --silent http://127.0.0.1:8940/api/v1/status"))
        reason: str | None = known["reload_refused"]
        return reason

    try:
        file.write_text(f"{good}\nnonsense: 1\n")
        ran = box.run("systemctl", "reload", "understudy")
        assert ran.returncode != 0
        # The command would read the broken file, too.
        box.until(lambda: "nonsense: unknown key" in (refused() or ""), "the refusal")
        assert (installed.pid(), installed.active()) == (before, True)
        file.write_text(f"{good}\nschedule: {{engine_share: 0.01}}\n")
        box.sh("systemctl reload understudy")
        box.until(lambda: not refused(), "the reload")
        assert installed.pid() == before
    finally:
        file.write_text(good)
        box.sh("systemctl reload understudy")


def test_secrets_are_readable_by_nobody_else(installed: Installed):
    """Not the key, its copy, the token or the record; nor do environment and unit hold it."""
    box, key = installed.box, installed.lab.key
    pid = installed.pid()
    box.sh("id stranger >/dev/null 2>&1 || useradd stranger")
    hidden = box.sh(
        "find /etc/understudy /run/credentials/understudy.service /var/lib/understudy -type f"
    ).splitlines()
    assert len(hidden) >= 5
    for path in (*hidden, f"/proc/{pid}/environ", f"/proc/{pid}/mem"):
        ran = box.run("sudo", "-u", "stranger", "cat", path)
        assert (ran.returncode, ran.stdout) == (1, ""), path
    assert key in box.sh("cat /run/credentials/understudy.service/LITELLM_KEY")
    assert key not in box.sh(
        f"cat /proc/{pid}/environ /proc/{pid}/cmdline; systemctl cat understudy"
    )
    assert key not in box.sh("systemctl show understudy; journalctl --no-pager")


SANDBOX = """
import ctypes, json, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def tried(what):
    try:
        return what() or "done"
    except BaseException as error:
        return type(error).__name__
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
def write(path):
    with open(path, "w") as file:
        file.write("x")
state = os.environ["STATE_DIRECTORY"]
print("SANDBOX " + json.dumps({
    "etc": tried(lambda: write("/etc/understudy/x")),
    "program": tried(lambda: write("/opt/understudy/x")),
    "home": tried(lambda: os.listdir("/root")),
    "ptrace": tried(lambda: call("ptrace", 16, os.getppid(), 0, 0)),
    "raw": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()),
    "packet": tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
    "mount": tried(lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, 0)),
    "namespace": tried(lambda: call("unshare", 0x10000000)),
    "code": tried(lambda: mmap.mmap(-1, 4096, prot=7).close()),
    "others": tried(lambda: "seen" if os.path.exists("/proc/1/status") else "hidden"),
    "state": tried(lambda: (write(state + "/x"), os.unlink(state + "/x"))[1]),
    "tcp": tried(lambda: socket.create_server(("127.0.0.1", 0)).close()),
}))
"""


def test_the_sandbox_refuses_what_it_should(installed: Installed):
    """A program in the service's own sandbox; what the daemon needs, it can do."""
    box = installed.box
    (box.root / "opt/understudy/sandbox.py").write_text(SANDBOX)
    unit = (box.root / "etc/systemd/system/understudy.service").read_text()
    unit = re.sub(r"(?m)^Type=.*", "Type=oneshot", unit)
    unit = re.sub(
        r"(?m)^ExecStart=.*",
        "ExecStart=/opt/understudy/bin/python /opt/understudy/sandbox.py",
        unit,
    )
    unit = re.sub(r"(?m)^(Restart|Watchdog|ExecReload).*\n", "", unit)
    probe = box.root / "etc/systemd/system/understudy-sandbox.service"
    probe.write_text(unit)
    try:
        box.sh("systemctl daemon-reload; systemctl start understudy-sandbox")
        log = box.sh("journalctl --unit understudy-sandbox --output cat --no-pager")
        (line,) = [line for line in log.splitlines() if line.startswith("SANDBOX ")]
        assert json.loads(line.removeprefix("SANDBOX ")) == {
            "etc": "OSError",
            "program": "OSError",
            "home": "PermissionError",
            "ptrace": "PermissionError",
            "raw": "PermissionError",
            "packet": "OSError",
            "mount": "PermissionError",
            "namespace": "PermissionError",
            "code": "PermissionError",
            "others": "hidden",
            "state": "done",
            "tcp": "done",
        }
    finally:
        probe.unlink()
        (box.root / "opt/understudy/sandbox.py").unlink()
        box.sh("systemctl daemon-reload")


def test_a_stop_is_clean_within_ten_seconds(installed: Installed):
    """Systemd would kill it after that, and say so."""
    box = installed.box
    try:
        override(installed, "TimeoutStopSec=10")
        box.sh(f"systemctl stop {UNITS}")
        assert box.show("Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
        assert box.sh(PORT) == ""
        assert box.sh("pgrep --full '[b]in/understudy' || true") == ""
    finally:
        override(installed)
        box.sh(f"systemctl start {UNITS}")


def test_a_daemon_that_cannot_start_is_tried_again_and_its_port_stays_held(installed: Installed):
    """A caller at the held port has it started, fails, and is sent away; then it is mended."""
    box = installed.box
    file = box.root / "etc/understudy/understudy.yaml"
    good = file.read_text()
    try:
        file.write_text(f"{good}\nnonsense: 1\n")
        assert box.run("systemctl", "restart", "understudy").returncode != 0
        assert (
            box.run("curl", "--silent", "--max-time", "60", "http://127.0.0.1:8941/").stdout == ""
        )
        assert box.show("ActiveState", unit="understudy-witness.socket")["ActiveState"] == "active"
        assert box.sh(PORT) != ""
        assert box.run("understudy", "service", "status").returncode == 1
        file.write_text(good)
        box.until(installed.active, "the daemon's return without a person's help")
    finally:
        file.write_text(good)


def test_what_fails_to_start_is_put_back(installed: Installed):
    """An installation over a running one: the old daemon goes on, with its old file."""
    box, before = installed.box, (installed.box.root / "etc/understudy/understudy.yaml").read_text()
    (box.root / "root/bad.yaml").write_text(f'{before}\nweb: {{listen: ["192.0.2.1:8940"]}}\n')
    ran = box.run("understudy", "service", "install", "--config", "/root/bad.yaml")
    assert ran.returncode == 1
    assert "the API cannot listen on 192.0.2.1:8940" in ran.stderr
    assert (box.root / "etc/understudy/understudy.yaml").read_text() == before
    assert installed.active()


def test_upgrade_and_way_back_keep_the_store(installed: Installed, wheels: dict[str, Path]):
    """The newer one changes the schema; the way back has everything of before the upgrade."""
    box, home = installed.box, installed.box.root / "root"
    proven = box.understudy("status")["states"]["proven"]
    for wheel in wheels.values():
        shutil.copy(wheel, home)
    upgrade, back = filter(None, commands_of("Upgrade, and the way back").splitlines())
    installed.follow(upgrade.replace("understudy-NEW.whl", wheels[NEW].name))
    assert box.sh("understudy --version").split() == ["understudy", NEW]
    assert installed.active()
    assert box.understudy("status")["states"]["proven"] >= proven
    assert (box.root / "var/lib/understudy/understudy.db.before-0003").exists()
    installed.follow(back.replace("understudy-OLD.whl", wheels[OLD].name))
    assert box.sh("understudy --version").split() == ["understudy", OLD]
    assert installed.active()
    assert box.understudy("status")["states"]["proven"] >= proven
    for wheel in wheels.values():
        (home / wheel.name).unlink()


def test_after_a_reboot_everything_is_back(installed: Installed):
    """Without a hand: the port, the daemon, and what it knew."""
    box = installed.box
    proven = box.understudy("status")["states"]["proven"]
    box.reboot()
    box.until(installed.active, "the daemon after the reboot")
    assert box.understudy("status")["states"]["proven"] >= proven
    assert box.understudy("service", "status")["problems"] == []


def test_removing_it_leaves_nothing_but_the_store(installed: Installed):
    """By every file of the machine, compared with before the installation."""
    box = installed.box
    installed.follow(commands_of("Remove"))
    added = box.files() - installed.before
    own = ("opt/understudy", "root/", "home/")
    left = {path for path in added if not path.startswith(own)}
    state = {path for path in left if path.startswith("var/lib/understudy")}
    assert {"var/lib/understudy/understudy.db", "var/lib/understudy/understudy.yaml"} < state
    assert {path for path in left - state if not path.startswith(FOREIGN)} == set()
    assert box.run("getent", "passwd", "understudy").returncode != 0
    assert box.sh(PORT) == ""
    assert "understudy" not in box.sh("systemctl list-units --all --no-pager --plain")
