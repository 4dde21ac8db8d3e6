import { afterEach, expect, test } from "vitest";
import type { NumbersRow } from "../../api/types";
import { click, get, hide, show } from "../../parts/testing";
import { NumbersTable, sorted } from "./NumbersTable";

const ROW: NumbersRow = {
  key: "1",
  name: "Ann",
  human_seconds: 60,
  engine_seconds: 1,
  strokes: 4,
  painted_pixels: 0,
  rounds: 2,
  corrections: 0,
  accepted_frames: 3,
  accepted_objects: 5,
  rejected_objects: 1,
  submissions: 1,
  rejections: 0,
  rounds_to_accept: 2.5,
  seconds_to_accept: null,
  j: 0.7,
  f: 0.9,
  jf: 0.8,
};
const OTHER = { ...ROW, key: "2", name: "Bo", strokes: 9, j: null, f: null, jf: null };

afterEach(hide);

test("rows are sorted by a column, and those without a value come last", () => {
  const names = (key: string, down: boolean) => sorted([ROW, OTHER], key, down).map(({ name }) => name);
  expect(names("strokes", true)).toEqual(["Bo", "Ann"]);
  expect(names("strokes", false)).toEqual(["Ann", "Bo"]);
  expect(names("jf", false)).toEqual(["Ann", "Bo"]);
  expect(names("name", true)).toEqual(["Ann", "Bo"]); // That is no column of numbers.
});

test("a click on a column sorts by it, and sums stand below", async () => {
  await show(<NumbersTable by="person" of="Person" rows={[ROW, OTHER]} />);
  expect(get("numbers").textContent).toContain("0.7000.9000.800");
  expect(get("numbers-total").textContent).toMatch(/^All2:00.*13/);
  const head = () => get("numbers-sort-strokes").closest("th");
  for (const [order, first] of [
    ["descending", "Bo"],
    ["ascending", "Ann"],
  ]) {
    await click("numbers-sort-strokes");
    await show(<NumbersTable by="person" of="Person" rows={[ROW, OTHER]} />);
    expect(head()?.getAttribute("aria-sort")).toBe(order);
    expect(get("numbers").querySelector("tbody th")?.textContent).toBe(first);
  }
  await click("numbers-sort-strokes");
  expect(location.search).not.toContain("sort");
});

test("rounds have no sum by object or label, because a round on two objects is a round of each", async () => {
  const total = async (by: string, of: string) => {
    await show(<NumbersTable by={by} of={of} rows={[ROW, OTHER]} />);
    return [...get("numbers-total").querySelectorAll("td")].map((cell) => cell.textContent).slice(2, 5);
  };
  expect(await total("person", "Person")).toEqual(["4", "0", "13"]);
  expect(await total("object", "Object")).toEqual(["", "", "13"]);
  expect(await total("label", "Label")).toEqual(["", "", "13"]);
});
