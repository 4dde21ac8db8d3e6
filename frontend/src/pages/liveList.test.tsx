import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { CARD } from "../api/samples";
import { FakeServer, FakeSocket, UNREACHABLE } from "../api/testing";
import { get, hide, query, settled, show } from "../parts/testing";
import { type CardList, joined, withChanged } from "./cardList";
import { useCards } from "./videos";

const LIST = "GET /api/projects/3/cards?order=added&limit=60";
const list = (...ids: number[]): CardList => ({
  cards: ids.map((id) => ({ ...CARD, id })),
  total: ids.length,
  next: null,
});
const page = (...ids: number[]) => list(...ids);

function Shown() {
  const { value } = useCards(3, { order: "added" });
  return (
    <p data-testid="shown">{value?.cards.map(({ id, name, rounds }) => `${id} ${name} ${rounds}`).join()}</p>
  );
}

async function tell(socket: FakeSocket, message: object): Promise<void> {
  await act(async () => {
    socket.tell({ type: "videos.changed", changed: [], progress: [], all: false, ...message });
    await settled();
  });
  await act(settled);
}

async function pass(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

afterEach(() => {
  hide();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a list that is told of changes", () => {
  test("asks only for what has changed, drops what is gone, and polls sooner while the socket is away", async () => {
    const server = new FakeServer({
      [LIST]: page(8, 7),
      "GET /api/projects/3/cards?order=added&ids=7%2C8%2C9&limit=200": {
        ...page(9),
        cards: [
          { ...CARD, id: 9 },
          { ...CARD, id: 7, rounds: 4 },
        ],
      },
    });
    await show(<Shown />);
    await act(settled);
    const socket = FakeSocket.last as FakeSocket;
    expect(socket.url).toBe(`ws://${location.host}/ws/projects/3`);
    await tell(socket, { all: true });
    expect(server.lines).toEqual([LIST, LIST]);
    await tell(socket, { changed: [7, 8, 9], progress: [{ video: 7, done: 1, total: 2 }] });
    expect(get("shown").textContent).toBe("9 dirt bike 3,7 dirt bike 4");
    expect(server.lines.length).toBe(3);

    vi.useFakeTimers();
    await pass(60_000);
    expect(server.lines.length).toBe(3);
    await act(() => socket.onclose?.({ code: 1006 } as CloseEvent));
    await pass(16_000);
    expect(server.lines.slice(3)).toEqual([LIST]);
    expect(FakeSocket.last).not.toBe(socket); // Another connection was tried meanwhile.
    expect(query("shown")).not.toBeNull();
  });

  test("is looked at now and then all the same, and soon after a request has failed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    const server = new FakeServer({ [LIST]: page(8, 7) });
    await show(<Shown />);
    await pass(10);
    await act(async () => {
      (FakeSocket.last as FakeSocket).tell({ type: "videos.changed", changed: [], progress: [], all: true });
      await vi.advanceTimersByTimeAsync(10);
    });
    expect(server.lines.length).toBe(2);
    server.answers[LIST] = UNREACHABLE;
    await pass(58_000);
    expect(server.lines.length).toBe(2);
    await pass(3_000);
    expect(server.lines.length).toBe(3);
    server.answers[LIST] = page(9);
    await pass(16_000); // The problem makes the pause as short as without a socket.
    expect(server.lines.length).toBe(4);
    expect(get("shown").textContent).toBe("9 dirt bike 3");
  });

  test("is loaded again for a new video whose place only the server knows", () => {
    const found = [{ ...CARD, id: 9 }];
    expect(withChanged(list(8, 7), [9], found, "added")?.cards.map(({ id }) => id)).toEqual([9, 8, 7]);
    expect(withChanged(list(8, 7), [9], found, "name")).toBeNull();
    expect(withChanged(list(12, 7), [9], found, "added")).toBeNull();
  });

  test("grows by a page without bringing back what was removed meanwhile", () => {
    const shown = { ...list(9, 7), next: "a" };
    expect(joined(shown, { ...list(8, 7, 6), next: null })).toEqual({ ...list(9, 7, 6), total: 2 });
  });
});
