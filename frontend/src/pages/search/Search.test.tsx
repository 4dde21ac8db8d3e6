import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeServer, Refusal } from "../../api/testing";
import { Confirms } from "../../parts/Confirm";
import { click, get, hide, press, query, settled, show, type } from "../../parts/testing";
import { go } from "../../route";
import { useLeaveGuard } from "../leave";
import { openSearch, Search } from "./Search";

const found = {
  projects: [{ id: 3, name: "Dirt" }],
  videos: [{ id: 7, project: 3, project_name: "Sports", name: "dirt bike", frame_count: 80, archived: true }],
  objects: [
    { video: 8, number: 2, project: 3, project_name: "Sports", video_name: "dive", name: "dirty shoe" },
  ],
};

async function find(words: string): Promise<void> {
  await type("search-input", words);
  for (
    let turn = 0;
    turn < 3;
    turn += 1 // the words are asked for, then the answer is shown
  )
    await act(async () => {
      await vi.advanceTimersByTimeAsync(100);
    });
}

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true }));
afterEach(() => {
  hide();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the search", () => {
  test("opens by its key, finds over all projects, and goes where Enter is pressed", async () => {
    const server = new FakeServer({
      "GET /api/search?q=dirt": found,
      "GET /api/search?q=none": { projects: [], videos: [], objects: [] },
      "GET /api/search?q=busy": new Refusal(503, { code: "busy", text: "The database is busy." }),
    });
    await show(<Search />);
    expect(query("search")).toBeNull();
    await act(async () => {
      dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, cancelable: true }));
      await settled();
    });
    expect(get("search-place-1").getAttribute("href")).toBe("/work");

    await find(" none");
    expect(get("search-none").textContent).toBe("Nothing of yours is called “none”.");
    await find("busy");
    expect(get("search-none").textContent).toBe("The database is busy.");
    await find("dirt");
    expect(get("search-place-1").textContent).toBe("dirt bikeSports · 80 frames · archived");
    expect(server.lines.length).toBe(3);

    await press("ArrowUp", get("search-input")); // from the first to the last
    expect(get("search-place-2").getAttribute("aria-selected")).toBe("true");
    await press("Enter", get("search-input"));
    expect(location.pathname + location.hash).toBe("/videos/8#object=2");
    expect(query("search")).toBeNull();
  });

  test("asks before it leaves what is not saved, and closes when the page changes", async () => {
    new FakeServer();
    go("/projects/3/settings");
    const Unsaved = () => {
      useLeaveGuard(true, "/projects/3/settings", () => false);
      return null;
    };
    await show(
      <>
        <Unsaved />
        <Search />
        <Confirms />
      </>,
    );
    await act(() => openSearch());
    await click("search-place-0");
    expect(location.pathname).toBe("/projects/3/settings");
    await click("confirm-no");
    expect(location.pathname).toBe("/projects/3/settings");
    await act(() => openSearch());
    await click("search-place-1");
    await click("confirm-yes");
    expect(location.pathname).toBe("/work");

    await act(() => openSearch());
    expect(query("search")).not.toBeNull();
    await act(async () => {
      go("/trash");
      await settled();
    });
    expect(query("search")).toBeNull();
  });
});
