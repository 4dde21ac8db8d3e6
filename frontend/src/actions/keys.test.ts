import { Play } from "lucide-preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createCommands } from "../editor/commands";
import { fakeStudio } from "../editor/testing";
import type { Command } from "../studio/command";
import { chord, commandFor, listen } from "./keys";

const key = (name: string, init: KeyboardEventInit = {}): KeyboardEvent =>
  new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...init });

let end: (() => void) | undefined;
afterEach(() => {
  end?.();
  document.body.innerHTML = "";
});

function command(
  id: string,
  keys: string[],
  given: Partial<Command> = {},
): { command: Command; times: () => number } {
  let times = 0;
  const perform = () => {
    times++;
  };
  const made: Command = {
    id,
    name: id,
    group: "Help",
    icon: Play,
    keys,
    perform,
    enabled: () => true,
    ...given,
  };
  return { command: made, times: () => times };
}

describe("a chord", () => {
  it("is written the same for every keyboard", () => {
    expect(chord(key("z", { ctrlKey: true }))).toBe("Ctrl+Z");
    expect(chord(key("Z", { ctrlKey: true, shiftKey: true }))).toBe("Ctrl+Shift+Z");
    expect(chord(key("z", { metaKey: true }))).toBe("Ctrl+Z");
    expect(chord(key("?", { shiftKey: true }))).toBe("?");
    expect(chord(key("Tab", { shiftKey: true }))).toBe("Shift+Tab");
    expect(chord(key("ArrowLeft"))).toBe("ArrowLeft");
  });
});

describe("commands of the studio", () => {
  const studio = fakeStudio();
  const commands = createCommands(studio);

  it.each([
    ["D", "frame.previous"],
    ["ArrowLeft", "frame.previous"],
    ["F", "frame.next"],
    ["ArrowRight", "frame.next"],
    ["C", "frame.back10"],
    ["V", "frame.forward10"],
    ["Home", "frame.first"],
    ["End", "frame.last"],
    [" ", "play"],
    ["1", "object.1"],
    ["9", "object.9"],
    ["0", "tool.background"],
    ["B", "tool.brush"],
    ["N", "object.add"],
    ["[", "brush.smaller"],
    ["]", "brush.larger"],
    ["Ctrl+Z", "undo"],
    ["Ctrl+Shift+Z", "redo"],
    ["R", "round.run"],
    ["Tab", "frame.suggested"],
    ["H", "object.hide"],
    ["L", "object.lock"],
    ["Ctrl+0", "view.fit"],
    ["?", "help.open"],
  ])("have the field's key %s for %s", (pressed, id) => {
    const meant = commands.filter(
      ({ keys, id: other }) => keys.includes(pressed) && !other.startsWith("review."),
    );
    expect(meant.map((command) => command.id)).toEqual([id]);
  });

  it("take the polygon with Enter while one is drawn, and run a round otherwise", () => {
    const enter = new KeyboardEvent("keydown", { key: "Enter" });
    const meant = commands.filter(({ keys }) => keys.includes("Enter"));
    expect(meant.map(({ id }) => id)).toEqual(["review.accept", "polygon.take", "round.run"]);
    expect(meant.slice(0, 2).map((command) => command.enabled())).toEqual([false, false]);
    studio.store.polygon.value = {
      frame: 0,
      object: 1,
      corners: [{ x: 1, y: 1 }],
      adds: true,
      closed: false,
    };
    expect(commandFor(enter, commands)?.id).toBe("polygon.take");
    studio.store.polygon.value = null;
  });

  it("accept and go on with Enter and Tab while somebody reviews", () => {
    const place = { span: [0, 3], reason: "not looked at yet" } as const;
    studio.store.review.value = { place, before: [place], seen: new Set() };
    const meant = (key: string) => commandFor(new KeyboardEvent("keydown", { key }), commands)?.id;
    expect([meant("Enter"), meant("Tab")]).toEqual(["review.accept", "review.next"]);
    studio.store.review.value = null;
    expect(commands.find(({ id }) => id === "review.accept")?.enabled()).toBe(false);
  });

  it("have names and ids of their own", () => {
    for (const field of ["id", "name"] as const)
      expect(new Set(commands.map((command) => command[field])).size).toBe(commands.length);
  });
});

