"""What a script does with the team of a project: its jobs, members, webhooks and quota."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from maskwright.connection import Connection, Progress
from maskwright.transfer import download

Role = Literal["viewer", "annotator", "reviewer", "manager", "owner"]
Row = dict[str, Any]  # The JSON of one thing; docs/contracts.md has its fields.


@dataclass(frozen=True)
class TeamWork:
    """The jobs, members, webhooks and quota of a project. Most calls need a token of a manager."""

    connection: Connection = field(repr=False)
    project_id: int

    def jobs(self, **filters: Any) -> Iterator[Row]:
        """Yield the jobs of the project (`JobInfo`), read page by page.

        `filters` are `video`, `assignee`, `state`, `stage`, `due` and `order`, as GET /api/jobs has them. An assignee
        is the id of a person, "me", or None for the jobs that nobody has.
        """
        if "assignee" in filters and filters["assignee"] is None:
            filters["assignee"] = "none"
        query = {"project": self.project_id, **filters}
        while True:
            page = self.connection.get("/jobs", params=query)
            yield from page["jobs"]
            if page["next"] is None:
                return
            query["after"] = page["next"]

    def deal(self, people: Sequence[int], *, most_open: int | None = None) -> list[Row]:
        """Give the jobs that nobody has to people, by their ids, evenly. Return {"job", "assignee"} for each."""
        body = {"people": list(people), "most_open": most_open}
        return list(self.connection.create(f"/projects/{self.project_id}/jobs/deal", body))

    def export_jobs(
        self, jobs: Sequence[int], format: str, target: str | Path, progress: Progress | None = None, **options: Any
    ) -> Path:
        """Export the frames of these jobs, by their ids, in one file, and download it to `target`.

        `options` are as in `Project.export`, but without `spans`.
        """
        body = {"format": format, "jobs": list(jobs), "options": options}
        made = self.connection.create(f"/projects/{self.project_id}/jobs/exports", body)
        return download(self.connection, made["id"], Path(target), progress)

    def members(self, **filters: Any) -> list[Row]:
        """Return the members (`MemberInfo`). `filters` are `q`, a part of the user name, and `role`."""
        return list(self.connection.rows(f"/projects/{self.project_id}/members", **filters))

    def invite(self, username: str, role: Role) -> Row:
        """Make the person with this user name a member."""
        return dict(
            self.connection.create(f"/projects/{self.project_id}/members", {"username": username, "role": role})
        )

    def invite_team(self, team: int, role: Role) -> list[Row]:
        """Make everybody in the team with this id a member, and return the new members."""
        return list(self.connection.create(f"/projects/{self.project_id}/teams", {"team": team, "role": role}))

    def webhooks(self) -> list[Row]:
        """Return the webhooks (`WebhookInfo`), without their secrets."""
        return list(self.connection.get(f"/projects/{self.project_id}/webhooks"))

    def add_webhook(self, url: str, events: Sequence[str]) -> Row:
        """Make a webhook. Only this answer has its `secret`, so the call is not repeated when the connection breaks."""
        body = {"url": url, "events": list(events)}
        return dict(self.connection.call("POST", f"/projects/{self.project_id}/webhooks", json=body))

    def test_webhook(self, webhook: int) -> Row:
        """Send a test event to a webhook, and return its delivery."""
        return dict(self.connection.create(f"/webhooks/{webhook}/test", {}))

    def remove_webhook(self, webhook: int) -> None:
        self.connection.call("DELETE", f"/webhooks/{webhook}")

    def quota(self) -> Row:
        """Return what the project uses and may use: frames, bytes and engine_seconds, each {"limit", "used"}."""
        return dict(self.connection.get(f"/projects/{self.project_id}/quota"))
