import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newKey } from "./key";
import { Outbox, type OutboxOptions, Refused } from "./outbox";
import { type Keyed, openShelf, type Shelf } from "./outboxStorage";

const scribble = (frame = 0): Keyed => ({
  type: "scribble.add",
  key: newKey(),
  frame,
  object: 1,
  path: [[0.5, 0.5]],
});
let shelf: Shelf;
let sent: Keyed[];
let online: boolean;
let names = 0;

beforeEach(async () => {
  shelf = await openShelf(`outbox test ${names++}`);
  sent = [];
  online = true;
});

function outbox(options: Partial<OutboxOptions> = {}): Outbox {
  return new Outbox({
    video: 7,
    post: (message) => {
      if (online) sent.push(message);
      return online;
    },
    restored: () => {},
    settled: () => {},
    unkept: (reason) => {
      throw reason;
    },
    ...options,
  });
}

async function opened(options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const box = outbox(options);
  await box.restore(shelf, 1);
  return box;
}

const shelved = async (): Promise<string[]> => (await shelf.of(7, 1)).map(({ key }) => key);

describe("the outbox", () => {
  it("keeps a message until it is acknowledged", async () => {
    const box = await opened();
    const message = scribble();
    const answer = box.send(message);
    await vi.waitFor(async () => expect(await shelved()).toEqual([message.key]));
    box.acknowledged({ type: "ack", key: message.key, result: 4 });
    expect(await answer).toEqual({ result: 4, again: false });
    expect(box.count.value).toBe(0);
    await vi.waitFor(async () => expect(await shelved()).toEqual([]));
  });

  it("keeps what is drawn offline and sends it in order when connected", async () => {
    const box = await opened();
    online = false;
    const messages = [scribble(1), scribble(2), scribble(3)];
    for (const message of messages) void box.send(message);
    expect(sent).toEqual([]);
    online = true;
    box.flush();
    expect(sent).toEqual(messages);
  });

  it("sends what was not answered once more after a reconnect, and then says that it did", async () => {
    const box = await opened();
    const message = scribble();
    const answer = box.send(message);
    box.flush();
    expect(sent).toEqual([message, message]);
    box.acknowledged({ type: "ack", key: message.key, result: null });
    expect((await answer).again).toBe(true);
    box.flush();
    expect(sent.length).toBe(2);
  });

  it("brings messages back after a reload, older before newer", async () => {
    online = false;
    const before = await opened();
    const [first, second] = [scribble(1), scribble(2)];
    void before.send(first);
    void before.send(second);
    await vi.waitFor(async () => expect((await shelved()).length).toBe(2));

    const restored: Keyed[] = [];
    const after = outbox({ restored: (message) => restored.push(message) });
    const newer = scribble(3);
    void after.send(newer);
    await after.restore(shelf, 1);
    online = true;
    after.flush();
    expect(restored).toEqual([first, second]);
    expect(sent).toEqual([first, second, newer]);
  });

  it("sends what an older page kept by the names of today", async () => {
    const path = [[0.5, 0.5]];
    const add = { type: "scribble.add", key: newKey(), frame: 3, object: 1, path };
    const remove = { type: "scribble.remove", key: newKey(), scribble: add.key };
    for (const [order, message] of [add, remove].entries()) {
      const older = { key: message.key, video: 7, user: 1, order, message, expected: null };
      await shelf.put(older as unknown as Parameters<Shelf["put"]>[0]);
    }
    (await opened()).flush();
    expect(sent).toEqual([
      { ...add, type: "scribble.add" },
      { type: "scribble.remove", key: remove.key, scribble: add.key },
    ]);
  });

  it("tells of the answers to messages from before a reload", async () => {
    online = false;
    const message = scribble();
    void (await opened()).send(message);
    await vi.waitFor(async () => expect((await shelved()).length).toBe(1));
    const answers: (string | null)[] = [];
    const settled: OutboxOptions["settled"] = (_, outcome) =>
      answers.push(outcome instanceof Refused ? outcome.code : null);
    const after = await opened({ settled });
    after.refusedBy({ type: "error", code: "no_object", text: "gone", key: message.key, head: null });
    await vi.waitFor(() => expect(answers).toEqual(["no_object"]));
    await vi.waitFor(async () => expect(await shelved()).toEqual([]));
  });

  it("never sends one person's scribbles in another's name", async () => {
    online = false;
    void (await opened()).send(scribble());
    await vi.waitFor(async () => expect((await shelved()).length).toBe(1));
    const other = outbox();
    await other.restore(shelf, 2);
    expect(other.count.value).toBe(0);
  });

  it("does not bring back the messages of another video", async () => {
    online = false;
    void (await opened()).send(scribble());
    await vi.waitFor(async () => expect((await shelved()).length).toBe(1));
    const other = outbox({ video: 8 });
    await other.restore(shelf, 1);
    expect(other.count.value).toBe(0);
  });

  it("rejects with the server's own words", async () => {
    const box = await opened();
    const message = scribble();
    const answer = box.send(message);
    const error = {
      type: "error",
      code: "conflict",
      text: "Somebody was first.",
      key: message.key,
      head: 9,
    } as const;
    expect(box.refusedBy(error)).toBe(true);
    await expect(answer).rejects.toMatchObject({ code: "conflict", message: "Somebody was first.", head: 9 });
    await expect(answer).rejects.toBeInstanceOf(Refused);
  });

  it("goes on, and says so, where the shelf takes nothing", async () => {
    const full: Shelf = {
      ...shelf,
      of: async () => [],
      put: () => Promise.reject(new Error("full")),
      remove: async () => {},
    };
    const reasons: unknown[] = [];
    const box = outbox({ unkept: (reason) => reasons.push(reason) });
    await box.restore(full, 1);
    const message = scribble();
    void box.send(message);
    await vi.waitFor(() => expect(reasons.length).toBe(1));
    expect(sent).toEqual([message]);
  });

  it("gives the id of an object back that was made before a reload, beside the id it was given then", async () => {
    online = false;
    const message: Keyed = { type: "object.add", key: newKey() };
    void (await opened()).send(message, 3);
    await vi.waitFor(async () => expect((await shelved()).length).toBe(1));
    const told: unknown[] = [];
    const after = await opened({ settled: (...answer) => told.push(answer) });
    online = true;
    after.flush();
    after.acknowledged({ type: "ack", key: message.key, result: 4 });
    expect(told).toEqual([[message, { result: 4, again: true }, 3]]);
  });

  it("says when a refusal is of none of its messages", async () => {
    const box = await opened();
    expect(box.refusedBy({ type: "error", code: "bad_message", text: "?", key: null, head: null })).toBe(
      false,
    );
  });

  it("makes keys as the protocol wants them", () => {
    const keys = Array.from({ length: 100 }, newKey);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    expect(new Set(keys).size).toBe(100);
  });
});

