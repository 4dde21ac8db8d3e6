"""Find controls for which a screen reader has no name, with the accessibility tree of the browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

CONTROLS = {"button", "link", "textbox", "searchbox", "combobox", "slider", "checkbox", "radio", "tab", "menuitem"}


def nameless_controls(page: Page) -> list[str]:
    """Return the role and the HTML of each control that has no name. The list of a good page is empty."""
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
