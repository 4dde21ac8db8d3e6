import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { FakeServer } from "../api/testing";
import { BEN, fakeStudio } from "../editor/testing";
import { Objects } from "../panels/Objects";
import { toasts } from "../parts/Toast";
import { hide, query, show } from "../parts/testing";
import { reduce } from "../state/reduce";
import { StudioContext } from "../studio/context";
import { watchAsked } from "./leases";
import { refusal } from "./refusal";
import { draw } from "./scribbles";

beforeEach(() => {
  new FakeServer({ "GET /api/projects/3": PROJECT });
  toasts.value = [];
});
afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

const lease = (
  object: number,
  holder: { id: number; name: string },
  asked_by = null as typeof BEN | null,
) => ({
  object,
  holder,
  until: "2026-01-01T00:00:30Z",
  fence: 1,
  asked_by,
});

it("an object on which somebody else draws says so, can be asked for, and taken over by managers", async () => {
  const studio = fakeStudio();
  reduce(studio.store, { type: "leases", leases: [lease(1, BEN), lease(2, { id: 1, name: "Ann" })] });
  await show(
    <StudioContext.Provider value={studio}>
      <Objects />
    </StudioContext.Provider>,
  );
  expect(query("object-1-holder")?.textContent).toContain("Ben draws here");
  expect([query("object-2-holder"), query("object-1-take-over")]).toEqual([null, null]);
  query("object-1-ask")?.click();
  expect(studio.sent.at(-1)).toMatchObject({ type: "lease.ask", object: 1 });
  studio.store.role.value = "manager";
  await Promise.resolve();
  query("object-1-take-over")?.click();
  expect(studio.sent.at(-1)).toMatchObject({ type: "lease.take", object: 1, over: true });
});

it("nothing is drawn on a held object: the refusal says who draws there, and offers to ask", async () => {
  const studio = fakeStudio();
  draw(studio, 0, 1, [[0.5, 0.5]]);
  await studio.refuse("scribble.add", "held");
  expect(toasts.value.at(-1)?.action?.name).toBe("Ask");
  reduce(studio.store, { type: "leases", leases: [lease(1, BEN)] });
  expect(refusal(studio, 1, "draw")).toContain("Ben draws on rider now.");
  expect(refusal(studio, 2, "draw")).toBeUndefined();
  toasts.value.at(-1)?.action?.perform();
  expect(studio.sent.at(-1)).toMatchObject({ type: "lease.ask", object: 1 });
  studio.store.connection.value = "lost"; // What is known of others may be old.
  expect(refusal(studio, 1, "draw")).toBeUndefined();
});

it("its holder is told once who asks, and hands it over", () => {
  const studio = fakeStudio();
  const end = watchAsked(studio);
  const message = { type: "leases" as const, leases: [lease(1, { id: 1, name: "Ann" }, BEN)] };
  reduce(studio.store, message);
  reduce(studio.store, { ...message, leases: [...message.leases] });
  expect(toasts.value.map(({ text }) => text)).toEqual(["Ben asks for rider."]);
  toasts.value[0]?.action?.perform();
  expect(studio.sent.at(-1)).toMatchObject({ type: "lease.release", object: 1 });
  end();
});

it("without a connection nobody asks, takes over or hands over: it would happen later, unexpectedly", async () => {
  const studio = fakeStudio();
  studio.store.role.value = "manager";
  reduce(studio.store, { type: "leases", leases: [lease(1, BEN), lease(2, { id: 1, name: "Ann" }, BEN)] });
  const end = watchAsked(studio);
  await show(
    <StudioContext.Provider value={studio}>
      <Objects />
    </StudioContext.Provider>,
  );
  studio.store.connection.value = "lost";
  await Promise.resolve();
  for (const name of ["ask", "take-over"])
    expect(query<HTMLButtonElement>(`object-1-${name}`)?.disabled ?? true).toBe(true);
  toasts.value[0]?.action?.perform();
  expect(toasts.value.at(-1)?.text).toContain("no connection");
  expect(studio.sent).toEqual([]);
  end();
});
