import { act } from "preact/test-utils";
import { afterEach, expect, it } from "vitest";
import { hide, settled, show } from "../parts/testing";
import { type Loaded, useLoaded } from "./load";

afterEach(hide);

/** Shows a component that loads; `answers` answers what it asks, the oldest first. */
async function loading() {
  const waiting: ((value: string[] | Promise<never>) => void)[] = [];
  let loaded: Loaded<string[]> | null = null;
  const Shown = () => {
    loaded = useLoaded("list", () => new Promise<string[]>((resolve) => waiting.push(resolve)));
    return null;
  };
  await show(<Shown />);
  await act(settled);
  const answer = (value: string[] | Promise<never>) =>
    act(async () => {
      waiting.shift()?.(value);
      await settled();
    });
  return { answer, waiting, now: () => loaded as unknown as Loaded<string[]> };
}

it("an answer to what was asked before a value was set is dropped, and asked for again", async () => {
  const { answer, waiting, now } = await loading();
  await answer(["a"]);
  void now().reload();
  await act(() => now().set(["a", "b"]));
  await answer(["a"]);
  expect(now().value).toEqual(["a", "b"]);
  expect(waiting).toHaveLength(1);
  await answer(["a", "b", "c"]);
  expect([now().value, waiting.length]).toEqual([["a", "b", "c"], 0]);
});

it("a change of what is not loaded yet changes nothing", async () => {
  const { answer, waiting, now } = await loading();
  await act(() => now().set((old) => [...old, "b"]));
  await answer(["a"]);
  expect([now().value, waiting.length]).toEqual([["a"], 0]);
});

it("a value that is set ends an earlier problem; a change of what is not loaded does not", async () => {
  const { answer, now } = await loading();
  await answer(Promise.reject(new Error("There is none yet.")));
  await act(() => now().set((old) => [...old, "b"]));
  expect(now().problem?.message).toBe("There is none yet.");
  await act(() => now().set(["a"]));
  expect([now().value, now().problem]).toEqual([["a"], null]);
});

it("changes that come faster than answers do not hold an answer up for ever", async () => {
  const { answer, waiting, now } = await loading();
  await answer(["a"]);
  void now().reload();
  for (const name of ["b", "c"]) {
    await act(() => now().set((old) => [...old, name]));
    await answer(["z"]);
  }
  expect([now().value, waiting.length]).toEqual([["z"], 0]);
});
