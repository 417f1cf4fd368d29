"""The settings of single sign-on belong together, and need the extra ``oidc``."""

import subprocess
import sys
from pathlib import Path

import pytest

from scimsvc.settings import SettingsError, check_settings, read_settings
from scimsvc.settings.single_sign_on import LocalSignIn
from tests.support.live import environment

SECRET = "a secret of the provider"
SETTINGS = {
    "SECRET_KEY": "k" * 32,
    "DATABASE_URL": "postgresql://h/d",
    "PUBLIC_URL": "https://scim.example.com",
    "OIDC_ISSUER": "https://login.example.com/tenant/v2.0",
    "OIDC_CLIENT_ID": "client",
    "OIDC_CLIENT_SECRET": SECRET,
}


@pytest.mark.parametrize("missing", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "PUBLIC_URL"])
def test_the_settings_of_single_sign_on_belong_together(missing: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({name: value for name, value in SETTINGS.items() if name != missing})

    assert f"but SCIMSVC_{missing} is not. Single sign-on needs SCIMSVC_OIDC_ISSUER" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("OIDC_ISSUER", "https://user:hunter2@h"), ("LOCAL_SIGN_IN", "hunter2@"), ("OIDC_CLIENT_SECRET", "hunter2\n2")],
)
def test_an_invalid_setting_that_may_contain_a_password_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"SCIMSVC_{name} is .*Use ") as refused:
        read_settings(SETTINGS | {name: value})

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("local", ["off", "op@example.com"])
def test_passwords_can_only_be_restricted_with_single_sign_on(local: str) -> None:
    settings = {"DATABASE_URL": "postgresql://h/d", "LOCAL_SIGN_IN": local}

    with pytest.raises(SettingsError, match="Set SCIMSVC_OIDC_ISSUER first, or use on"):
        check_settings(settings)


def test_the_secret_may_be_in_a_file_and_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    monkeypatch.setenv("SCIMSVC_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))

    provider = read_settings(SETTINGS | {"OIDC_CLIENT_SECRET": ""}).provider

    assert provider is not None
    assert provider.client_secret == SECRET
    assert SECRET not in repr(provider)


@pytest.mark.parametrize(
    ("setting", "email", "is_operator", "is_allowed"),
    [
        (LocalSignIn(), "a@x.example", False, True),
        (LocalSignIn(is_on=False), "a@x.example", True, False),
        (LocalSignIn(is_on=False, exception="a@x.example"), "a@x.example", True, True),
        (LocalSignIn(is_on=False, exception="a@x.example"), "a@x.example", False, False),
        (LocalSignIn(is_on=False, exception="a@x.example"), "b@x.example", True, False),
    ],
)
def test_an_account_may_use_its_password(setting: LocalSignIn, email: str, is_operator: bool, is_allowed: bool) -> None:
    assert setting.allows(email, is_operator=is_operator) is is_allowed


@pytest.mark.system
@pytest.mark.parametrize("package", ["authlib", "requests"])
def test_a_start_without_the_extra_ends_with_one_line(tmp_path: Path, package: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; from scimsvc.__main__ import main; sys.exit(main())"
    settings = {name: value for name, value in SETTINGS.items() if name != "DATABASE_URL"}

    result = subprocess.run(
        [sys.executable, "-c", program, "serve", "--port=0"],
        env=environment(INSTANCE_PATH=str(tmp_path / "instance"), **settings),
        capture_output=True,
        text=True,
    )

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "Install them with pip install 'scimsvc[oidc]'." in result.stderr


@pytest.mark.system
def test_single_sign_on_imports_nothing_before_the_first_sign_in(tmp_path: Path) -> None:
    program = (
        "import os, sys; from scimsvc import create_app; create_app(); "
        "print(sorted({'authlib', 'joserfc', 'requests', 'cryptography'} & set(sys.modules)))"
    )
    settings = {name: value for name, value in SETTINGS.items() if name != "DATABASE_URL"}

    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(INSTANCE_PATH=str(tmp_path / "instance"), **settings),
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "[]\n"
