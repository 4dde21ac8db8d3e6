"""Lists all HTTP calls with the users who may make them. test_access_matrix.py checks that the server does the same.

A call that is not in the list fails the tests, so that nobody adds a call without deciding who may make it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from webapp.http.page import PAGE_ADDRESS
from webapp.projects.models import Role

Signed = Literal["anyone", "signed in", "superuser"]
JSON = "application/json"


@dataclass(frozen=True)
class Rule:
    """Says who may make a call, and gives an example of the call.

    who: anyone, everyone who is signed in, superusers, or members of the project with this role or a higher one
    only: if given, only members whose role is one of these, for example that of the test user who started the upload
    own: users may make the call for what they own themselves, and get 404 for what others own
    superusers: with `own`, whether superusers may make the call for what others own
    body, headers, query: parts of a request whose form is right, so that 401, 403 or 404 means that it is not allowed
    """

    who: Signed | Role
    only: frozenset[Role] | None = None
    own: bool = False
    superusers: bool = False
    body: Mapping[str, Any] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""

    def content(self, numbers: Mapping[str, Any]) -> tuple[Any, str]:
        """Return the body and its type. A text such as "{video_id}" in the body becomes that entry of `numbers`."""
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        text = "" if self.body is None else json.dumps(self.body)
        for name, value in numbers.items():
            text = text.replace(f'"{{{name}}}"', json.dumps(value))
        return text, JSON


UPLOAD_ID = "0b8a6f7e-2c1d-4e3f-9a5b-6c7d8e9f0a1b"  # the id of the upload that the tests make
MAKER = frozenset({Role.ANNOTATOR})  # the role of the test user who made the upload, the export and other rows
MAKER_OR_MANAGERS = frozenset({Role.ANNOTATOR, Role.MANAGER, Role.OWNER})

RULES: dict[tuple[str, str], Rule] = {
    # accounts
    ("GET", "/api/me"): Rule("signed in"),
    ("PATCH", "/api/me"): Rule("signed in", body={"name": "Changed"}),
    ("GET", "/api/sign-in"): Rule("anyone"),
    ("POST", "/api/sign-in"): Rule("anyone", body={"username": "owner", "password": "correct horse battery"}),
    ("POST", "/api/sign-out"): Rule("anyone"),
    ("GET", "/api/tokens"): Rule("signed in"),
    ("POST", "/api/tokens"): Rule("signed in", body={"name": "script"}),
    ("DELETE", "/api/tokens/{token_id}"): Rule("signed in", own=True),
    ("GET", "/api/me/sessions"): Rule("signed in"),
    ("DELETE", "/api/me/sessions"): Rule("signed in"),
    ("GET", "/api/me/second-factor"): Rule("signed in"),
    ("POST", "/api/me/second-factor"): Rule("signed in", body={"current_password": "correct horse battery"}),
    ("POST", "/api/me/second-factor/confirm"): Rule("signed in", body={"code": "123456"}),
    ("POST", "/api/me/second-factor/codes"): Rule("signed in", body={"code": "123456"}),
    ("POST", "/api/me/second-factor/off"): Rule("signed in", body={"code": "123456"}),
    ("DELETE", "/api/me/sessions/{session_id}"): Rule("signed in", own=True),
    # audit and notifications
    ("GET", "/api/audit"): Rule("superuser"),
    ("GET", "/api/audit.csv"): Rule("superuser"),
    ("GET", "/api/projects/{project_id}/audit"): Rule(Role.MANAGER),
    ("GET", "/api/projects/{project_id}/audit.csv"): Rule(Role.MANAGER),
    ("GET", "/api/me/notifications"): Rule("signed in"),
    ("POST", "/api/me/notifications/read"): Rule("signed in", body={"ids": None}),
    ("GET", "/api/me/notification-settings"): Rule("signed in"),
    ("PATCH", "/api/me/notification-settings"): Rule(
        "signed in", body={"kinds": [{"kind": "assigned", "on_page": False, "by_mail": False}]}
    ),
    # operation
    ("GET", "/api/status"): Rule("superuser"),
    ("PATCH", "/api/status/queues/{queue}"): Rule("superuser", body={"paused": True}),
    ("PATCH", "/api/status/workers/{worker}"): Rule("superuser", body={"draining": True}),
    ("POST", "/api/status/running/{task_kind}/{task_id}/cancel"): Rule("superuser"),
    ("GET", "/api/quotas"): Rule("superuser"),
    ("GET", "/api/quotas/{scope}/targets"): Rule("superuser"),
    ("PUT", "/api/quotas/{scope}"): Rule("superuser", body={"frames": 10}),
    ("PUT", "/api/quotas/{scope}/{target_id}"): Rule("superuser", body={"bytes": 10}),
    ("DELETE", "/api/quotas/{scope}/{target_id}"): Rule("superuser"),
    ("GET", "/api/projects/{project_id}/quota"): Rule(Role.VIEWER),
    ("GET", "/api/me/quota"): Rule("signed in"),
    # projects
    ("GET", "/api/projects"): Rule("signed in"),
    ("POST", "/api/projects"): Rule("signed in", body={"name": "New"}),
    ("GET", "/api/projects/{project_id}"): Rule(Role.VIEWER),
    ("PATCH", "/api/projects/{project_id}"): Rule(
        Role.MANAGER, body={"name": "Changed", "labels": [{"name": "New", "color": "#123456"}]}
    ),
    ("DELETE", "/api/projects/{project_id}"): Rule(Role.OWNER),
    ("GET", "/api/projects/{project_id}/members"): Rule(Role.VIEWER),
    ("POST", "/api/projects/{project_id}/members"): Rule(Role.MANAGER, body={"username": "guest", "role": "viewer"}),
    ("PATCH", "/api/projects/{project_id}/members/{user_id}"): Rule(Role.MANAGER, body={"role": "annotator"}),
    ("DELETE", "/api/projects/{project_id}/members/{user_id}"): Rule(Role.MANAGER),
    # teams
    ("GET", "/api/teams"): Rule("signed in"),
    ("POST", "/api/teams"): Rule("signed in", body={"name": "New", "members": ["guest"]}),
    ("PATCH", "/api/teams/{team_id}"): Rule(
        "signed in", own=True, superusers=True, body={"name": "Changed", "members": ["guest"]}
    ),
    ("DELETE", "/api/teams/{team_id}"): Rule("signed in", own=True, superusers=True),
    ("GET", "/api/projects/{project_id}/teams"): Rule(Role.MANAGER),
    ("POST", "/api/projects/{project_id}/teams"): Rule(Role.MANAGER, body={"team": "{team_id}", "role": "viewer"}),
    ("DELETE", "/api/projects/{project_id}/teams/{team_id}"): Rule(Role.MANAGER),
    # overview
    ("GET", "/api/projects/{project_id}/cards"): Rule(Role.VIEWER),
    ("GET", "/api/projects/{project_id}/progress"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/cover.jpg"): Rule(Role.VIEWER),
    ("GET", "/api/search"): Rule("signed in"),
    ("POST", "/api/projects/{project_id}/videos/actions"): Rule(
        Role.MANAGER, body={"ids": ["{video_id}"], "action": "archive"}
    ),
    ("GET", "/api/projects/{project_id}/views"): Rule(Role.VIEWER),
    ("POST", "/api/projects/{project_id}/views"): Rule(Role.VIEWER, body={"name": "Mine", "query": "order=due"}),
    ("DELETE", "/api/views/{view_id}"): Rule(Role.MANAGER),
    # trash
    ("GET", "/api/trash"): Rule("signed in"),
    ("POST", "/api/trash/empty"): Rule("signed in", body={}),
    ("POST", "/api/trash/{kind}/{trash_id}/restore"): Rule(Role.MANAGER),
    ("DELETE", "/api/trash/{kind}/{trash_id}"): Rule(Role.MANAGER),
    ("GET", "/api/projects/{project_id}/invitations"): Rule(Role.MANAGER),
    ("POST", "/api/projects/{project_id}/invitations"): Rule(
        Role.MANAGER, body={"role": "viewer", "email": "a@example.org"}
    ),
    ("POST", "/api/projects/{project_id}/invitations/csv"): Rule(
        Role.MANAGER, body={"text": "email,role\na@example.org,viewer\n"}
    ),
    ("DELETE", "/api/invitations/{invitation_id}"): Rule(Role.MANAGER),
    # uploads
    ("POST", "/api/projects/{project_id}/uploads"): Rule(Role.ANNOTATOR, body={"name": "new.mp4", "size": 1000}),
    ("GET", "/api/uploads/{upload_id}"): Rule(Role.ANNOTATOR, only=MAKER),
    ("PATCH", "/api/uploads/{upload_id}"): Rule(
        Role.ANNOTATOR, only=MAKER, body=b"fghij", headers={"Upload-Offset": "5", "Content-Length": "5"}
    ),
    ("DELETE", "/api/uploads/{upload_id}"): Rule(Role.ANNOTATOR, only=MAKER),
    ("POST", "/api/uploads/{upload_id}/finish"): Rule(Role.ANNOTATOR, only=MAKER),
    # files that the server gets itself
    ("GET", "/api/projects/{project_id}/server-files"): Rule(Role.ANNOTATOR),
    ("GET", "/api/fetch-sources"): Rule("signed in"),
    ("GET", "/api/projects/{project_id}/fetches"): Rule(Role.ANNOTATOR),
    ("POST", "/api/projects/{project_id}/fetches"): Rule(Role.ANNOTATOR, body={"source": "clips/reef.mp4"}),
    ("GET", "/api/fetches/{fetch_id}"): Rule(Role.ANNOTATOR, only=MAKER_OR_MANAGERS),
    ("POST", "/api/fetches/{fetch_id}/cancel"): Rule(Role.ANNOTATOR, only=MAKER_OR_MANAGERS),
    # videos
    ("GET", "/api/projects/{project_id}/videos"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}"): Rule(Role.VIEWER),
    ("PATCH", "/api/videos/{video_id}"): Rule(Role.ANNOTATOR, body={"name": "Changed"}),
    ("DELETE", "/api/videos/{video_id}"): Rule(Role.MANAGER),
    ("POST", "/api/videos/{video_id}/cancel-import"): Rule(Role.ANNOTATOR),
    ("GET", "/api/videos/{video_id}/source-frames"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/frames/{frame}.jpg"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/thumbs/{frame}.jpg"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/thumbs"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/truth/{frame}.png"): Rule(Role.REVIEWER),
    # rounds and masks
    ("GET", "/api/videos/{video_id}/state"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/scores"): Rule(Role.REVIEWER),
    ("POST", "/api/videos/{video_id}/commands"): Rule(
        Role.ANNOTATOR,
        body={"type": "object.add", "key": "6f1b0c1e-5a63-4f0c-9d4e-0e6c5a1b2c3d", "name": "Eel"},
    ),
    ("GET", "/api/videos/{video_id}/masks"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/masks/{frame}.png"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/rounds"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/line"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/line/scribbles"): Rule(Role.VIEWER, query="?round={round_id}&frame=0"),
    ("GET", "/api/rounds/{round_id}"): Rule(Role.VIEWER),
    ("GET", "/api/rounds/{round_id}/masks"): Rule(Role.VIEWER),
    ("GET", "/api/engines"): Rule("signed in"),
    # pins
    ("GET", "/api/videos/{video_id}/pins"): Rule(Role.VIEWER),
    ("POST", "/api/videos/{video_id}/pins"): Rule(Role.ANNOTATOR, body={"frame": 1, "text": "The tail is missing."}),
    ("PATCH", "/api/pins/{pin_id}"): Rule(Role.ANNOTATOR, body={"resolved": True}),
    ("POST", "/api/pins/{pin_id}/replies"): Rule(Role.ANNOTATOR, body={"text": "Which one?"}),
    # jobs
    ("GET", "/api/jobs"): Rule("signed in"),
    ("GET", "/api/jobs/{job_id}"): Rule(Role.VIEWER),
    ("PATCH", "/api/jobs/{job_id}"): Rule(Role.MANAGER, body={"priority": 3, "edition": 1}),
    ("POST", "/api/jobs/{job_id}/moves"): Rule(Role.ANNOTATOR, body={"action": "start", "edition": 1}),
    ("GET", "/api/jobs/{job_id}/events"): Rule(Role.VIEWER),
    ("GET", "/api/jobs/{job_id}/unfinished"): Rule(Role.VIEWER),
    ("GET", "/api/videos/{video_id}/leases"): Rule(Role.VIEWER),
    ("POST", "/api/videos/{video_id}/jobs"): Rule(Role.MANAGER, body={"length": 2}),
    ("POST", "/api/projects/{project_id}/jobs/deal"): Rule(Role.MANAGER, body={"people": [1]}),
    ("POST", "/api/projects/{project_id}/jobs/take"): Rule(Role.ANNOTATOR),
    ("POST", "/api/projects/{project_id}/review-sample"): Rule(Role.MANAGER, body={"share": 0.5}),
    ("GET", "/api/me/work"): Rule("signed in"),
    # quality
    ("GET", "/api/projects/{project_id}/numbers"): Rule(Role.REVIEWER),
    ("GET", "/api/projects/{project_id}/numbers.csv"): Rule(Role.REVIEWER),
    ("GET", "/api/projects/{project_id}/curve"): Rule(Role.REVIEWER),
    ("GET", "/api/projects/{project_id}/quality"): Rule(Role.REVIEWER),
    ("PATCH", "/api/projects/{project_id}/quality"): Rule(Role.MANAGER, body={"least_jf": 0.8, "below": "hold"}),
    ("POST", "/api/jobs/{job_id}/consensus"): Rule(Role.MANAGER, body={"people": [1, 2]}),
    ("GET", "/api/jobs/{job_id}/consensus"): Rule(Role.REVIEWER),
    ("POST", "/api/jobs/{job_id}/consensus/agreement"): Rule(Role.MANAGER),
    ("POST", "/api/jobs/{job_id}/consensus/merge"): Rule(Role.MANAGER),
    ("POST", "/api/videos/{video_id}/mix-in"): Rule(Role.MANAGER, body={"people": [1]}),
    # webhooks
    ("GET", "/api/webhook-events"): Rule("signed in"),
    ("GET", "/api/projects/{project_id}/webhooks"): Rule(Role.MANAGER),
    ("POST", "/api/projects/{project_id}/webhooks"): Rule(Role.MANAGER, body={"url": "https://8.8.8.8/hook"}),
    ("PATCH", "/api/webhooks/{webhook_id}"): Rule(Role.MANAGER, body={"active": False}),
    ("DELETE", "/api/webhooks/{webhook_id}"): Rule(Role.MANAGER),
    ("POST", "/api/webhooks/{webhook_id}/test"): Rule(Role.MANAGER),
    ("GET", "/api/webhooks/{webhook_id}/deliveries"): Rule(Role.MANAGER),
    ("POST", "/api/webhook-deliveries/{delivery_id}/redeliver"): Rule(Role.MANAGER),
    # exports
    ("GET", "/api/export-formats"): Rule("signed in"),
    ("GET", "/api/videos/{video_id}/exports"): Rule(Role.VIEWER),
    ("GET", "/api/projects/{project_id}/exports"): Rule(Role.VIEWER),
    ("POST", "/api/videos/{video_id}/exports"): Rule(Role.ANNOTATOR, body={"format": "davis"}),
    ("POST", "/api/projects/{project_id}/exports"): Rule(Role.ANNOTATOR, body={"format": "davis"}),
    ("POST", "/api/jobs/{job_id}/exports"): Rule(Role.ANNOTATOR, body={"format": "davis"}),
    ("POST", "/api/projects/{project_id}/jobs/exports"): Rule(
        Role.ANNOTATOR, body={"format": "davis", "jobs": ["{job_id}"]}
    ),
    ("GET", "/api/exports/{export_id}"): Rule(Role.VIEWER),
    ("DELETE", "/api/exports/{export_id}"): Rule(Role.ANNOTATOR, only=MAKER_OR_MANAGERS),
    ("GET", "/api/exports/{export_id}/file"): Rule(Role.VIEWER),
    # imports of masks
    ("GET", "/api/projects/{project_id}/mask-imports"): Rule(Role.VIEWER),
    ("POST", "/api/projects/{project_id}/mask-imports"): Rule(Role.ANNOTATOR, only=MAKER, body={"upload": UPLOAD_ID}),
    ("GET", "/api/mask-imports/{import_id}"): Rule(Role.VIEWER),
    ("POST", "/api/mask-imports/{import_id}/labels"): Rule(
        Role.ANNOTATOR, only=MAKER_OR_MANAGERS, body={"labels": {"shark": None}}
    ),
    ("DELETE", "/api/mask-imports/{import_id}"): Rule(Role.ANNOTATOR, only=MAKER_OR_MANAGERS),
}

# The URL patterns outside /api in webapp/urls.py, each with an example URL and its status for all but administrators
OTHER_ADDRESSES = {
    "admin/": ("/admin/", 302),
    "sign-in/link/<str:token>": ("/sign-in/link/guess", 410),
    "sign-in/oidc/": ("/sign-in/oidc/", 404),
    "sign-in/oidc/return": ("/sign-in/oidc/return", 404),
    "invitation/<str:token>": ("/invitation/guess", 410),
    "healthz": ("/healthz", 200),
    "readyz": ("/readyz", 200),
    "metrics": ("/metrics", 403),
    "plain.css": ("/plain.css", 200),
    PAGE_ADDRESS: ("/projects/1", 200),
}
