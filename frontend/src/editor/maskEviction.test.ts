import { afterEach, describe, expect, it, vi } from "vitest";
import type { PackedMask } from "../masks/decode";
import { packedMask } from "../masks/testing";
import { reduce } from "../state/reduce";
import { createStore, type Store } from "../state/store";
import { keepRoom } from "./maskEviction";
import { MaskLoader } from "./maskLoader";
import { round, state, welcomeOf } from "./testing";

const KB = 1024;
const FRAMES = 10;
const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.unstubAllGlobals();
});

/** 4 kB with what is counted beside it. */
function mask(id: number, frame: number): PackedMask {
  const made = packedMask({ round: id, frame });
  const data = new Uint8Array(4 * KB - 256);
  data.set(made.data);
  return { ...made, data };
}

/** Rounds 1 to `count`, each on top of the one before, with a mask of 4 kB for each of 10 frames; 1 and 2 are undone. */
async function opened(budget: number, count = 6): Promise<Store> {
  const store = createStore(5);
  const rounds = [round({ id: 1 }), round({ id: 2, base: 1 })];
  for (let id = 3; id <= count; id++) rounds.push(round({ id, base: id === 3 ? null : id - 1 }));
  reduce(store, welcomeOf({ state: state({ rounds, head: count }) }));
  ends.push(keepRoom(store, budget));
  for (let id = 1; id <= count; id++) await add(store, id);
  return store;
}

async function add(store: Store, id: number): Promise<void> {
  store.masks.add(Array.from({ length: FRAMES }, (_, frame) => mask(id, frame)));
  await Promise.resolve();
}

const here = ({ masks }: Store, id: number): number => [...masks.framesOf(id)].length;

describe("the room for masks", () => {
  it("holds a long day, and what is shown is all there", async () => {
    const store = await opened(400 * KB, 100);
    expect(store.masks.bytes).toBeLessThanOrEqual(400 * KB);
    expect(here(store, 100)).toBe(FRAMES);
    expect(store.summaries.value.every(({ loaded }) => loaded)).toBe(true);
  });

  it("is made by undone rounds first, the oldest before the others", async () => {
    const store = await opened(210 * KB); // 240 kB come
    expect([1, 2, 3, 4, 5, 6].map((id) => here(store, id) > 0)).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(here(store, 2)).toBeLessThan(FRAMES);
  });

  it("is then made by the rounds that were not used for longest", async () => {
    const store = await opened(1000 * KB);
    store.masks.get(3, 0);
    ends.push(keepRoom(store, 160 * KB)); // 140 kB are left: 6, 3, 5 and a half of 4
    expect([1, 2, 3, 4, 5, 6].map((id) => here(store, id))).toEqual([0, 0, 10, 5, 10, 10]);
  });

  it("keeps accepted masks, the round that is looked at, and one that runs", async () => {
    const store = await opened(1000 * KB);
    reduce(store, { type: "accepted.changed", seq: 9, spans: [{ first: 7, last: 7, round: 1 }] });
    reduce(store, { type: "round.changed", seq: 10, round: round({ id: 4, base: 3, state: "running" }) });
    ends.push(keepRoom(store, 1));
    expect([1, 2, 3, 4, 5, 6].map((id) => here(store, id))).toEqual([1, 0, 0, 10, 0, 9]);
    store.looking.value = 2;
    await add(store, 2);
    expect(here(store, 2)).toBe(FRAMES);
  });

  it("tells of what it dropped, so that it is asked for when it is wanted again, however often", async () => {
    const store = await opened(1000 * KB);
    const loader = new MaskLoader(store);
    ends.push(() => loader.close());
    const asked: string[] = [];
    const bytes = Uint8Array.of(
      1,
      1,
      ...Array.from({ length: FRAMES }, (_, frame) => packed(2, frame)).flat(),
    );
    vi.stubGlobal("fetch", async (url: string) => {
      asked.push(url);
      return new Response(bytes);
    });
    for (let times = 1; times <= 6; times++) {
      store.looking.value = null;
      keepRoom(store, 1)();
      await Promise.resolve();
      expect(here(store, 2)).toBe(0);
      store.looking.value = 2;
      await vi.waitFor(() => expect(here(store, 2)).toBe(FRAMES));
      expect(asked).toEqual(Array(times).fill("/api/rounds/2/masks?first=0&last=99"));
    }
  });
});

/** A mask in a container. */
function packed(id: number, frame: number): number[] {
  const { data } = packedMask({ round: id, frame });
  return [1, id, frame, 0, data.length, ...data];
}
