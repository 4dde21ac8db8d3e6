import { afterEach, describe, expect, it, vi } from "vitest";
import { previewClick, showPreview, watchPreview } from "../actions/preview";
import { canvasPoint } from "../canvas/view";
import { fakeStudio, settled } from "../editor/testing";
import { packedMask } from "../masks/testing";
import type { ClientMessage } from "../protocol";
import { box } from "./box";
import { click } from "./click";
import { erase } from "./erase";
import { createPointerState } from "./pointerState";
import { type PointerSample, sampleAt } from "./tool";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A studio at scale 1 whose frame of 100 x 50 has its corner at 20, 20 of the stage. `asked` holds the questions. */
function ready() {
  const studio = fakeStudio();
  studio.stage.resize({ width: 140, height: 90 });
  studio.stage.open({ width: 100, height: 50 });
  studio.stage.zoomTo(1);
  const asked: ClientMessage[] = [];
  studio.socket.send = (message) => asked.push(message) > 0;
  ends.push(watchPreview(studio));
  return { studio, pointer: createPointerState(), asked };
}

const at = (x: number, y: number, shift = false): PointerSample =>
  sampleAt(canvasPoint(x + 20, y + 20), 1, shift);

describe("the click tool", () => {
  it("clicks on the object, and with the other button on what is not the object", () => {
    const { studio, pointer } = ready();
    click.press(studio, pointer, at(50, 25))?.end();
    click.pressAlternative?.(studio, pointer, at(10, 25))?.end();
    expect(studio.sent).toMatchObject([
      { type: "prompt.add", kind: "click", frame: 0, object: 1, points: [[0.5, 0.5]], positive: true },
      { type: "prompt.add", kind: "click", frame: 0, object: 1, points: [[0.1, 0.5]], positive: false },
    ]);
    expect(studio.history.nextUndo()?.name).toBe("click");
  });

  it("does nothing beside the frame, and asks for an object where the background is selected", () => {
    const { studio, pointer } = ready();
    expect(click.press(studio, pointer, at(-5, 25))).toBeNull();
    studio.store.selected.value = 0;
    expect(click.press(studio, pointer, at(50, 25))).toBeNull();
    expect(studio.sent).toEqual([]);
  });

  it("asks what a click would give while Shift is held", () => {
    const { studio, pointer, asked } = ready();
    click.hover?.(studio, pointer, at(50, 25));
    expect(asked).toEqual([]);
    click.hover?.(studio, pointer, at(50, 25, true));
    const wanted = { object: 1, point: [0.5, 0.5], positive: true };
    expect(asked).toMatchObject([{ type: "preview.ask", frame: 0, click: wanted }]);
    click.hover?.(studio, pointer, at(50, 25));
    expect(studio.store.preview.value).toBeNull();
  });
});

describe("hovering with Shift", () => {
  const points = (asked: ClientMessage[]) =>
    asked.map((message) => (message.type === "preview.ask" ? message.click?.point : undefined));

  it("asks about where the pointer is once the answer is here, which a new question would have dropped", async () => {
    vi.useFakeTimers();
    ends.push(() => void vi.useRealTimers());
    const { studio, pointer, asked } = ready();
    for (const x of [50, 60, 70]) {
      click.hover?.(studio, pointer, at(x, 25, true));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(points(asked)).toEqual([[0.5, 0.5]]);
    showPreview(studio, packedMask({ round: 0, frame: 0 }));
    expect(points(asked)).toEqual([
      [0.5, 0.5],
      [0.7, 0.5],
    ]);
    expect(studio.store.preview.value?.mask).not.toBeNull();
    showPreview(studio, packedMask({ round: 0, frame: 0 }));
    expect(asked.length, "the pointer rests").toBe(2);
  });

  it("does not wait for ever for an answer", async () => {
    vi.useFakeTimers();
    ends.push(() => void vi.useRealTimers());
    const { studio, pointer, asked } = ready();
    click.hover?.(studio, pointer, at(50, 25, true));
    await vi.advanceTimersByTimeAsync(2500);
    click.hover?.(studio, pointer, at(60, 25, true));
    expect(points(asked).length).toBe(2);
  });
});

describe("the box tool", () => {
  it("stores two opposite corners inside of the frame", () => {
    const { studio, pointer } = ready();
    const gesture = box.press(studio, pointer, at(50, 25));
    gesture?.move([at(300, 40)]);
    expect(pointer.box.value).toEqual([
      [0.5, 0.5],
      [1, 0.8],
    ]);
    gesture?.end();
    expect(pointer.box.value).toBeNull();
    const points = [
      [0.5, 0.5],
      [1, 0.8],
    ];
    expect(studio.sent).toMatchObject([{ type: "prompt.add", kind: "box", object: 1, points }]);
  });

  it("takes a press without a movement for a mistake", () => {
    const { studio, pointer } = ready();
    box.press(studio, pointer, at(50, 25))?.end();
    expect(studio.sent).toEqual([]);
  });

  it("is removed by the eraser on one of its sides", () => {
    const { studio, pointer } = ready();
    const gesture = box.press(studio, pointer, at(10, 5));
    gesture?.move([at(90, 45)]);
    gesture?.end();
    erase.press(studio, pointer, at(50, 25))?.end();
    expect(studio.sent.length).toBe(1);
    erase.press(studio, pointer, at(50, 45))?.end();
    expect(studio.sent.at(-1)?.type).toBe("scribble.remove");
  });
});

describe("the preview", () => {
  it("is asked for after each scribble, once its message is sent, and again when one is taken back", async () => {
    const { studio, pointer, asked } = ready();
    click.press(studio, pointer, at(50, 25))?.end();
    expect(studio.sent.length).toBe(1);
    await settled();
    expect(asked).toMatchObject([{ type: "preview.ask", frame: 0, click: null }]);
    click.press(studio, pointer, at(60, 25))?.end();
    await settled();
    studio.history.undo();
    await settled();
    expect(asked.length).toBe(3);
  });

  it("is asked for once for each scribble, also when the server has stored it", async () => {
    const { studio, pointer, asked } = ready();
    click.press(studio, pointer, at(50, 25))?.end();
    await studio.ack("prompt.add");
    await settled();
    expect(studio.store.unsaved.value).toEqual([]);
    expect(asked.length).toBe(1);
  });

  it("shows the newest answer for the frame in view, and goes with the last scribble", async () => {
    const { studio, pointer } = ready();
    click.press(studio, pointer, at(50, 25))?.end();
    await settled();
    const mask = packedMask({ round: 0, frame: 0 });
    showPreview(studio, packedMask({ round: 0, frame: 7 }));
    expect(studio.store.preview.value?.mask).toBeNull();
    showPreview(studio, mask);
    expect(studio.store.preview.value?.mask).toBe(mask);
    studio.history.undo();
    await settled();
    expect(studio.store.preview.value).toBeNull();
  });

  it("is not asked for while each scribble runs a round, or for every movement of the pointer", async () => {
    const { studio, pointer, asked } = ready();
    studio.store.view.value = { ...studio.store.view.value, runOnRelease: true };
    click.press(studio, pointer, at(50, 25))?.end();
    await settled();
    expect(asked).toEqual([]);
    for (let i = 0; i < 5; i++) previewClick(studio, { object: 1, point: [0.5, 0.5], positive: true });
    expect(asked.length).toBe(1);
  });
});
