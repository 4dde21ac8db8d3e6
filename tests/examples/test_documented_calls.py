"""Makes every call that docs/api.md and docs/webhooks.md print, against a running server with a worker.

Only addresses, ids and names of people are replaced by those of the test. A call that is added to one of these pages
fails `test_every_printed_call_is_made` until it is made here. That test needs all others; these need no other.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from maskwright.client import Maskwright, Video
from tests.examples.test_examples import write_video
from tests.segmentation.clips import make_clip
from tests.studio import Studio
from tests.webapp.conftest import aws_variables, s3_server

BASE = Path(__file__).parents[2]
API, WEBHOOKS = (BASE / "docs" / name for name in ("api.md", "webhooks.md"))
FRAMES, PASSWORD = 3, "correct horse battery"
__all__ = ["s3_server"]  # a fixture
SET_PASSWORD = f"""
from webapp.accounts.models import User
owner = User.objects.get(username="owner")
owner.set_password("{PASSWORD}")
owner.save()
"""


class Site:
    """A server with two clients of it: one with a token that may write, and one that signs in as the page does.

    It has a project with two videos, the first of which, `video`, has a round. `made` has the calls that were made, as
    the pages print them.
    """

    def __init__(self, studio: Studio, folder: Path, files: str) -> None:
        self.studio, self.folder, self.files = studio, folder, files
        studio.manage("shell", "-c", SET_PASSWORD)
        self.token = studio.manage("token", "owner", "script", "--write").strip()
        self.http = httpx.Client(base_url=studio.address, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)
        self.page = httpx.Client(base_url=studio.address, timeout=60)
        self.made: set[str] = set()
        with Maskwright(studio.address, self.token) as maskwright:
            maskwright.connection.create("/projects", {"name": "Gulls", "engine": "flow"})
            project = maskwright.project("Gulls")
            video, _ = (project.upload(folder / "clip.mp4") for _ in range(2))
            video.scribble(0, video.add_object("Gull"), [(0.4, 0.5), (0.5, 0.55)]).run()
        self.project, self.video = project.id, video.id

    def close(self) -> None:
        self.http.close()
        self.page.close()

    def call(self, printed: str, body: Any = None, *, by: httpx.Client | None = None, **headers: str) -> httpx.Response:
        """Make a call as it is printed, such as "POST /api/v1/projects/{id}/fetches", with the ids of this site."""
        self.made.add(printed)
        method, path = printed.split(" ", 1)
        if path.startswith("..."):
            path = (
                f"/api/v1/projects/{self.project}{path[3:]}"
                if "server" in path
                else f"/api/v1/videos/{self.video}{path[3:]}"
            )
        for name, number in (("videos", self.video), ("projects", self.project), ("rounds", self.round())):
            path = path.replace(f"/{name}/{{id}}", f"/{name}/{number}")
        answer = (by or self.http).request(method, path.replace("{frame}", "0"), json=body, headers=headers)
        assert answer.status_code < 400, f"{printed}: {answer.status_code} {answer.text}"
        return answer

    def round(self) -> int:
        return int(self.http.get(f"/api/v1/videos/{self.video}/rounds").json()["rounds"][0]["id"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, s3_server: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("documented")
    (folder / "import" / "day one").mkdir(parents=True)
    clip = write_video(folder / "clip.mp4", make_clip(length=FRAMES, height=64, width=96).frames)
    shutil.copy(clip, folder / "import" / "day one" / "reef.mp4")
    settings = {
        "MASKWRIGHT_IMPORT_FOLDER": str(folder / "import"),
        "MASKWRIGHT_IMPORT_ADDRESSES": "1",
        "MASKWRIGHT_IMPORT_BUCKETS": "footage,archive/clips",
        "MASKWRIGHT_ALLOWED_NETWORKS": "127.0.0.0/8",
        **aws_variables(s3_server),
    }
    _fill_bucket(s3_server, clip)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with (
            Studio(folder / "home", "--no-sample", **settings) as studio,
            closing(Site(studio, folder, address)) as made,
        ):
            yield made
        server.shutdown()


class _Files(SimpleHTTPRequestHandler):
    """Serves clip.mp4, and takes every POST as a receiver of webhooks does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _fill_bucket(server: str, clip: Path) -> None:
    import boto3

    client = boto3.Session("key", "secret").client("s3", endpoint_url=server, region_name="us-east-1")
    client.create_bucket(Bucket="footage")
    for key in ("reef.mp4", "take 3/reef.mp4"):
        client.put_object(Bucket="footage", Key=key, Body=clip.read_bytes())


