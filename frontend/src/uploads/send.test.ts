import { afterEach, describe, expect, test, vi } from "vitest";
import { type Asked, FakeServer, Refusal, UNREACHABLE } from "../api/testing";
import { nextChunk, type Sending, send } from "./send";

const SIZE = 3_000_000;
const file = new File([new Uint8Array(SIZE).map((_, at) => at % 251)], "clip.mp4");
const video = { id: 9, name: "clip" };

const LOSE_ANSWER = Symbol("the chunk arrives, its answer does not");

/** A server that takes chunks as the real one does. `before` may answer in its place, or lose an answer. */
function receiver(before: (count: number) => unknown = () => undefined) {
  const chunks: Blob[] = [];
  let received = 0;
  let count = 0;
  const fake = new FakeServer({
    "POST /api/projects/1/uploads": () => ({ id: "u1", received: 0, size: SIZE }),
    "GET /api/uploads/u1": () => ({ id: "u1", received, size: SIZE }),
    "PATCH /api/uploads/u1": (asked: Asked) => {
      count += 1;
      const odd = before(count);
      if (odd !== undefined && odd !== LOSE_ANSWER) return odd;
      if (Number(asked.headers.get("Upload-Offset")) !== received)
        return new Refusal(409, { code: "wrong_offset", text: "", received });
      chunks.push(asked.body as Blob);
      received += (asked.body as Blob).size;
      return odd === LOSE_ANSWER ? UNREACHABLE : { id: "u1", received, size: SIZE };
    },
    "POST /api/uploads/u1/finish": () => video,
  });
  const start = (at: number) => {
    received = at;
  };
  /** Whether what has arrived is the file from byte `from` on. */
  const has = async (from = 0): Promise<boolean> => {
    const parts = await Promise.all(chunks.map((chunk) => chunk.arrayBuffer()));
    const there = Buffer.concat(parts.map((part) => Buffer.from(part)));
    return there.equals(Buffer.from(await file.arrayBuffer()).subarray(from));
  };
  return { fake, has, start };
}

function sending(more: Partial<Sending> = {}): Sending {
  return {
    file,
    project: 1,
    id: null,
    signal: new AbortController().signal,
    onProgress: vi.fn(),
    onBroken: vi.fn(),
    ...more,
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a file on its way", () => {
  test("arrives whole, in chunks, and becomes a video", async () => {
    const { fake, has } = receiver();
    const onProgress = vi.fn();
    expect(await send(sending({ onProgress }))).toEqual(video);
    expect(await has()).toBe(true);
    expect(fake.lines.filter((line) => line.startsWith("PATCH")).length).toBeGreaterThan(1);
    expect(onProgress.mock.lastCall?.[1]).toBe(SIZE);
  });

  test("goes on where it stopped before", async () => {
    const { fake, has, start } = receiver();
    start(2_000_000);
    await send(sending({ id: "u1" }));
    expect(fake.lines).not.toContain("POST /api/projects/1/uploads");
    expect(await has(2_000_000)).toBe(true);
  });

  test("begins anew when the server has forgotten it", async () => {
    const { fake, has } = receiver();
    fake.answers["GET /api/uploads/gone"] = new Refusal(404, { code: "not_found", text: "" });
    await send(sending({ id: "gone" }));
    expect(await has()).toBe(true);
  });

  test("outlives broken connections and a server that restarts, and says so", async () => {
    const { has } = receiver((count) => {
      if (count === 2) return UNREACHABLE;
      return count === 3 ? new Refusal(503, { code: "busy", text: "Busy." }) : undefined;
    });
    const onBroken = vi.fn();
    await send(sending({ onBroken }));
    expect(await has()).toBe(true);
    expect(onBroken.mock.calls).toEqual([
      ["The connection broke.", 1],
      ["Busy.", 2],
    ]);
  });

  test("follows the server where it has more than was acknowledged", async () => {
    const { has } = receiver((count) => (count === 2 ? LOSE_ANSWER : undefined));
    await send(sending());
    expect(await has()).toBe(true);
  });

  test("ends with the server's sentence when it is refused, without trying again", async () => {
    const { fake } = receiver();
    fake.answers["POST /api/projects/1/uploads"] = new Refusal(413, {
      code: "too_large",
      text: "Too large.",
    });
    await expect(send(sending())).rejects.toThrow("Too large.");
    expect(fake.lines).toHaveLength(1);
  });

  test("ends with a sentence when the file is gone, and does not take that for a broken line", async () => {
    receiver(() => UNREACHABLE); // so it looks to the page when the browser cannot read what it is to send
    const gone = new File([new Uint8Array(10)], "gone.mp4");
    const unreadable = {
      size: 10,
      arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")),
    };
    gone.slice = () => ({ ...unreadable, slice: () => unreadable }) as unknown as Blob;
    const onBroken = vi.fn();
    await expect(send(sending({ file: gone, onBroken }))).rejects.toThrow("gone.mp4 cannot be read any more");
    expect(onBroken).not.toHaveBeenCalled();
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const { fake } = receiver();
    const onProgress = vi.fn(() => stop.abort());
    await expect(send(sending({ signal: stop.signal, onProgress }))).rejects.toThrow();
    expect(fake.lines).not.toContain("POST /api/uploads/u1/finish");
  });
});

test("chunks grow on a fast line, shrink on a slow one, and keep within bounds", () => {
  expect(nextChunk(1_000_000, 0.01)).toBe(2_000_000);
  expect(nextChunk(8_000_000, 0.01)).toBe(8 * 1024 * 1024);
  expect(nextChunk(1_000_000, 4)).toBe(256 * 1024);
  expect(nextChunk(1_000_000, 1)).toBe(800_000);
});
