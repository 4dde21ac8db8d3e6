"""Find controls that are smaller than a thumb needs (44 pixels, WCAG 2.1, criterion 2.5.5)."""

from __future__ import annotations

from playwright.sync_api import Page

LEAST = 43.5  # Browsers round the sizes of boxes.

# A control may be hit beside its own box: on its label, or where a pseudo element enlarges it. Links inside of a
# sentence are left out, as the guideline allows, and so are the lanes of the timeline, which do what the list of
# objects does.
SMALL_TARGETS = """
(least) => {
  const dialog = document.querySelector("dialog[open]");
  const controls = "button, a[href], input, select, textarea, summary, [role=button], [role=menuitem]";
  const small = [];
  for (const control of document.querySelectorAll(controls)) {
    if (!control.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (control.closest("[inert]") || (dialog && !dialog.contains(control))) continue;
    if (control.matches("p a, small a, [data-testid^=lane-]")) continue;
    const target = control.closest("label") ?? control;
    target.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
    const box = target.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue; // It is there for the keyboard, like the link that skips the bar.
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) continue;
    const reach = (dx, dy) => {
      let steps = 0;
      const hit = () => target.contains(document.elementFromPoint(x + dx * (steps + 1), y + dy * (steps + 1)));
      while (steps < least && hit()) steps++;
      return steps;
    };
    const width = Math.max(box.width, reach(-1, 0) + reach(1, 0) + 1);
    const height = Math.max(box.height, reach(0, -1) + reach(0, 1) + 1);
    if (width < least || height < least) {
      const name = control.dataset.testid ?? control.textContent.trim().slice(0, 40);
      small.push(`${Math.round(width)}x${Math.round(height)}: ${name}`);
    }
  }
  scrollTo(0, 0);
  return small;
}
"""


def small_targets(page: Page) -> list[str]:
    """Return a line "width x height: name" for each control of the page that is less than 44 pixels wide or high."""
    found: list[str] = page.evaluate(SMALL_TARGETS, LEAST)
    return found
