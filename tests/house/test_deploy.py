"""Tests of the files for a deployment: compose.yaml, Dockerfile, systemd units and the configuration of nginx.

The commands and settings in these files must exist. A real nginx with the configuration in docs/deploy must serve the
page, uploads and sockets of a running server.
"""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.urls import resolve
from websockets.sync.client import connect

from tests import small_home
from tests.studio import MANAGE, Studio, environment_of, free_port, until
from webapp.accounts.limits import PER_NAME_AND_ADDRESS
from webapp.configuration import VARIABLES, BadSetting, load

BASE = Path(settings.BASE_DIR)
DEPLOY = BASE / "docs" / "deploy"
SITE = "masks.test"
CHUNK = 9 << 20  # bytes; larger than nginx's default limit of 1 MB for a body, and than the chunks that the page sends
COMPOSE: dict[str, Any] = yaml.safe_load((BASE / "compose.yaml").read_text())
KNOWN = {variable.name for variable in VARIABLES}


def text_of(name: str) -> str:
    return (BASE / name).read_text()


# --- files ------------------------------------------------------------------------------------------------------------


def our_services() -> dict[str, Any]:
    return {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "maskwright"}


@pytest.mark.parametrize("name", our_services())
def test_every_service_runs_a_command_with_settings_that_exist(name: str) -> None:
    service = our_services()[name]
    program, command, *arguments = service["command"]
    assert program == "maskwright"
    assert command in get_commands()
    if command == "worker":
        assert arguments[:1] == ["--queue"]
        assert arguments[1] in ("rounds", "media")
    assert set(service["environment"]) <= KNOWN


def test_every_service_that_another_one_needs_is_there() -> None:
    for service in COMPOSE["services"].values():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"])
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith(("./docs/", "${"))
    assert (BASE / COMPOSE["services"]["proxy"]["volumes"][0].partition(":")[0]).is_file()


def test_the_image_copies_files_that_are_there_and_starts_a_command_that_exists() -> None:
    text = (BASE / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert copied
    for name in (name for names in copied for name in names):
        assert (BASE / name).exists(), name
    started = re.search(r'^CMD \["maskwright", "(\w+)"\]$', text, re.MULTILINE)
    assert started is not None
    assert started[1] in get_commands()


def test_the_image_has_client_programs_that_are_not_older_than_the_database_of_compose() -> None:
    """Otherwise pg_dump refuses the server, and there are no backups."""
    last_stage = text_of("Dockerfile").rpartition("\nFROM ")[2]
    debian = re.match(r"python:[\d.]+-slim-(\w+)\n", last_stage)
    server = COMPOSE["services"]["postgres"]["image"].partition(":")[2]
    assert debian is not None
    assert {"bookworm": 15, "trixie": 17}[debian[1]] >= int(server)


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda path: path.name)
def test_every_unit_starts_a_command_that_exists(unit: Path) -> None:
    started = re.findall(r"^Exec\w+=maskwright (\w+)", unit.read_text(), re.MULTILINE)
    assert started
    assert set(started) <= set(get_commands())


KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
PODS = [each["spec"]["template"]["spec"] for each in KUBERNETES if each["kind"] in ("Deployment", "Job")]


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["containers"][0]["name"])
def test_every_pod_runs_a_command_with_settings_that_exist_and_probes_that_answer(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    program, command, *arguments = container["command"]
    assert program == "maskwright"
    assert command in get_commands()
    assert arguments in ([], ["--queue", "rounds"], ["--queue", "media"])
    assert (command == "worker") == bool(arguments)
    assert {variable["name"] for variable in container.get("env", [])} <= KNOWN
    assert pod["enableServiceLinks"] is False, "Kubernetes would set MASKWRIGHT_PORT for a Service of this name"
    for kind, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"), ("startupProbe", "/healthz")):
        if kind in container:
            assert container[kind]["httpGet"]["path"] == path
            assert resolve(path) is not None
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_settings_of_kubernetes_work_together(tmp_path: Path) -> None:
    given: dict[str, str] = {}
    for each in KUBERNETES:
        given |= each.get("stringData", {}) if each["kind"] == "Secret" else {}
        given |= each.get("data", {}) if each["kind"] == "ConfigMap" else {}
    with pytest.raises(BadSetting, match="MASKWRIGHT_SECRET_KEY"):
        load(given, tmp_path / "data")  # So that nobody runs with a key that everybody can read.
    own = {"MASKWRIGHT_SECRET_KEY": secrets.token_urlsafe(50), "MASKWRIGHT_METRICS_TOKEN": secrets.token_urlsafe(16)}
    assert load(given | own, tmp_path / "data").team
    assert [
        len(PODS),
        sum(container["command"][1] == "migrate" for pod in PODS for container in pod["containers"]),
    ] == [4, 1]


def test_the_autoscaler_asks_for_metrics_that_exist() -> None:
    (scaler,) = [each for each in KUBERNETES if each["kind"] == "ScaledObject"]
    assert scaler["spec"]["scaleTargetRef"]["name"] in [each["metadata"]["name"] for each in KUBERNETES]
    named = re.findall(r"maskwright_\w+", scaler["spec"]["triggers"][0]["metadata"]["query"])
    source = (BASE / "webapp" / "operation" / "metrics.py").read_text()
    assert named
    assert all(f'"{name}"' in source for name in named)


# --- a real nginx -----------------------------------------------------------------------------------------------------


@dataclass
class Proxied:
    """A running server (`studio`) behind nginx, which listens on the ports `plain` (HTTP) and `secure` (HTTPS).

    `http` is a client in which the user "owner" is signed in. It does not check the certificate of nginx.
    """

    plain: int
    secure: int
    studio: Studio
    http: httpx.Client

    @property
    def origin(self) -> str:
        return f"https://{SITE}:{self.secure}"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        pytest.skip("no nginx here: apt install nginx-light openssl")
    folder = tmp_path_factory.mktemp("nginx")
    plain, secure = free_port(), free_port()
    variables = {
        "MASKWRIGHT_HTTPS": "1",
        "MASKWRIGHT_TRUSTED_PROXIES": "127.0.0.1",
        "MASKWRIGHT_ALLOWED_HOSTS": f"{SITE},127.0.0.1",
        "MASKWRIGHT_TRUSTED_ORIGINS": f"https://{SITE}:{secure}",
    }
    small_home.fill(folder / "home", **variables)
    with Studio(folder / "home", **variables) as studio:
        main = configure(folder, studio.address.removeprefix("http://"), plain, secure)
        subprocess.run(["nginx", "-t", "-p", str(folder), "-c", str(main)], check=True, capture_output=True)
        process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(main), "-g", "daemon off;"])
        headers = {"Host": f"{SITE}:{secure}", "Origin": f"https://{SITE}:{secure}"}
        client = httpx.Client(base_url=f"https://127.0.0.1:{secure}", verify=False, headers=headers, timeout=60)
        try:
            until(lambda: answers(secure), "nginx")
            client.get(studio.sign_in_link("owner"), follow_redirects=True).raise_for_status()
            client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
            yield Proxied(plain, secure, studio, client)
        finally:
            client.close()
            process.terminate()
            process.wait(20)