def printed_body(page: Path, start: str) -> Any:
    """Return the JSON body on a page that begins with `start`, its line breaks as spaces."""
    (body,) = re.findall(rf"(?:`|^    )({re.escape(start)}.*?\}})(?:`|$)", page.read_text(), re.S | re.M)
    return json.loads(re.sub(r"\s+", " ", body))


@pytest.mark.slow
def test_the_python_client_and_the_commands(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site.folder)
    text = API.read_text()
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    with Maskwright(site.studio.address, site.token) as maskwright:
        birds = maskwright.connection.create("/projects", {"name": "Birds", "engine": "flow"})["id"]
        label = {"labels": [{"name": "Bird", "color": "#4aa3ff"}]}
        maskwright.connection.call("PATCH", f"/projects/{birds}", json=label)
        before, last = block.split("    project.import_masks(")
        names: dict[str, Any] = {"token": site.token}
        exec(before.replace("https://masks.example.org", site.studio.address), names)
        assert names["masks"].keys() == set(range(FRAMES))
        with zipfile.ZipFile("birds.zip") as source, zipfile.ZipFile("birds-corrected.zip", "w") as target:
            instances = json.loads(source.read("instances.json"))
            for category in instances["categories"]:
                category["name"] = "gull"
            target.writestr("instances.json", json.dumps(instances))
        names["project"] = maskwright.project("Birds")
        exec(f"project.import_masks({last}", names)
        video = maskwright.project("Birds").video(names["video"].id)
        _commands(site, maskwright, video)
        _teamwork(site, maskwright, video)


