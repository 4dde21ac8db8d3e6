import { afterEach, describe, expect, test, vi } from "vitest";
import { Menu } from "./Menu";
import { click, get, hide, press, query, show } from "./testing";

afterEach(hide);

const focused = () => (document.activeElement as HTMLElement).dataset.testid;

async function open(perform = vi.fn()) {
  await show(
    <Menu
      label="More"
      testid="more"
      items={[
        { name: "Rename", testid: "rename", perform },
        "line",
        { name: "Open", testid: "open", disabled: true },
        { name: "Delete", testid: "delete", tone: "bad" },
      ]}
    >
      …
    </Menu>,
  );
  await click("more");
  return perform;
}

describe("a menu", () => {
  test("opens with its first item focused and says so", async () => {
    await open();
    expect(get("more").getAttribute("aria-expanded")).toBe("true");
    expect(focused()).toBe("rename");
  });

  test("moves with arrows, round the ends and past what is disabled", async () => {
    await open();
    await press("ArrowDown");
    expect(focused()).toBe("delete");
    await press("ArrowDown");
    expect(focused()).toBe("rename");
    await press("ArrowUp");
    expect(focused()).toBe("delete");
    await press("r");
    expect(focused()).toBe("rename");
  });

  test("does what was chosen, closes, and gives the focus back", async () => {
    const perform = await open();
    await click("rename");
    expect(perform).toHaveBeenCalledTimes(1);
    expect(query("rename")).toBeNull();
    expect(focused()).toBe("more");
  });

  test("keeps the focus away from its button after a click of the mouse, so that Enter does not open it again", async () => {
    const perform = await open();
    get("rename").dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
    await press("x", document.body);
    expect(perform).toHaveBeenCalledTimes(1);
    expect(query("rename")).toBeNull();
    expect(focused()).toBe(undefined);
  });

  test("closes by Escape without doing anything, and the page does not hear the key", async () => {
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    const perform = await open();
    await press("Escape");
    document.removeEventListener("keydown", heard);
    expect(query("rename")).toBeNull();
    expect(perform).not.toHaveBeenCalled();
    expect(heard).not.toHaveBeenCalled();
  });

  test("closes when one presses elsewhere", async () => {
    await open();
    document.body.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    await press("x", document.body);
    expect(query("rename")).toBeNull();
  });
});