def configure(folder: Path, upstream: str, plain: int, secure: int) -> Path:
    """Write the configuration of nginx from docs/deploy with a new certificate into `folder`. Return its main file.

    Only the ports and the paths of the certificate differ from the deployed configuration. `upstream` is the host and
    port of the web process.
    """
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    subject = ["-subj", f"/CN={SITE}", "-days", "1", "-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run(command, check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf.template").read_text()
    for old, new in {
        "${SITE}": SITE,
        "${UPSTREAM}": upstream,
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{secure} ssl",
        "/etc/nginx/certificates/": f"{folder}/",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"user root;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; {places} include {folder}/site.conf; }}\n"
    )
    return main


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_plain_http_is_sent_to_https(proxied: Proxied) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxied.plain}/projects/1", headers={"Host": SITE})
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{SITE}/projects/1")


def test_cookies_are_for_https_alone_and_the_figures_stay_inside(proxied: Proxied) -> None:
    answer = proxied.http.get("/")
    assert answer.is_success
    assert {cookie.secure for cookie in proxied.http.cookies.jar} == {True}
    assert proxied.http.get("/metrics").status_code == 404
    assert proxied.http.get("/readyz").json()["database"] == "ok"


def test_a_chunk_of_an_upload_passes(proxied: Proxied) -> None:
    project = proxied.http.post("/api/projects", json={"name": "Proxied"}).raise_for_status().json()["id"]
    body = {"name": "clip.mp4", "size": 3 * CHUNK}
    upload = proxied.http.post(f"/api/projects/{project}/uploads", json=body).raise_for_status().json()["id"]
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    answer = proxied.http.patch(f"/api/uploads/{upload}", content=bytes(CHUNK), headers=headers)
    assert answer.is_success, answer.text
    assert proxied.http.get(f"/api/uploads/{upload}").json()["received"] == CHUNK


def test_a_socket_opens_and_stays(proxied: Proxied) -> None:
    (project,) = [listed for listed in proxied.http.get("/api/projects").json() if listed["name"] == "Sample"]
    (video,) = proxied.http.get(f"/api/projects/{project['id']}/videos").json()
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in proxied.http.cookies.jar)
    origin: Any = proxied.origin
    with connect(
        f"wss://{SITE}:{proxied.secure}/ws/videos/{video['id']}",
        sock=socket.create_connection(("127.0.0.1", proxied.secure)),
        ssl=trusting,
        origin=origin,
        additional_headers={"Cookie": cookies},
    ) as page:
        page.send('{"type": "ping"}')
        assert "pong" in page.recv(30)


def test_nobody_can_choose_the_address_that_limits_count(proxied: Proxied) -> None:
    """The server allows six wrong passwords for one user name from one IP address. The next attempt gets status 429.

    Nginx must overwrite the header X-Forwarded-For of the client. Otherwise each attempt would seem to come from
    another address.
    """
    statuses = []
    with httpx.Client(base_url=f"https://127.0.0.1:{proxied.secure}", verify=False, timeout=60) as stranger:
        stranger.headers.update({"Host": f"{SITE}:{proxied.secure}", "Origin": proxied.origin})
        stranger.get("/sign-in").raise_for_status()
        stranger.headers["X-CSRFToken"] = stranger.cookies["csrftoken"]
        for index in range(PER_NAME_AND_ADDRESS + 1):
            body = {"username": "ada", "password": "wrong"}
            headers = {"X-Forwarded-For": f"203.0.113.{index}"}
            statuses.append(stranger.post("/api/sign-in", json=body, headers=headers).status_code)
    assert statuses == [*[400] * PER_NAME_AND_ADDRESS, 429]


def test_djangos_checks_of_a_deployment_find_nothing(tmp_path: Path) -> None:
    """Run `manage.py check --deploy` with the settings for a site behind a proxy with HTTPS."""
    variables = {"MASKWRIGHT_HTTPS": "1", "MASKWRIGHT_ALLOWED_HOSTS": SITE}
    command = [sys.executable, str(MANAGE), "check", "--deploy", "--fail-level", "WARNING"]
    checked = subprocess.run(command, env=environment_of(tmp_path, **variables), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
