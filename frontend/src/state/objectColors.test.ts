// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { state } from "../editor/testing";
import type { ObjectInfo } from "../protocol";
import { recoloured, shade } from "./objectColors";
import { createStore } from "./store";

// The studio's commands know the address of the page, which Node has not.
vi.hoisted(() => vi.stubGlobal("location", new URL("http://localhost/")));

const one = state().objects[0] as ObjectInfo;
const object = (number: number, color: string, label: number | null): ObjectInfo => ({
  ...one,
  number,
  color,
  label,
});
const colors = (objects: readonly ObjectInfo[]): string[] => objects.map(({ color }) => color);

describe("the colours of masks", () => {
  it("are different for any two objects of one label", () => {
    const thirty = Array.from({ length: 30 }, (_, i) => object(i + 1, "#4cc9f0", 7));
    for (const by of ["object", "label"] as const) {
      const shown = colors(recoloured(thirty, by, null));
      expect(shown[0]).toBe("#4cc9f0");
      expect(new Set(shown).size).toBe(30);
    }
  });

  it("are the objects' own, and another shade for a second object of the same colour", () => {
    const objects = [object(1, "#ff0000", null), object(2, "#ff0000", null), object(3, "#ff0000", 7)];
    const shown = colors(recoloured(objects, "object", null));
    expect(shown).toEqual(["#ff0000", shade("#ff0000", 1), shade("#ff0000", 2)]);
  });

  it("are those of the lists and the timeline, too", () => {
    const store = createStore(1);
    store.objects.value = [object(1, "#ff0000", null), object(2, "#ff0000", null)];
    expect(colors(store.alive.value)).toEqual(["#ff0000", shade("#ff0000", 1)]);
  });

  it("follow the label, whatever colour the objects have", () => {
    const objects = [
      object(1, "#ff0000", 1),
      object(2, "#00ff00", 1),
      object(3, "#0000ff", 2),
      object(4, "#123456", null),
    ];
    const [first, second, third, fourth] = colors(recoloured(objects, "label", null));
    expect([first, third, fourth]).toEqual(["#ff0000", "#0000ff", "#9aa4b2"]);
    expect(second).toBe(shade("#ff0000", 1));
  });

  it("say how sure the engine is, and are grey where that is not known", () => {
    const objects = [object(1, "#ff0000", null), object(2, "#ff0000", null), object(3, "#ff0000", null)];
    expect(colors(recoloured(objects, "confidence", Uint8Array.of(250, 100)))).toEqual([
      "#3ecf8e",
      "#ff6b6b",
      "#8a94a3",
    ]);
  });
});
