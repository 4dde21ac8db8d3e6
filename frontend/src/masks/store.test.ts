import { describe, expect, it } from "vitest";
import { labelsOf } from "./decode";
import { MaskStore } from "./store";
import { packedMask } from "./testing";

describe("the mask store", () => {
  it("keeps the newest mask of a round's frame, whatever comes later", () => {
    const store = new MaskStore();
    store.add([packedMask({ seq: 9, round: 1, frame: 3 })]);
    store.add([packedMask({ seq: 4, round: 1, frame: 3 })]);
    expect(store.get(1, 3)?.seq).toBe(9);
    store.add([packedMask({ seq: 12, round: 1, frame: 3 })]);
    expect(store.get(1, 3)?.seq).toBe(12);
  });

  it("tells rounds apart", () => {
    const store = new MaskStore();
    store.add([packedMask({ round: 1, frame: 0 })]);
    expect(store.has(2, 0)).toBe(false);
  });

  it("announces once what came in one go, and nothing when nothing is new", async () => {
    const store = new MaskStore();
    const mask = packedMask({ round: 1, frame: 0 });
    store.add([mask, packedMask({ round: 1, frame: 1 })]);
    store.add([packedMask({ round: 1, frame: 2 })]);
    await Promise.resolve();
    expect(store.version.value).toBe(1);
    store.add([mask]);
    await Promise.resolve();
    expect(store.version.value).toBe(1);
  });

  it("decodes a mask once", () => {
    const store = new MaskStore();
    const mask = packedMask({ round: 1, frame: 0, rows: [".1.", "..."] });
    const map = store.decode(mask);
    expect([...labelsOf(map)]).toEqual([0, 1, 0, 0, 0, 0]);
    expect(store.decode(mask)).toBe(map);
  });
});
