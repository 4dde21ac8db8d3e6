// @vitest-environment node
import { readFileSync } from "node:fs";
import { inflateSync } from "fflate";
import { describe, expect, it } from "vitest";
import { frameLabels } from "./compose";
import { decodeMask, readHeader } from "./decode";
import { base64Of, bytesOfBase64, encodeBitmap, encodeLabels } from "./encode";

// The server's encoder wrote these bytes, and its decoder reads only what its encoder can have written.
const vectors = JSON.parse(readFileSync(new URL("../../../tests/data/masks.json", import.meta.url), "utf8"));

interface Example {
  name: string;
  width: number;
  height: number;
  mask: string;
}

describe("a mask that the page encodes", () => {
  it.each((vectors.masks as Example[]).map((example) => [example.name, example] as const))(
    "has the header and the runs that the server writes: %s",
    (_name, { width, height, mask }) => {
      const theirs = bytesOfBase64(mask);
      const ours = encodeLabels(width, height, frameLabels(decodeMask(theirs)));
      const { at } = readHeader(theirs);
      expect(ours.subarray(0, at)).toEqual(theirs.subarray(0, at));
      // Compressed data may differ between two compressors; what it holds may not.
      if (theirs.length > at)
        expect(inflateSync(ours.subarray(at))).toEqual(inflateSync(theirs.subarray(at)));
    },
  );

  it("is read back to the pixel, at random and at the corners of the frame", () => {
    let seed = 7;
    const random = (): number => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    for (const [width, height, share] of [
      [1, 1, 1],
      [33, 7, 0.5],
      [200, 131, 0.02],
      [64, 64, 0],
    ] as const) {
      const bits = Uint8Array.from({ length: width * height }, () => (random() < share ? 1 : 0));
      const read = decodeMask(encodeBitmap({ width, height, bits }));
      expect([read.width, read.height]).toEqual([width, height]);
      expect(Buffer.compare(frameLabels(read), bits)).toBe(0);
    }
  });

  it("goes through base64 unchanged, also when it is long", () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255);
    expect(Buffer.compare(bytesOfBase64(base64Of(bytes)), bytes)).toBe(0);
  });
});
