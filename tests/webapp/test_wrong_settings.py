"""Tests that every documented setting refuses values that cannot work, with one sentence and before anything starts."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from segmentation import registry
from webapp.configuration import BadSetting, load
from webapp.inference.further_engines import load_or_end

TEAM = {"REDIS_URL": "redis://cache:6379/0", "DATABASE_URL": "postgres://jo@db:5433/masks"}
RUNNING = Path(settings.BASE_DIR) / "docs" / "running.md"
FORMS = dict(re.findall(r"^\| `([A-Z_]+)` \| [^|]* \| ([^|]*) \|", RUNNING.read_text(), re.MULTILINE))

NO_TEXT = "\udcff" * 60  # what Python makes of bytes that are no UTF-8
NUMBERS = ["-1", "1.5", "many", "9" * 30, NO_TEXT]
WRONG = {
    "MASKWRIGHT_HOME": ["~nobody-here/data", "/dev/null/data", "/dev/null", "x" * 5000, NO_TEXT],
    "MASKWRIGHT_HOST": ["two words", "http://site", "a..b", "-", NO_TEXT],
    "MASKWRIGHT_PORT": ["eighty", "70000", "-1", NO_TEXT],
    "MASKWRIGHT_DEBUG": ["maybe", "2", NO_TEXT],
    "MASKWRIGHT_SECRET_KEY": ["a", "a" * 60, NO_TEXT + "abcdefg"],
    "MASKWRIGHT_ALLOWED_HOSTS": ["*", ",", "[::::]", ".", "ä.example.org", "https://site", "site:80"],
    "MASKWRIGHT_TRUSTED_ORIGINS": ["site", *(f"https://{host}" for host in ("a b", "h:port", "h:99999", "u@h", ":80"))],
    "MASKWRIGHT_TRUSTED_PROXIES": ["proxy", "10.0.0.0/33", "10.0.0.0/8/8"],
    "MASKWRIGHT_ALLOWED_NETWORKS": ["intranet", "10.0.0.0/33"],
    "MASKWRIGHT_IMPORT_FOLDER": ["/dev/null", "~nobody-here/clips", "x" * 5000],
    "MASKWRIGHT_IMPORT_ADDRESSES": ["some"],
    "MASKWRIGHT_IMPORT_BUCKETS": ["s3://clips", "Clips", "clips/../secret", "c", NO_TEXT],
    "MASKWRIGHT_SECOND_FACTOR": ["on", "1"],
    "MASKWRIGHT_OIDC_ISSUER": ["login.example.org", "http://login.example.org", "https://", "https://a b", "ftp://x"],
    "MASKWRIGHT_OIDC_CLIENT_ID": [NO_TEXT],
    "MASKWRIGHT_OIDC_CLIENT_SECRET": [NO_TEXT],
    "MASKWRIGHT_OIDC_NAME": [NO_TEXT],
    "MASKWRIGHT_OIDC_GROUPS_CLAIM": [NO_TEXT],
    "MASKWRIGHT_LDAP_URL": [
        "ldap.example.org",
        "http://x",
        "ldaps://",
        "ldaps://h/dc=x",
        "ldaps://h:port",
        "ldap://h:99999",
    ],
    "MASKWRIGHT_LDAP_PEOPLE": ["people", "ou=people,example"],
    "MASKWRIGHT_LDAP_FILTER": ["uid=%(user)s", "(uid=jo)", "(uid=%(name)s)", "(|(uid=%(user)s)(mail=%(user)s))"],
    "MASKWRIGHT_LDAP_GROUPS": ["groups"],
    "MASKWRIGHT_LDAP_BIND_DN": ["admin"],
    "MASKWRIGHT_LDAP_BIND_PASSWORD": [NO_TEXT],
    "MASKWRIGHT_SIGN_IN_GROUPS": [NO_TEXT],
    "MASKWRIGHT_ADMIN_GROUPS": [NO_TEXT],
    "MASKWRIGHT_GROUP_ROLES": ["masks", "masks=annotator", "masks=3:painter", "masks=0:viewer", "=3:viewer"],
    "MASKWRIGHT_HTTPS": ["on", NO_TEXT],
    "DATABASE_URL": [
        "mysql://db/masks",
        "postgres://db",
        *(f"postgres://db/masks{rest}" for rest in ("%00", "?connect_timeout=soon", "?sslmode=on", "?pool=1")),
    ],
    "REDIS_URL": [
        "http://cache",
        "unix://",
        "redis://cache/99999999999999",
        *(
            f"redis://cache?{rest}"
            for rest in ("unknown=1", "socket_timeout=-1", "encoding=none", "protocol=9", "db=x")
        ),
        "rediss://cache?ssl_cert_reqs=perhaps",
    ],
    "STORAGE_URL": [
        "/srv/files",
        "http://s3.example.org/bucket",
        *(f"s3://{rest}" for rest in ("", "s3.example.org", "host/B", "host/bucket/../other", "key@host/bucket")),
        *(f"s3://key:secret@host:{rest}" for rest in ("port/bucket", "9000/bucket?direct=2", "9000/bucket?tls=1")),
        "s3://host/bucket?region=Far Away",
    ],
    "MASKWRIGHT_CACHE_MB": [*NUMBERS, "0"],
    "EMAIL_URL": [
        "http://mail",
        "smtp://mail",
        "smtps://mail:99999?from=a@example.org&site=https://s",
        "smtp://?from=a@example.org&site=https://s",
        *(f"smtp://mail?from={rest}" for rest in ("a&site=https://s", "a@example.org&site=s", "a@example.org&site=")),
    ],
    "MASKWRIGHT_WEIGHTS": ["/dev/null", "~nobody-here/weights", "x" * 5000],
    "MASKWRIGHT_DEVICE": ["gpu", "cuda:", "CPU"],
    "MASKWRIGHT_TORCH_THREADS": [*NUMBERS, "5000"],
    "MASKWRIGHT_WARM_UP": ["later"],
    "MASKWRIGHT_MAX_SIDE": NUMBERS,
    "MASKWRIGHT_MEMORY_MB": [*NUMBERS, "0"],
    "MASKWRIGHT_SESSIONS_MB": [*NUMBERS, "0"],
    "MASKWRIGHT_MAX_UPLOAD_MB": [*NUMBERS, "0"],
    "MASKWRIGHT_MAX_FRAMES": [*NUMBERS, "0"],
    "MASKWRIGHT_MAX_WIDTH": [*NUMBERS, "0"],
    "MASKWRIGHT_MAX_HEIGHT": [*NUMBERS, "0"],
    "MASKWRIGHT_IMPORT_MEMORY_MB": [*NUMBERS, "0"],
    "MASKWRIGHT_MASK_IMPORT_MEMORY_MB": [*NUMBERS, "0"],
    "MASKWRIGHT_MIN_FREE_MB": NUMBERS,
    "MASKWRIGHT_METRICS_TOKEN": ["short", "with a space in it", "ä" * 20, NO_TEXT],
    "MASKWRIGHT_LOG": ["xml"],
    "MASKWRIGHT_ENGINES": ["two words", "a-b", "there_is_no_such_module", ".relative"],
}


def test_every_documented_setting_has_values_that_are_refused() -> None:
    assert set(WRONG) == set(FORMS)


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_cannot_work_is_one_sentence_with_the_variable_and_its_form(name: str, tmp_path: Path) -> None:
    for value in WRONG[name]:
        with pytest.raises(BadSetting) as refused:
            load({**(TEAM if name in TEAM else {}), name: value}, tmp_path / "data")
        sentence = str(refused.value)
        assert sentence.startswith(name)
        assert FORMS[name] in sentence
        assert "\n" not in sentence
    assert not (tmp_path / "data" / "secret_key").exists(), "a refused setting leaves no secret key behind"


@pytest.mark.parametrize("module", ["tests.there_is_no_such_module", "tests.webapp.test_wrong_settings"])
def test_engines_that_cannot_be_loaded_end_the_program_with_one_sentence(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        load_or_end(module, registry.load_engines)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"maskwright: MASKWRIGHT_ENGINES={module!r} cannot be used")
    assert "a module whose ENGINES is a dict of specs" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"MASKWRIGHT_OIDC_ISSUER": "https://login.example.org"}, "MASKWRIGHT_OIDC_CLIENT_ID"),
        ({"MASKWRIGHT_OIDC_CLIENT_ID": "site"}, "MASKWRIGHT_OIDC_ISSUER"),
        ({"MASKWRIGHT_LDAP_URL": "ldaps://ldap.example.org"}, "MASKWRIGHT_LDAP_PEOPLE"),
        ({"MASKWRIGHT_LDAP_PEOPLE": "ou=people"}, "MASKWRIGHT_LDAP_URL"),
    ],
)
def test_half_a_way_to_sign_in_is_refused(given: dict[str, str], missing: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=rf"{missing} is not set.*Wanted: {re.escape(FORMS[missing])}"):
        load(given, tmp_path)


def test_a_secret_key_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(b"\xff" * 60)
    with pytest.raises(BadSetting, match=r"secret_key' is no text\. Delete the file"):
        load({}, tmp_path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REDIS_ULR", "REDIS_URL"),
        ("REDIS_UR", "REDIS_URL"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("STORAGGE_URL", "STORAGE_URL"),
        ("STORAGE_URLS", "STORAGE_URL"),
        ("EMAIL_IRL", "EMAIL_URL"),
        ("MASKWRIGHT_DEVCIE", "MASKWRIGHT_DEVICE"),
        ("MASKWRIGHT_HOSTS", "MASKWRIGHT_HOST"),
    ],
)
def test_a_mistyped_name_is_refused_and_the_right_one_is_named(name: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(
        BadSetting, match=rf"^{name} is set, but no setting has this name\. Write {meant}, or remove it$"
    ):
        load({name: "anything"}, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_name_with_the_prefix_that_is_like_no_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"^MASKWRIGHT_GRAPHICS_CARD is set, but no setting has this name\. Remove it"):
        load({"MASKWRIGHT_GRAPHICS_CARD": "1"}, tmp_path / "data")


@pytest.mark.parametrize(
    "name",
    [
        "REDIS_URI",
        "REDIS_TLS_URL",
        "DATABASE_USER",
        "EMAIL",
        "MAIL_URL",
        "HOME",
        "MASKWRIGHT_TOKEN",
        "MASKWRIGHT_URL",
        "MASKWRIGHT_WEB_SERVICE_HOST",
        "MASKWRIGHT_WEB_SERVICE_PORT_HTTP",
        "MASKWRIGHT_WEB_PORT",
        "MASKWRIGHT_WEB_PORT_8710_TCP_ADDR",
    ],
)
def test_variables_of_other_programs_are_left_alone(name: str, tmp_path: Path) -> None:
    load({name: "anything"}, tmp_path / "data")


def test_a_variable_beside_the_right_one_is_left_alone(tmp_path: Path) -> None:
    load({**TEAM, "REDIS_URLS": "anything"}, tmp_path / "data")
