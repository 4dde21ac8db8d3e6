import { Play } from "lucide-preact";
import { render } from "preact";
import { afterEach, describe, expect, test, vi } from "vitest";
import { colorOf, initials } from "./Avatar";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { TextField } from "./Field";
import { IconButton } from "./IconButton";
import { split } from "./Kbd";
import { Progress } from "./Progress";
import { click, fire, get, hide, press, show } from "./testing";

afterEach(hide);

/** WCAG 2.1 relative luminance. */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe("keys", () => {
  test.each([
    ["Ctrl+Shift+Z", ["Ctrl", "Shift", "Z"]],
    ["r", ["R"]],
    ["+", ["+"]],
    ["ArrowLeft", ["←"]],
    [" ", ["Space"]],
  ])("%s is written %s", (keys, parts) => expect(split(keys)).toEqual(parts));
});

describe("an avatar", () => {
  test.each([
    ["Ada Lovelace", "AL"],
    ["ada", "AD"],
    ["x", "X"],
    ["  ", "?"],
    ["first.last", "FL"],
  ])("of %s reads %s", (name, text) => expect(initials(name)).toBe(text));

  test("keeps 4.5:1 between its initials and every colour", () => {
    const dark = luminance("#10131a");
    for (let id = 0; id < 16; id += 1)
      expect((luminance(colorOf(id)) + 0.05) / (dark + 0.05)).toBeGreaterThan(4.5);
  });
});

describe("buttons", () => {
  test("a busy one takes no click", async () => {
    const onClick = vi.fn();
    await show(
      <Button testid="go" busy onClick={onClick}>
        Go
      </Button>,
    );
    await click("go");
    expect(onClick).not.toHaveBeenCalled();
    expect(get("go").getAttribute("aria-busy")).toBe("true");
  });

  test("a busy one keeps the focus and sends no form", async () => {
    const onSubmit = vi.fn((event: Event) => event.preventDefault());
    const form = (busy: boolean) => (
      <form onSubmit={onSubmit}>
        <Button testid="go" type="submit" busy={busy}>
          Go
        </Button>
      </form>
    );
    await show(form(true));
    get("go").focus();
    expect(document.activeElement).toBe(get("go"));
    await click("go");
    expect(onSubmit).not.toHaveBeenCalled();
    expect(get("go").getAttribute("aria-disabled")).toBe("true");
    await show(form(false));
    await click("go");
    expect(onSubmit).toHaveBeenCalledTimes(1);
    expect(get("go").hasAttribute("aria-disabled")).toBe(false);
  });

  test("have no class that is none", async () => {
    await show(
      <>
        <Button testid="go">Go</Button>
        <IconButton icon={Play} label="Play" testid="play" />
      </>,
    );
    expect(get("go").className + get("play").className).not.toContain("undefined");
  });

  test("one with an icon only has a name, its key and its state", async () => {
    await show(<IconButton icon={Play} label="Undo" hotkey="Ctrl+Z" pressed testid="undo" />);
    expect(get("undo").getAttribute("aria-label")).toBe("Undo");
    expect(get("undo").title).toBe("Undo (Ctrl+Z)");
    expect(get("undo").getAttribute("aria-pressed")).toBe("true");
    expect(get("undo").getAttribute("aria-keyshortcuts")).toBe("Control+Z");
  });
});

describe("a dialog", () => {
  test("is modal, named by its title, closed by Escape, and keeps keys from the page", async () => {
    const onClose = vi.fn();
    const heard = vi.fn();
    window.addEventListener("keydown", heard);
    await show(
      <Dialog title="Export" testid="export" onClose={onClose}>
        <input data-testid="inside" />
      </Dialog>,
    );
    const dialog = get<HTMLDialogElement>("export");
    expect(dialog.open).toBe(true);
    expect(document.getElementById(dialog.getAttribute("aria-labelledby") ?? "")?.textContent).toBe("Export");
    await press("r", get("inside"));
    window.removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
    await fire("export", new Event("cancel", { cancelable: true }));
    await click("export-close");
    expect(onClose).toHaveBeenCalledTimes(2);
  });

  test("is open, with the focus inside, before the next key comes", () => {
    const root = document.body.appendChild(document.createElement("div"));
    render(
      <Dialog title="New project" testid="new" onClose={() => {}}>
        <TextField label="Name" testid="name" value="" onInput={() => {}} autofocus />
      </Dialog>,
      root,
    );
    // Nothing was waited for: no paint, no promise.
    expect(get<HTMLDialogElement>("new").open).toBe(true);
    expect(document.activeElement).toBe(get("name"));
    render(null, root);
    root.remove();
  });
});

describe("a field", () => {
  test("names its input and tells its error", async () => {
    await show(<TextField label="Name" testid="name" value="" onInput={() => {}} error="Give it a name." />);
    const input = get<HTMLInputElement>("name");
    expect(document.querySelector(`label[for="${input.id}"]`)?.textContent).toBe("Name");
    expect(input.getAttribute("aria-invalid")).toBe("true");
    expect(document.getElementById(input.getAttribute("aria-describedby") ?? "")?.textContent).toBe(
      "Give it a name.",
    );
  });
});

describe("progress", () => {
  test("says how far, and nothing where nobody knows", async () => {
    await show(<Progress value={0.254} label="Import" testid="bar" />);
    expect(get("bar").getAttribute("aria-valuenow")).toBe("25");
    await show(<Progress value={null} label="Import" testid="bar" />);
    expect(get("bar").hasAttribute("aria-valuenow")).toBe(false);
  });
});
