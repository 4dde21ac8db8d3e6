"""Find controls (buttons, links, inputs, ...) that have no name in the browser's accessibility tree.

A screen reader could not say what such a control does.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

CONTROLS = {
    "button", "link", "textbox", "searchbox", "combobox", "spinbutton", "slider", "checkbox", "switch", "radio", "tab",
    "menuitem",
}  # fmt: skip


def nameless_controls(page: Page) -> list[str]:
    """Return a line "role: HTML" for each control of the page that has a role in CONTROLS and no name."""
    session = page.context.new_cdp_session(page)
    try:
        session.send("DOM.enable")
        nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
        found = []
        for node in nodes:
            role = node.get("role", {}).get("value")
            if node.get("ignored") or role not in CONTROLS or node.get("name", {}).get("value", "").strip():
                continue
            html = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})["outerHTML"]
            found.append(f"{role}: {html[:120]}")
        return found
    finally:
        session.detach()
