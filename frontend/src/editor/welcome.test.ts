import "fake-indexeddb/auto";
import { describe, expect, it, vi } from "vitest";
import { addObject } from "../actions/objects";
import { draw } from "../actions/scribbles";
import { openShelf, type Shelf } from "../connection/outboxStorage";
import type { ScribbleInfo } from "../protocol";
import { reduce } from "../state/reduce";
import { ANN, BEN, type FakeStudio, fakeStudio, settled, state, welcomeOf } from "./testing";
import { welcome } from "./welcome";

let names = 0;
const newShelf = (): Promise<Shelf> => openShelf(`welcome test ${names++}`);

/** A page as it is before its first welcome. */
function unopened(): FakeStudio {
  const studio = fakeStudio();
  studio.store.you.value = null;
  return studio;
}

async function opened(shelf: Shelf, objects = state().objects): Promise<FakeStudio> {
  const studio = unopened();
  await welcome(studio, welcomeOf({ state: state({ objects }) }), Promise.resolve(shelf));
  return studio;
}

/** Makes object 3 and draws on it while offline; the page is then loaded anew, and `objects` are there. */
async function reloaded(objects = state().objects): Promise<FakeStudio> {
  const shelf = await newShelf();
  const before = await opened(shelf);
  before.online.value = false;
  addObject(before);
  draw(before, 4, 3, [[0.5, 0.5]]);
  await vi.waitFor(async () => expect((await shelf.of(5, ANN.id)).length).toBe(2));
  return opened(shelf, objects);
}

const theirs = {
  number: 3,
  name: "theirs",
  color: "#0000ff",
  label: null,
  deleted: false,
  locked: false,
  position: 3,
};

describe("an object made before a reload", () => {
  it("is there again while it waits for its answer", async () => {
    const studio = await reloaded();
    expect(studio.store.alive.value.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(studio.sent.map(({ type }) => type)).toEqual(["object.add", "scribble.add"]);
    await studio.ack("object.add", 3);
    expect(studio.store.scribbles.value.map(({ object }) => object)).toEqual([3]);
    expect(studio.sent.length).toBe(2);
  });

  it("takes its scribbles along when somebody else has its number by now", async () => {
    const studio = await reloaded([...state().objects, theirs]);
    const wrong = studio.sent.at(-1)?.key;
    const own: ScribbleInfo = {
      key: "own",
      frame: 1,
      object: 3,
      path: [[0, 0]],
      kind: "scribble",
      positive: true,
      author: ANN,
    };
    reduce(studio.store, { type: "scribble.added", seq: 9, scribble: own }); // meant for theirs, in another window
    await studio.ack("object.add", 4);
    expect(studio.sent.slice(2)).toMatchObject([
      { type: "scribble.remove", scribble: wrong },
      { type: "scribble.add", frame: 4, object: 4 },
    ]);
    expect(studio.store.scribbles.value.map(({ object }) => object).sort()).toEqual([3, 4]);
    expect(studio.store.alive.value).toContainEqual(theirs);
  });

  it("goes again when the server refuses it", async () => {
    const studio = await reloaded();
    await studio.refuse("object.add", "too_many_objects");
    expect(studio.store.alive.value.length).toBe(2);
  });
});

describe("a reconnect", () => {
  it("sends what waits", async () => {
    const shelf = await newShelf();
    const studio = await opened(shelf);
    studio.online.value = false;
    draw(studio, 0, 1, [[0.5, 0.5]]);
    studio.online.value = true;
    await welcome(studio, welcomeOf(), Promise.resolve(shelf));
    expect(studio.sent.length).toBe(1);
  });

  it("as somebody else sends nothing, and the page is loaded anew", async () => {
    const shelf = await newShelf();
    const studio = await opened(shelf);
    studio.online.value = false;
    draw(studio, 0, 1, [[0.5, 0.5]]);
    studio.online.value = true;
    const close = vi.spyOn(studio, "close");
    const reload = vi.fn();
    await welcome(studio, welcomeOf({ you: BEN }), Promise.resolve(shelf), reload);
    await settled();
    expect(studio.sent).toEqual([]);
    expect(close).toHaveBeenCalledOnce();
    expect(reload).toHaveBeenCalledOnce();
    expect(studio.store.you.value).toEqual(ANN);
    expect((await shelf.of(5, ANN.id)).length).toBe(1);
    expect(await shelf.of(5, BEN.id)).toEqual([]);
  });
});
