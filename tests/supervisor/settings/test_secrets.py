"""Where secrets are kept, and that none is overlooked."""

from pathlib import Path

import pytest

from chaos.errors import UsageError
from supervisor.settings import values
from supervisor.settings.file import parse_settings
from supervisor.settings.secrets import secrets_of
from supervisor.settings.values import Secret

EVERYWHERE = """
gateway: {url: "http://127.0.0.1:4000", key: {env: KEY}, admin_key: {file: /etc/keys/admin}}
engines: {gemma: {url: "http://127.0.0.1:8000", key: {credential: engine-key}}}
heartbeats: {agent: {period: 1m, secret: {env: BEAT}}}
notifiers:
  ops: {webhook: {url: {env: HOOK}, secret: {env: HMAC}, token: {env: BEARER}}}
  open: {webhook: {url: "http://127.0.0.1:9000"}}
  phone: {apprise: {url: {env: NTFY}}}
store: {url: "postgresql://understudy@127.0.0.1/understudy", password: {env: PASSWORD}}
web: {token: {env: TOKEN}}
"""


@pytest.fixture
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which systemd hands over credentials."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which root keeps them."""
    folder = tmp_path_factory.mktemp("kept")
    monkeypatch.setattr(values, "CREDENTIALS", folder)
    return folder


def test_every_secret_is_found_by_its_setting():
    """Wherever it is in the file; an address without a secret is none."""
    found = secrets_of(parse_settings(EVERYWHERE, name="understudy.yaml"))
    assert {path: secret.credential_name for path, secret in found.items()} == {
        "gateway.key": "KEY",
        "gateway.admin_key": "etc-keys-admin",
        "engines.gemma.key": "engine-key",
        "heartbeats.agent.secret": "BEAT",
        "notifiers.ops.webhook.url": "HOOK",
        "notifiers.ops.webhook.secret": "HMAC",
        "notifiers.ops.webhook.token": "BEARER",
        "notifiers.phone.apprise.url": "NTFY",
        "store.password": "PASSWORD",
        "web.token": "TOKEN",
    }


@pytest.mark.parametrize(
    "secret",
    [Secret(credential="k"), Secret(env="k"), Secret(file=Path("/k"))],
    ids=["credential", "env", "file"],
)
def test_a_service_reads_what_systemd_hands_to_it(handed: Path, secret: Secret):
    """The same configuration works on the command line and as a service."""
    (handed / "k").write_text("sk-handed\n")
    assert secret.reveal().get_secret_value() == "sk-handed"


def test_a_variable_that_is_set_comes_first(handed: Path, monkeypatch: pytest.MonkeyPatch):
    """Somebody has set it for this command."""
    (handed / "K").write_text("sk-handed")
    monkeypatch.setenv("K", "sk-set")
    assert Secret(env="K").reveal().get_secret_value() == "sk-set"


@pytest.mark.parametrize("secret", [Secret(credential="K"), Secret(env="K")])
def test_root_reads_a_credential_where_it_is_kept(kept: Path, secret: Secret):
    """``sudo understudy drill`` needs no other key than the service's."""
    (kept / "K").write_text("sk-kept")
    assert secret.reveal().get_secret_value() == "sk-kept"


def test_a_file_is_read_itself_where_no_service_runs(kept: Path, tmp_path: Path):
    """A copy that was handed over earlier is not newer than the file."""
    file = tmp_path / "key"
    file.write_text("sk-file")
    (kept / str(file).strip("/").replace("/", "-")).write_text("sk-old")
    assert Secret(file=file).reveal().get_secret_value() == "sk-file"


def test_a_missing_credential_is_named(kept: Path):
    """With the place where it was expected."""
    with pytest.raises(UsageError, match="gone cannot be read: No such file"):
        Secret(credential="gone").reveal()


@pytest.mark.parametrize("name", ["../token", "a/b", "", ".hidden"])
def test_a_credential_s_name_is_no_path(name: str):
    """It can name nothing outside of the folder."""
    with pytest.raises(ValueError, match="credential"):
        Secret(credential=name)
