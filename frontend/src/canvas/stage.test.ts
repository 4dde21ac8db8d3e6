import { describe, expect, it } from "vitest";
import { Stage } from "./stage";
import { canvasPoint, framePoint, toFrame } from "./view";

function opened(): Stage {
  const stage = new Stage();
  stage.resize({ width: 1000, height: 600 });
  stage.open({ width: 500, height: 300 });
  return stage;
}
const middle = canvasPoint(500, 300);

describe("the stage", () => {
  it("fits the picture, and goes on fitting it when the window changes", () => {
    const stage = opened();
    const before = stage.view.value.scale;
    stage.resize({ width: 500, height: 300 });
    expect(stage.fitted.value).toBe(true);
    expect(stage.view.value.scale).toBeLessThan(before);
  });

  it("keeps the middle in the middle when the window changes while zoomed", () => {
    const stage = opened();
    stage.zoomBy(4, canvasPoint(200, 200));
    const before = toFrame(stage.view.value, middle);
    stage.resize({ width: 700, height: 500 });
    const after = toFrame(stage.view.value, canvasPoint(350, 250));
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  it("goes to 100 % around the middle and back to fit", () => {
    const stage = opened();
    stage.zoomTo(1);
    expect(stage.view.value.scale).toBe(1);
    expect(stage.fitted.value).toBe(false);
    stage.fit();
    expect(stage.fitted.value).toBe(true);
  });

  it("brings back an earlier view, also when that was read before the stage had a size", () => {
    const kept = { zoom: 3, centre: framePoint(111, 99) };
    const stage = new Stage();
    stage.place(kept);
    stage.open({ width: 500, height: 300 });
    expect(stage.placed()).toEqual(kept);
    stage.resize({ width: 1000, height: 600 });
    expect(stage.view.value.scale).toBe(3);
    expect(toFrame(stage.view.value, middle).x).toBeCloseTo(111);
    expect(stage.placed().centre.y).toBeCloseTo(99);
  });
});
