import { expect, test } from "vitest";
import { describe, weightsOf } from "./engines";
import type { Engine } from "./types";

const STM: Engine = {
  name: "stm",
  title: "STM",
  good_at: "Finds again.",
  needs_weights: true,
  ready: true,
  weights: "stm.safetensors",
  size_bytes: 4_900_000,
  shipped: true,
  default: false,
  published: true,
  hint: "Its weights are small.",
};

test("weights are told in a few words", () => {
  expect(weightsOf(STM)).toBe("4.9 MB, ships");
  expect(weightsOf({ ...STM, shipped: false, weights: "e120.pth", size_bytes: 158e6 })).toBe(
    "158 MB, e120.pth",
  );
  expect(weightsOf({ ...STM, ready: false, weights: "", size_bytes: 0 })).toBe("no weights");
  expect(weightsOf({ ...STM, needs_weights: false, weights: "", size_bytes: 0 })).toBe("");
});

test("what is missing is told whole, with the place where it goes", () => {
  const hint =
    "STM has no weights here. Put its checkpoint into /data/weights, or run: python manage.py weights add FILE";
  expect(describe({ ...STM, ready: false, hint })).toBe(`Finds again. ${hint}`);
  expect(describe({ ...STM, hint: "" })).toBe("Finds again.");
});
