import { afterEach, expect, test, vi } from "vitest";
import { claim, claimed, release } from "./claims";

afterEach(() => vi.unstubAllGlobals());

/** Holds a lock until what its holder does has ended, as browsers do. */
function fakeLocks() {
  const held: { name: string }[] = [{ name: "of-somebody-else" }];
  return {
    request: async (name: string, hold: () => Promise<void>) => {
      const lock = { name };
      held.push(lock);
      await hold();
      held.splice(held.indexOf(lock), 1);
    },
    query: async () => ({ held: [...held], pending: [] }),
  };
}

test("an upload is claimed once, until it is released", async () => {
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  claim("u1");
  claim("u1");
  claim("u2");
  expect([...(await claimed())]).toEqual(["u1", "u2"]);
  release("u1");
  await Promise.resolve();
  await Promise.resolve();
  expect([...(await claimed())]).toEqual(["u2"]);
  release("u2");
  release("u2");
});

test("where the browser has no locks nothing is claimed and nothing fails", async () => {
  vi.stubGlobal("navigator", {});
  claim("u3");
  expect((await claimed()).size).toBe(0);
  release("u3");
});
