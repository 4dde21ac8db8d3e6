import { afterEach, describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { listenToPen } from "./keypen";
import { createPointerState } from "./pointerState";

let end: (() => void) | undefined;
afterEach(() => end?.());

function ready() {
  const studio = fakeStudio();
  studio.stage.resize({ width: 140, height: 90 });
  studio.stage.open({ width: 100, height: 50 });
  studio.stage.zoomTo(1); // the frame's corner lies at 20, 20, the middle of the stage at 70, 45
  const hand = createPointerState();
  end = listenToPen(studio, hand);
  return { studio, hand };
}

function press(...keys: string[]): void {
  for (const name of keys) {
    const [key, shiftKey] = [name.replace("Shift+", ""), name.startsWith("Shift+")];
    document.body.dispatchEvent(
      new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }),
    );
  }
}

describe("the pen that keys move", () => {
  it("draws from where it is put down to where it is lifted", () => {
    const { studio, hand } = ready();
    studio.store.keyPen.value = true;
    press("ArrowLeft", " ", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "Enter");
    const path = [
      [0.42, 0.5],
      [0.5, 0.5],
      [0.58, 0.5],
      [0.58, 0.52],
    ];
    expect(studio.sent).toMatchObject([{ type: "scribble.add", object: 1, path }]);
    expect(hand.live.value).toBe(null);
  });

  it("takes the focus from the button that was used last", () => {
    const { studio } = ready();
    const button = document.body.appendChild(document.createElement("button"));
    button.focus();
    studio.store.keyPen.value = true;
    expect(document.activeElement).toBe(document.body);
    button.remove();
  });

  it("stays in the picture", () => {
    const { studio, hand } = ready();
    studio.store.keyPen.value = true;
    press(...Array.from({ length: 30 }, () => "ArrowUp"));
    expect(hand.pen.value).toEqual({ x: 70, y: 20 });
  });

  it("gives the scribble up with Escape, and then the mode", () => {
    const { studio, hand } = ready();
    studio.store.keyPen.value = true;
    press(" ", "ArrowRight", "Escape");
    expect(hand.live.value).toBe(null);
    expect(studio.store.keyPen.value).toBe(true);
    press("Escape");
    expect(studio.store.keyPen.value).toBe(false);
    expect(hand.pen.value).toBe(null);
    expect(studio.sent).toEqual([]);
  });

  it("leaves the keys alone while it is off", () => {
    const { studio } = ready();
    press(" ", "ArrowRight", " ");
    expect(studio.sent).toEqual([]);
  });
});
