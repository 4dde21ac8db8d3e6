"""Example bodies of REST calls by operation id, which the page /api/docs shows. A test makes each of these calls."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, Any] = {
    "create_project": {"name": "Birds"},
    "change_project": {"name": "Birds of the reef", "labels": [{"name": "Gull", "color": "#4aa3ff"}]},
    "begin_upload": {"name": "clip.mp4", "size": 1048576},
    "send_command": {"type": "object.add", "key": "3f0c5a9e-8a53-4f7e-9d0b-2d8f5b1c6a77", "name": "Gull"},
    "make_export": {"format": "davis", "options": {"spans": [[0, 2]], "names": "number"}},
    "make_project_export": {"format": "youtube-vis"},
    "add_pin": {"frame": 1, "text": "The tail is missing.", "x": 0.4, "y": 0.5},
    "add_webhook": {"url": "https://tools.example.org/maskwright", "events": ["video.ready", "export.done"]},
    "create_token": {"name": "Nightly export", "may_write": False, "days": 90},
    "save_view": {"name": "Mine and due", "query": "assignee=me&order=due"},
}