describe("a key", () => {
  it("performs its command", () => {
    const { command: next, times } = command("next", ["F"]);
    end = listen(
      [next],
      () => false,
      () => false,
    );
    dispatchEvent(key("f"));
    expect(times()).toBe(1);
  });

  it("that is held repeats only what may repeat", () => {
    const next = command("next", ["F"], { repeats: true });
    const run = command("run", ["R"]);
    end = listen(
      [next.command, run.command],
      () => false,
      () => false,
    );
    for (const repeat of [false, true, true]) {
      dispatchEvent(key("f", { repeat }));
      dispatchEvent(key("r", { repeat }));
    }
    expect([next.times(), run.times()]).toEqual([3, 1]);
  });

  it("typed into a field, a menu or a dialog is no command", () => {
    const { command: next, times } = command("next", ["F"]);
    end = listen(
      [next],
      () => false,
      () => false,
    );
    document.body.innerHTML = `<input id="a"><dialog><button id="b"></button></dialog><div role="menu"><button id="c"></button></div>`;
    for (const id of ["a", "b", "c"]) document.getElementById(id)?.dispatchEvent(key("f"));
    expect(times()).toBe(0);
  });

  it("of a switched-off command does nothing and nothing else", () => {
    const { command: run, times } = command("run", ["R"], { enabled: () => false });
    end = listen(
      [run],
      () => false,
      () => false,
    );
    const event = key("r");
    dispatchEvent(event);
    expect(times()).toBe(0);
    expect(event.defaultPrevented).toBe(true);
  });

  it("Tab moves the focus where there is no frame to go to, and on controls always", () => {
    const off = command("suggested", ["Tab"], { enabled: () => false });
    end = listen(
      [off.command],
      () => false,
      () => false,
    );
    const event = key("Tab");
    dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    document.body.innerHTML = `<button id="b"></button>`;
    const on = key("Tab");
    document.getElementById("b")?.dispatchEvent(on);
    expect(commandFor(on, [command("suggested", ["Tab"]).command])).toBe(undefined);
  });

  it("is a command on a control that was clicked, and the control's on one that the keyboard has reached", () => {
    const play = command("play", [" "]);
    const fix = command("fix", ["Tab"]);
    end = listen(
      [play.command, fix.command],
      () => false,
      () => false,
    );
    document.body.innerHTML = `<button id="lock"></button><button id="hide"></button>`;
    const [lock, hide] = ["lock", "hide"].map((id) => document.getElementById(id) as HTMLElement);
    const tap = (at?: HTMLElement) => {
      at?.dispatchEvent(key(" "));
      at?.dispatchEvent(new KeyboardEvent("keyup", { key: " ", bubbles: true }));
      at?.dispatchEvent(key("Tab"));
    };
    // Both have a ring: the one that was clicked gets it with the first key.
    for (const at of [lock as HTMLElement, hide as HTMLElement]) {
      const matches = at.matches.bind(at);
      vi.spyOn(at, "matches").mockImplementation(
        (selector) => selector === ":focus-visible" || matches(selector),
      );
    }
    lock?.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    lock?.focus();
    tap(lock);
    expect([play.times(), fix.times()]).toEqual([1, 1]);
    hide?.focus(); // The keys before moved the focus there.
    tap(hide);
    expect([play.times(), fix.times()]).toEqual([1, 1]);
  });

  it("an open dialog has all keys, wherever the focus is", () => {
    const { command: release, times } = command("release", ["A", "Escape"]);
    end = listen(
      [release],
      () => false,
      () => false,
    );
    document.body.innerHTML = "<dialog open></dialog>";
    const leave = key("Escape");
    document.body.dispatchEvent(key("a"));
    document.body.dispatchEvent(leave);
    expect(times()).toBe(0);
    expect(leave.defaultPrevented).toBe(false); // the browser closes the dialog with it
    document.querySelector("dialog")?.removeAttribute("open");
    document.body.dispatchEvent(key("a"));
    expect(times()).toBe(1);
  });

  it("arrow keys on a slider are the slider's", () => {
    const { command: next, times } = command("next", ["ArrowRight"]);
    end = listen(
      [next],
      () => false,
      () => false,
    );
    document.body.innerHTML = `<input id="a" type="range"><div id="b" role="slider" tabindex="0"></div>`;
    for (const id of ["a", "b"]) document.getElementById(id)?.dispatchEvent(key("ArrowRight"));
    expect(times()).toBe(0);
  });

  it("two commands share means the command that can do something now", () => {
    const cancel = command("cancel", ["Escape"], { enabled: () => false });
    const back = command("back", ["Escape"]);
    expect(commandFor(key("Escape"), [cancel.command, back.command])?.id).toBe("back");
  });

  it("Space plays when it is tapped, not when something was dragged with it", () => {
    const { command: play, times } = command("play", [" "]);
    let dragged = false;
    end = listen(
      [play],
      () => dragged,
      () => false,
    );
    dispatchEvent(key(" "));
    expect(times()).toBe(0);
    dispatchEvent(new KeyboardEvent("keyup", { key: " " }));
    expect(times()).toBe(1);
    dragged = true;
    dispatchEvent(key(" "));
    dispatchEvent(new KeyboardEvent("keyup", { key: " " }));
    expect(times()).toBe(1);
  });

  it("Escape first ends what is being drawn", () => {
    const { command: cancel, times } = command("cancel", ["Escape"]);
    let drawing = true;
    end = listen(
      [cancel],
      () => false,
      () => drawing,
    );
    dispatchEvent(key("Escape"));
    expect(times()).toBe(0);
    drawing = false;
    dispatchEvent(key("Escape"));
    expect(times()).toBe(1);
  });
});
