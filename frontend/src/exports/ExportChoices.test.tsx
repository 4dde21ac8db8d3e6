import { afterEach, expect, test } from "vitest";
import { hide, query, show } from "../parts/testing";
import { EVERYTHING, ExportChoices, optionsOf, spansOf, USUAL } from "./ExportChoices";

afterEach(hide);

test("ranges of frames are read as people type them", () => {
  expect(spansOf("")).toEqual([]);
  expect(spansOf(" 0-99, 120 ,200 – 250,")).toEqual([
    [0, 99],
    [120, 120],
    [200, 250],
  ]);
  for (const wrong of ["x", "5-1", "1-", "1 2"]) expect(spansOf(wrong)).toBeNull();
});

test("only what differs from everything is sent", () => {
  expect(optionsOf(EVERYTHING)).toEqual({});
  expect(
    optionsOf({
      ...EVERYTHING,
      accepted: true,
      spans: "3",
      names: "source",
      display: true,
      labels: ["Koi", ""],
    }),
  ).toEqual({
    accepted_only: true,
    spans: [[3, 3]],
    names: "source",
    shape: "display",
    labels: ["Koi", ""],
  });
  expect(() => optionsOf({ ...EVERYTHING, spans: "x" })).toThrow("ranges of frames");
});

test("only an overlay is sent with a look", () => {
  const choices = { ...EVERYTHING, look: { ...USUAL, opacity: "0", background: "#00b140" } };
  expect(optionsOf(choices)).toEqual({});
  const look = { opacity: 0, contour: 1, color: null, background: "#00b140" };
  expect(optionsOf(choices, ["look", "matte"])).toEqual({ look });
  const emptied = { ...EVERYTHING, look: { ...USUAL, opacity: "", contour: " " } };
  expect(optionsOf(emptied, ["look", "matte"]).look).toEqual({
    opacity: 0.5,
    contour: 1,
    color: null,
    background: null,
  });
});

test("soft edges and premultiplied colours are sent to formats that take them", () => {
  const choices = { ...EVERYTHING, edge: "0", premultiplied: true };
  expect(optionsOf(choices, ["matte"])).toEqual({ matte: { edge: 0 } });
  expect(optionsOf(choices, ["matte", "premultiplied"])).toEqual({ matte: { edge: 0, premultiplied: true } });
  expect(optionsOf(choices)).toEqual({});
  expect(optionsOf(choices, ["look", "matte"]).matte).toBeUndefined(); // The frame is the background: no soft edge.
});

test("soft edges are asked for only where they are sent", async () => {
  const choose = (background: string) =>
    show(
      <ExportChoices
        choices={{ ...EVERYTHING, look: { ...USUAL, background } }}
        takes={["look", "matte"]}
        labels={[]}
        onChange={() => {}}
      />,
    );
  await choose("");
  expect(query("export-edge")).toBeNull();
  await choose("#00b140");
  expect(query("export-edge")).not.toBeNull();
});
