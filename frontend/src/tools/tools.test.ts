import { afterEach, describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { commandOf } from "../studio/command";
import { Pointers } from "./pointer";
import { createPointerState } from "./pointerState";
import { TOOLS, toolInUse } from "./tools";

let close: (() => void) | undefined;
afterEach(() => close?.());

function ready() {
  const studio = fakeStudio();
  studio.stage.resize({ width: 140, height: 90 });
  studio.stage.open({ width: 100, height: 50 });
  studio.stage.zoomTo(1); // the corner of the frame lies at 20, 20
  const element = document.createElement("div");
  element.setPointerCapture = () => {};
  const pointer = createPointerState();
  const pointers = new Pointers(studio, pointer, element);
  close = () => pointers.close();
  const drag = (init: PointerEventInit): void => {
    for (const [type, x] of [
      ["pointerdown", 30],
      ["pointermove", 60],
      ["pointerup", 60],
    ] as const)
      element.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, clientX: x, clientY: 40, bubbles: true, ...init }),
      );
  };
  return { studio, drag, pointer };
}

describe("the tools", () => {
  it("have names and keys of their own", () => {
    const names = TOOLS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const { studio } = ready();
    for (const tool of TOOLS)
      for (const key of tool.keys) {
        const others = studio.commands.filter(
          ({ id, keys }) => id !== `tool.${tool.name}` && keys.includes(key),
        );
        expect(others.map(({ id }) => `${id} has the key ${key} of ${tool.name}`)).toEqual([]);
      }
  });

  it("are chosen by their commands, each instead of the one before", () => {
    const { studio } = ready();
    for (const tool of TOOLS) {
      commandOf(studio.commands, `tool.${tool.name}`).perform();
      const pressed = TOOLS.filter(({ name }) => commandOf(studio.commands, `tool.${name}`).pressed?.());
      expect(pressed.map(({ name }) => name)).toEqual([tool.name]);
    }
  });

  it("move the frame in the hands of a viewer", () => {
    const { studio, drag } = ready();
    studio.store.role.value = "viewer";
    expect(toolInUse(studio).name).toBe("pan");
    const before = studio.stage.view.peek().x;
    drag({ button: 0 });
    expect(studio.stage.view.peek().x).toBe(before + 30);
    expect(studio.sent).toEqual([]);
  });
});

describe("the right button, and the left one while Alt is held", () => {
  for (const [what, init] of [
    ["the right button", { button: 2 }],
    ["Alt", { button: 0, altKey: true }],
  ] as const)
    it(`${what} scribbles on the background and leaves the choice of object alone`, () => {
      const { studio, drag } = ready();
      studio.store.selected.value = 2;
      drag(init);
      expect(studio.sent).toMatchObject([{ type: "scribble.add", object: 0 }]);
      expect(studio.store.selected.value).toBe(2);
      drag({ button: 0 });
      expect(studio.sent[1]).toMatchObject({ type: "scribble.add", object: 2 });
    });

  it("does nothing with a tool that has no second use", () => {
    const { studio, drag } = ready();
    for (const name of ["pan", "erase"]) {
      studio.store.tool.value = name;
      const before = studio.stage.view.peek().x;
      drag({ button: 2 });
      drag({ button: 0, altKey: true });
      expect(studio.stage.view.peek().x).toBe(before);
    }
    expect(studio.sent).toEqual([]);
  });
});
