import { describe, expect, test } from "vitest";
import { afterClick } from "./selected";

const order = [4, 7, 1, 9];

describe("a click", () => {
  test("selects a row, and takes it out again", () => {
    const once = afterClick(new Set(), order, 7, null, false);
    expect([...once]).toEqual([7]);
    expect([...afterClick(once, order, 7, 7, false)]).toEqual([]);
  });

  test("with Shift selects all from the row before, as they are shown", () => {
    expect([...afterClick(new Set([9]), order, 7, 9, true)].sort()).toEqual([1, 7, 9]);
    expect([...afterClick(new Set(), order, 1, 5, true)]).toEqual([1]);
  });
});
