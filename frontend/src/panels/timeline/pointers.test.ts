import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Pointers } from "./pointers";
import { type Scale, whole } from "./scale";

let element: HTMLElement;
let pointers: Pointers;
const scale = signal<Scale>(whole(100, 1000));
const hover = signal<number | null>(null);
const seek = vi.fn();
const select = vi.fn();
const dropCut = vi.fn();
let cuts: number[] = [];

function point(type: string, x: number, more: PointerEventInit = {}): void {
  element.dispatchEvent(
    new PointerEvent(type, { clientX: x, pointerId: 1, pointerType: "mouse", bubbles: true, ...more }),
  );
}

/** happy-dom's WheelEvent knows no mouse position and no modifier. */
function wheel(deltaY: number, shiftKey = false): Event {
  const event = new WheelEvent("wheel", { deltaY, cancelable: true });
  for (const [name, value] of Object.entries({ clientX: 500, shiftKey, deltaX: 0, deltaMode: 0 }))
    Object.defineProperty(event, name, { value });
  element.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  element = document.createElement("div");
  element.setPointerCapture = () => {};
  scale.value = whole(100, 1000);
  hover.value = null;
  seek.mockClear();
  select.mockClear();
  cuts = [40];
  pointers = new Pointers(element, {
    scale,
    hover,
    seek,
    select,
    selects: (y) => y >= 80,
    cutAt: (x, y, reach) => (y < 20 ? (cuts.find((cut) => Math.abs(cut * 10 - x) <= reach) ?? null) : null),
    dragCut: (_, frame) => {
      cuts = [frame];
      return frame;
    },
    dropCut,
  });
});
afterEach(() => pointers.end());

describe("on the timeline", () => {
  test("moving points, pressing and dragging scrubs, letting go ends it", () => {
    point("pointermove", 305);
    expect(hover.value).toBe(30);
    expect(seek).not.toHaveBeenCalled();
    point("pointerdown", 305);
    point("pointermove", 555);
    point("pointerup", 555);
    point("pointermove", 700);
    expect(seek.mock.calls.flat()).toEqual([30, 55]);
    point("pointerleave", 700);
    expect(hover.value).toBeNull();
  });

  test("dragging the handle of a scene cut moves the cut, and selects nothing", () => {
    point("pointerdown", 403, { clientY: 90 });
    point("pointerup", 403);
    expect([cuts, dropCut.mock.calls.length]).toEqual([[40], 0]);
    select.mockClear();
    point("pointerdown", 403, { clientY: 5 });
    point("pointermove", 555, { clientY: 5 });
    point("pointerup", 555);
    expect([cuts, dropCut.mock.calls.length, select.mock.calls]).toEqual([[55], 1, []]);
  });

  test("dragging past the ends stays on the last frame", () => {
    point("pointerdown", 500);
    point("pointermove", 5000);
    point("pointermove", -20);
    expect(seek.mock.calls.flat()).toEqual([50, 99, 0]);
  });

  test("dragging on the lanes, or with Shift, selects a span while it scrubs", () => {
    point("pointerdown", 305, { clientY: 90 });
    point("pointermove", 307, { clientY: 90 });
    expect(select.mock.calls).toEqual([[null]]);
    point("pointermove", 555, { clientY: 90 });
    point("pointermove", 205, { clientY: 10 });
    point("pointerup", 205);
    expect(select.mock.calls.slice(1)).toEqual([[[30, 55]], [[20, 30]]]);
    expect(seek.mock.calls.flat()).toEqual([30, 30, 55, 20]);
    select.mockClear();
    point("pointerdown", 105, { shiftKey: true });
    point("pointermove", 155, { shiftKey: true });
    point("pointerup", 155);
    expect(select.mock.calls).toEqual([[[10, 15]]]);
  });

  test("dragging elsewhere scrubs and ends the selection", () => {
    point("pointerdown", 305, { clientY: 20 });
    point("pointermove", 555, { clientY: 20 });
    expect(select.mock.calls).toEqual([[null]]);
  });

  test("the right button does not scrub", () => {
    point("pointerdown", 305, { button: 2 });
    expect(seek).not.toHaveBeenCalled();
  });

  test("the wheel zooms at the cursor and never scrolls the page", () => {
    expect(wheel(-500).defaultPrevented).toBe(true);
    expect(scale.value.count).toBeLessThan(50);
    expect(scale.value.first + scale.value.count / 2).toBeCloseTo(50);
  });

  test("the wheel with Shift moves what is zoomed", () => {
    wheel(-800);
    const before = scale.value;
    wheel(200, true);
    expect(scale.value.count).toBe(before.count);
    expect(scale.value.first).toBeGreaterThan(before.first);
  });

  test("two fingers zoom and do not scrub", () => {
    point("pointerdown", 400, { pointerType: "touch" });
    point("pointerdown", 600, { pointerId: 2, pointerType: "touch" });
    seek.mockClear();
    point("pointermove", 800, { pointerId: 2, pointerType: "touch" });
    expect(scale.value.count).toBeCloseTo(50);
    expect(seek).not.toHaveBeenCalled();
  });
});