def _commands(site: Site, maskwright: Maskwright, video: Video) -> None:
    """Run the commands of the page, each in a process of its own."""
    stroke = {"path": [[0.4, 0.5], [0.5, 0.55]], "object_id": 1}
    content = {"sequence": "clip", "scribbles": [[stroke], *[[]] * (FRAMES - 1)]}
    (site.folder / "scribbles.json").write_text(json.dumps(content))
    video.accept(0, FRAMES - 1)
    video.export("davis", site.folder / "masks.zip")
    lines = re.findall(r"^    (maskwright .*)$", API.read_text(), re.M)
    assert [line.split()[1] for line in lines] == ["upload", "run", "import", "export", "export", "fetch"]
    jobs = [row["id"] for row in maskwright.project("Birds").team.jobs() if row["video"] == video.id]
    # The first of these commands uploads a second clip.mp4, so the others need a name that only one video has.
    maskwright.connection.call("PATCH", f"/videos/{video.id}", json={"name": "first"})
    for line in lines:
        words = shlex.split(line.replace("https://example.org", site.files).replace("--job 6", "--job 5"))
        words = [str(jobs[0]) if word == "5" else word for word in words[1:]]
        access = {"MASKWRIGHT_URL": site.studio.address, "MASKWRIGHT_TOKEN": site.token}
        command = [sys.executable, "-m", "webapp", *words]
        done = subprocess.run(
            command,
            cwd=site.folder,
            env={**os.environ, "PYTHONPATH": str(BASE), **access},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"


def _teamwork(site: Site, maskwright: Maskwright, video: Video) -> None:
    """Run the expressions of Python that stand between the lines of the page."""
    site.studio.sign_in_link("ada")  # This creates the account.
    project = maskwright.project("Birds")
    owner = next(row["user"]["id"] for row in project.team.members())
    names = {"project": project, "maskwright": maskwright, "video": video}
    text = re.sub(r"^```.*?^```", "", API.read_text(), flags=re.S | re.M)
    found = re.findall(r"`((?:project|maskwright|video)\.[^`]*?\))`", text.replace("\n", " "))
    found += re.findall(r"^    (project\..*)$", text, re.M)
    assert len(found) >= 9
    jobs = [row["id"] for row in project.team.jobs() if row["video"] == video.id]
    for expression in found:
        own = expression.replace("[8, 9]", f"[{owner}]").replace("[5, 6]", f"{jobs}")
        own = own.replace("https://example.org", site.files).replace("jobs.zip", str(site.folder / "jobs.zip"))
        value = eval(own, names)
        assert value is not None, expression
        if isinstance(value, Iterator):
            list(value)  # The pages are read only now.


@pytest.mark.slow
def test_tokens_and_sessions(site: Site) -> None:
    assert site.page.get("/api/me").status_code == 401, "it sets the cookie with the token against forged requests"
    body = {"username": "owner", "password": PASSWORD}
    token = {"X-CSRFToken": site.page.cookies["csrftoken"]}
    site.call("POST /api/sign-in", body, by=site.page, **token)
    assert site.call("GET /api/me", by=site.page).json()["username"] == "owner"
    wanted = printed_body(API, '{"name": "Nightly export"')
    wanted["projects"] = [site.project]
    token = {"X-CSRFToken": site.page.cookies["csrftoken"]}
    secret = site.call("POST /api/tokens", wanted, by=site.page, **token).json()["secret"]
    assert secret.startswith("mwt_")
    with httpx.Client(base_url=site.studio.address, headers={"Authorization": f"Bearer {secret}"}) as reader:
        assert reader.get(f"/api/v1/projects/{site.project}").status_code == 200
        assert reader.post("/api/v1/projects", json={"name": "x"}).status_code == 403
    for address in ("/api/docs", "/api/openapi.json"):
        assert site.page.get(address).status_code == 200


@pytest.mark.slow
def test_videos_rounds_and_masks(site: Site) -> None:
    key = "3f0c5a9e-8a53-4f7e-9d0b-2d8f5b1c6a77"
    command = {"type": "object.add", "key": key, "name": "Gull"}
    first, again = (site.call("POST /api/v1/videos/{id}/commands", command).json() for _ in range(2))
    assert first == again
    for call in ("/api/v1/rounds/{id}", "/api/v1/videos/{id}/state", "/api/v1/videos/{id}/line"):
        assert site.call(f"GET {call}").json()
    assert site.call("GET /api/v1/videos/{id}/rounds").json()["rounds"]
    assert site.call("GET /api/v1/videos/{id}/masks").json()
    assert site.call("GET .../masks/{frame}.png").headers["Content-Type"] == "image/png"
    assert site.call("GET /api/v1/rounds/{id}/masks").content


@pytest.mark.slow
def test_files_that_the_server_gets_itself(site: Site) -> None:
    sources = [
        printed_body(API, '{"source"')["source"],
        f"{site.files}/clip.mp4",
        "s3://footage/reef.mp4",
        "s3://footage/take 3/",
    ]
    assert site.call("GET /api/v1/fetch-sources").json() == {"folder": True, "addresses": True, "buckets": True}
    assert "day one" in {row["path"] for row in site.call("GET .../server-files").json()}
    assert len(site.call("GET .../server-files?path=s3://footage/").json()) == 2
    with Maskwright(site.studio.address, site.token) as maskwright:
        for source in sources:
            body = {"source": source, "as_video": False}
            made = site.call("POST /api/v1/projects/{id}/fetches", body).json()
            ended = maskwright.connection.followed(f"/fetches/{made['id']}", None)
            assert (ended["state"], ended["error"]) == ("done", ""), source
    site.made.add("GET /api/v1/fetches/{id}")


@pytest.mark.slow
def test_uploads_by_tus(site: Site) -> None:
    data = (site.folder / "clip.mp4").read_bytes()
    address = f"/api/v1/projects/{site.project}/uploads"
    name = b64encode(b"by tus.mp4").decode()
    tus = {"Tus-Resumable": "1.0.0"}
    begun = site.http.post(
        address, headers={**tus, "Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
    )
    assert begun.status_code == 201, begun.text
    checksum = f"sha256 {b64encode(hashlib.sha256(data).digest()).decode()}"
    headers = {
        **tus,
        "Upload-Offset": "0",
        "Upload-Checksum": checksum,
        "Content-Type": "application/offset+octet-stream",
    }
    sent = site.http.patch(begun.headers["Location"], content=data, headers=headers)
    assert (sent.status_code, sent.headers["Maskwright-Video"].isdigit()) == (204, True), sent.text


@pytest.mark.slow
def test_lists_repeated_calls_and_errors(site: Site) -> None:
    part = site.http.get(f"/api/v1/projects/{site.project}/videos?limit=1")
    rel = re.fullmatch(r'<(\?limit=1&after=[^>]+)>; rel="next"', part.headers["Link"])
    assert rel, part.headers["Link"]
    following = site.http.get(f"/api/v1/projects/{site.project}/videos{rel[1]}").json()
    assert following[0]["id"] != part.json()[0]["id"]
    keyed = {"Idempotency-Key": "nightly-7"}
    first, again = (site.http.post("/api/v1/projects", json={"name": "Once"}, headers=keyed) for _ in range(2))
    assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
    other = site.http.post("/api/v1/projects", json={"name": "Another"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "key_used")
    address = f"/api/v1/projects/{first.json()['id']}"
    tag = site.http.get(address).headers["ETag"]
    assert site.http.get(address, headers={"If-None-Match": tag}).status_code == 304
    changed = site.http.patch(address, json={"name": "Twice"}, headers={"If-Match": tag})
    refused = site.http.patch(address, json={"name": "Thrice"}, headers={"If-Match": tag})
    assert (changed.status_code, refused.status_code, refused.json()["code"]) == (200, 412, "changed_meanwhile")
    errors = {
        404: site.http.get("/api/v1/projects/999999"),
        405: site.http.put("/api/v1/projects"),
        422: site.http.get("/api/v1/projects?colour=red"),
        401: httpx.get(f"{site.studio.address}/api/v1/me", headers={"Authorization": "Bearer mwt_wrong"}),
    }
    for status, answer in errors.items():
        assert answer.status_code == status
        assert {"code", "text"} <= answer.json().keys()
    assert (errors[405].headers["Allow"], errors[422].json()["field"]) == ("GET, POST", "colour")


@pytest.mark.slow
def test_webhooks(site: Site) -> None:
    body = printed_body(WEBHOOKS, '{"url"')
    body["url"] = body["url"].replace("https://tools.example.org", site.files)
    made = site.call("POST /api/v1/projects/{id}/webhooks", body).json()
    assert (made["secret"][:6], made["events"]) == ("whsec_", body["events"])


@pytest.mark.slow
def test_every_printed_call_is_made(site: Site, request: pytest.FixtureRequest) -> None:
    tests = {name for name in globals() if name.startswith("test_")}
    chosen = {item.name for item in request.session.items if item.path == request.path}
    if tests - chosen:
        pytest.skip("the other tests of this file make the calls, and not all of them were chosen")
    text = API.read_text() + WEBHOOKS.read_text()
    printed = set(re.findall(r"`((?:GET|POST|PATCH|PUT|DELETE) (?:/api|\.\.\.)[^`]*)`", text))
    assert len(printed) > 12
    assert printed - site.made == set()
