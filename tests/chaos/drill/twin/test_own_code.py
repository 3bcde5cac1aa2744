"""The user's own callbacks, found by the twin."""

from chaos.drill.twin.own_code import link_own_code


def test_a_twin_finds_the_users_own_code_and_nothing_else(tmp_path):
    """Callbacks live beside the configuration, or in packages there; environments do not."""
    for name in ("own.py", "hooks/mask.py", "pack/deep/a.py", ".git/x.py", "env/lib/b.py", "t/k"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "env/pyvenv.cfg").touch()
    twin = tmp_path / "twin"
    twin.mkdir()
    (twin / "x.py").touch()
    link_own_code(tmp_path, twin)
    assert sorted(path.name for path in twin.iterdir()) == ["hooks", "own.py", "pack", "x.py"]
    assert (twin / "hooks/mask.py").exists()