describe("a message that the database did not take", () => {
  const refuse = (box: Outbox, { key }: Keyed, code: string): boolean =>
    box.refusedBy({ type: "error", code, text: code, key, head: null });
  const acknowledge = (box: Outbox, { key }: Keyed): void =>
    box.acknowledged({ type: "ack", key, result: null });

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it.each<Keyed>([scribble(), { type: "round.run", key: newKey(), frames: [0], engine: "flow", base: null }])(
    "is kept and sent again: $type",
    async (message) => {
      const box = outbox();
      const answer = box.send(message);
      expect(refuse(box, message, "not_stored")).toBe(true);
      expect([box.count.value, box.retrying.value]).toEqual([1, true]);
      vi.advanceTimersByTime(1000);
      expect(sent).toEqual([message, message]);
      acknowledge(box, message);
      expect(await answer).toEqual({ result: null, again: true });
      expect([box.count.value, box.retrying.value]).toEqual([0, false]);
    },
  );

  it("is waited for longer each time, but never long", () => {
    const box = outbox();
    const message = scribble();
    void box.send(message);
    for (const [tries, wait] of [1000, 2000, 4000, 8000, 8000, 8000].entries()) {
      refuse(box, message, "not_stored");
      vi.advanceTimersByTime(wait - 1);
      expect(sent.length).toBe(tries + 1);
      vi.advanceTimersByTime(1);
      expect(sent.length).toBe(tries + 2);
    }
  });

  it("goes before what is drawn meanwhile", () => {
    const box = outbox();
    const [first, second] = [scribble(1), scribble(2)];
    void box.send(first);
    refuse(box, first, "not_stored");
    void box.send(second);
    expect(sent).toEqual([first]);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([first, first, second]);
  });

  it("takes no scribble of its object along, and what is refused after it was stored stays refused", async () => {
    const box = outbox();
    const object: Keyed = { type: "object.add", key: newKey() };
    const drawn = scribble();
    void box.send(object);
    const answer = box.send(drawn);
    refuse(box, object, "not_stored");
    refuse(box, drawn, "no_object");
    expect(box.count.value).toBe(2);
    vi.advanceTimersByTime(1000);
    expect(sent.slice(2)).toEqual([object, drawn]);
    acknowledge(box, object);
    refuse(box, drawn, "no_object");
    await expect(answer).rejects.toMatchObject({ code: "no_object" });
    vi.advanceTimersByTime(60_000);
    expect(sent.length).toBe(4);
  });

  it("is not waited for by others for ever", async () => {
    const box = outbox();
    const [never, other] = [scribble(1), scribble(2)];
    void box.send(never);
    const answer = box.send(other);
    for (let tries = 0; tries < 6; tries++) {
      refuse(box, never, "not_stored");
      refuse(box, other, "no_object");
      vi.advanceTimersByTime(8000);
    }
    await expect(answer).rejects.toMatchObject({ code: "no_object" });
  });

  it("is sent no more once the page has left", () => {
    const box = outbox();
    const message = scribble();
    void box.send(message);
    refuse(box, message, "not_stored");
    box.close();
    vi.advanceTimersByTime(60_000);
    expect(sent.length).toBe(1);
  });
});
