// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeMask, labelsOf, MaskError, maskIds, readContainer, readHeader } from "./decode";
import { encodeLabels } from "./encode";

// The same vectors hold the server's encoder: tests/webapp/annotation. What one writes the other must read.
const vectors = JSON.parse(readFileSync(new URL("../../../tests/data/masks.json", import.meta.url), "utf8"));
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

interface Example {
  name: string;
  width: number;
  height: number;
  mask: string;
  runs: [number, number][];
}

/** The whole frame, row-major, from the decoded box. */
function whole(data: Uint8Array): { width: number; height: number; labels: Uint8Array } {
  const map = decodeMask(data);
  const labels = new Uint8Array(map.width * map.height);
  const box = labelsOf(map);
  for (let row = 0; row < map.h; row++)
    labels.set(box.subarray(row * map.w, (row + 1) * map.w), (map.y + row) * map.width + map.x);
  return { width: map.width, height: map.height, labels };
}

describe("a mask", () => {
  it.each((vectors.masks as Example[]).map((example) => [example.name, example] as const))(
    "is read as the server wrote it: %s",
    (_name, example) => {
      const expected = new Uint8Array(example.width * example.height);
      let at = 0;
      for (const [label, length] of example.runs) {
        expected.fill(label, at, at + length);
        at += length;
      }
      expect(at).toBe(expected.length);
      const read = whole(bytes(example.mask));
      expect([read.width, read.height]).toEqual([example.width, example.height]);
      expect(Buffer.from(read.labels).equals(Buffer.from(expected))).toBe(true);
    },
  );

  const scene = bytes((vectors.masks as Example[]).find(({ name }) => name.startsWith("scene"))?.mask ?? "");

  it("says its objects without being decoded", () => {
    expect(readHeader(scene).ids).toEqual([0, 1, 2, 3]);
    expect(maskIds({ seq: 1, round: 1, frame: 0, confidence: new Uint8Array(), data: scene })).toEqual([
      1, 2, 3,
    ]);
  });

  it("of an unknown format is refused", () => {
    const wrong = scene.slice();
    wrong[0] = 9;
    expect(() => decodeMask(wrong)).toThrow(MaskError);
  });

  it("that ends too early is refused", () => {
    expect(() => decodeMask(scene.slice(0, 6))).toThrow(MaskError);
  });
});

describe("a container", () => {
  const container = bytes(vectors.container.bytes);

  it("holds the masks that were packed, in their order", () => {
    const read = readContainer(container);
    expect(read.length).toBe(vectors.container.masks.length);
    for (const [index, expected] of vectors.container.masks.entries()) {
      const mask = read[index];
      expect(mask).toMatchObject({ seq: expected.seq, round: expected.round, frame: expected.frame });
      expect([...(mask?.confidence ?? [])]).toEqual(expected.confidence);
      expect(Buffer.from(mask?.data ?? []).equals(Buffer.from(expected.mask, "base64"))).toBe(true);
    }
  });

  it("of another version or type is refused", () => {
    expect(() => readContainer(new Uint8Array([2, 1]))).toThrow(MaskError);
    expect(() => readContainer(new Uint8Array([1, 7]))).toThrow(MaskError);
  });

  it("cut within a mask is refused, wherever the cut lies", () => {
    let whole = 0;
    for (let end = 2; end < container.length; end++) {
      try {
        readContainer(container.subarray(0, end));
        whole++; // the cut lay between two masks
      } catch (problem) {
        expect(problem).toBeInstanceOf(MaskError);
      }
    }
    expect(whole).toBe(vectors.container.masks.length);
  });

  it("without masks is empty", () => {
    expect(readContainer(new Uint8Array([1, 1]))).toEqual([]);
  });
});

it("a mask whose runs are larger than the buffer of the inflater is read completely", () => {
  const [width, height] = [1000, 300];
  const labels = Uint8Array.from({ length: width * height }, (_, at) =>
    at % 2 === 0 ? 0 : 1 + ((at >> 1) % 3),
  );
  expect([...whole(encodeLabels(width, height, labels)).labels.slice(-9)]).toEqual([...labels.slice(-9)]);
});
