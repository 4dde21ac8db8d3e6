"""Check the contrast of every visible text of a page with its background (WCAG 2.1, criterion 1.4.3)."""

from __future__ import annotations

from playwright.sync_api import Page

LEAST = 4.5

# The background of a text is computed from the background colours of its element and of all elements around that.
# Images behind a text are not taken into account. Disabled controls are left out, as the guideline (WCAG) allows.
FAINT_TEXT = """
(least) => {
  const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    scratch.clearRect(0, 0, 1, 1);
    scratch.fillStyle = color;
    scratch.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = scratch.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => {
      const c = value / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(at);
    return chain.reduce((under, at) => over(rgba(getComputedStyle(at).backgroundColor), under), [0, 0, 0]);
  };
  const opacity = (element) => {
    let value = 1;
    for (let at = element; at; at = at.parentElement) value *= Number(getComputedStyle(at).opacity);
    return value;
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest(":disabled, [inert], script, style, option")) continue;
    const under = behind(element);
    const [r, g, b, a] = rgba(getComputedStyle(element).color);
    const shown = over([r, g, b, a * opacity(element)], under);
    const [light, dark] = [luminance(shown), luminance(under)].sort((x, y) => y - x);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < least) faint.push(`${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
  }
  return faint;
}
"""


def faint_texts(page: Page) -> list[str]:
    """Return a line "ratio: text" for each visible text whose contrast with its background is below 4.5:1."""
    found: list[str] = page.evaluate(FAINT_TEXT, LEAST)
    return found
