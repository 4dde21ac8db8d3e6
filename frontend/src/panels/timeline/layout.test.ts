import { describe, expect, test } from "vitest";
import { clampHeight, LANE, LEAST_HEIGHT, layoutOf, MOST_HEIGHT, revealLane, USUAL_HEIGHT } from "./layout";

describe("the rows of the timeline", () => {
  test.each([LEAST_HEIGHT, 139, 140, USUAL_HEIGHT, MOST_HEIGHT])("do not overlap at %i pixels", (height) => {
    const { ruler, film, bars, accepted, lanes, reached } = layoutOf(height);
    const edges = [ruler, ...(film ? [film.top, film.top + film.height] : []), bars.top, bars.base, accepted];
    edges.push(lanes.top, lanes.bottom, reached, height);
    expect(edges).toEqual([...edges].sort((a, b) => a - b));
  });

  test("at the usual height hold pictures and four lanes", () => {
    const { film, lanes } = layoutOf(USUAL_HEIGHT);
    expect(film).not.toBeNull();
    expect(lanes.bottom - lanes.top).toBeGreaterThanOrEqual(4 * LANE);
  });

  test("have a height between the least and the most", () => {
    expect(clampHeight(3)).toBe(LEAST_HEIGHT);
    expect(clampHeight(9999)).toBe(MOST_HEIGHT);
    expect(clampHeight(150.4)).toBe(150);
  });
});

describe("scrolling of lanes", () => {
  const layout = layoutOf(USUAL_HEIGHT);

  test("brings a lane into sight and leaves one that is in sight", () => {
    expect(revealLane(layout, 0, 1)).toBe(0);
    const far = revealLane(layout, 0, 20);
    expect(far).toBe(21 * LANE - (layout.lanes.bottom - layout.lanes.top));
    expect(revealLane(layout, far, 20)).toBe(far);
    expect(revealLane(layout, far, 0)).toBe(0);
  });
});
