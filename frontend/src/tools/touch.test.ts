import { afterEach, describe, expect, it } from "vitest";
import { type FakeStudio, fakeStudio, round } from "../editor/testing";
import { encodeLabels } from "../masks/encode";
import { Pointers } from "./pointer";
import { createPointerState } from "./pointerState";
import { TOOLS } from "./tools";

const [WIDTH, HEIGHT] = [100, 50];
let pointers: Pointers | undefined;
afterEach(() => pointers?.close());

/** A studio at scale 1, whose frame has its corner at 20, 20, and whose frame 0 shows object 1 with a hole. */
function ready(tool: string): {
  studio: FakeStudio;
  finger: (type: string, x: number, y: number, id?: number) => void;
} {
  const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
  studio.stage.resize({ width: WIDTH + 40, height: HEIGHT + 40 });
  studio.stage.open({ width: WIDTH, height: HEIGHT });
  studio.stage.zoomTo(1);
  const labels = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 5; y < 45; y++) labels.fill(1, y * WIDTH + 10, y * WIDTH + 60);
  for (let y = 20; y < 30; y++) labels.fill(0, y * WIDTH + 25, y * WIDTH + 40);
  labels[47 * WIDTH + 40] = 1; // a bump, so that there is something to smooth
  const data = encodeLabels(WIDTH, HEIGHT, labels);
  studio.store.masks.add([{ seq: 1, round: 1, frame: 0, confidence: new Uint8Array([255]), data }]);
  studio.store.tool.value = tool;
  const element = document.createElement("div");
  element.setPointerCapture = () => {};
  pointers = new Pointers(studio, createPointerState(), element);
  const finger = (type: string, x: number, y: number, id = 1): void => {
    const event = new MouseEvent(type, { clientX: x + 20, clientY: y + 20, button: 0, bubbles: true });
    element.dispatchEvent(Object.assign(event, { pointerId: id, pointerType: "touch", pressure: 0 }));
  };
  return { studio, finger };
}

/** What a finger that goes from one place to another does with each tool: the type of the message that is sent. */
const DOES: Record<string, string | null> = {
  scribble: "scribble.add",
  background: "scribble.add",
  click: "prompt.add",
  box: "prompt.add",
  erase: "scribble.remove",
  brush: "mask.paint",
  rubber: "mask.paint",
  island: "mask.paint",
  smooth: "mask.paint",
  polygon: null,
  pan: null,
};

describe("with a finger", () => {
  it.each(TOOLS.map(({ name }) => name))("the tool works that is called %s", (name) => {
    const { studio, finger } = ready(name === "erase" || name === "background" ? "scribble" : name);
    if (name === "background") studio.store.selected.value = 0;
    if (name === "erase") {
      finger("pointerdown", 30, 25);
      finger("pointermove", 38, 25);
      finger("pointerup", 38, 25);
      studio.store.tool.value = "erase";
    }
    const before = { ...studio.stage.view.value };
    const wanted = DOES[name];
    finger("pointerdown", 30, 25);
    if (name !== "click" && name !== "island") finger("pointermove", 38, 42);
    finger("pointerup", 38, 42);
    if (wanted) expect(studio.sent.at(-1)?.type).toBe(wanted);
    if (name === "background") expect(studio.sent.at(-1)).toMatchObject({ object: 0 });
    if (name === "polygon") expect(studio.store.polygon.value?.corners.length).toBe(1);
    if (name === "pan") expect(studio.stage.view.value.y - before.y).toBeCloseTo(17);
  });

  it("a second finger ends the stroke without a trace, and both move and zoom the frame", () => {
    for (const name of ["scribble", "box", "brush"]) {
      const { studio, finger } = ready(name);
      const before = studio.stage.view.value.scale;
      finger("pointerdown", 30, 25);
      finger("pointermove", 34, 25);
      finger("pointerdown", 60, 25, 2);
      finger("pointermove", 80, 25, 2);
      finger("pointerup", 80, 25, 2);
      finger("pointerup", 34, 25);
      expect(studio.sent).toEqual([]);
      expect(studio.stage.view.value.scale).toBeGreaterThan(before);
      pointers?.close();
    }
  });
});
