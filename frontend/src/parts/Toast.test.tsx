import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { dockToasts, Toasts, toast, toasts } from "./Toast";
import { click, get, hide, query, show } from "./testing";

beforeEach(() => show(<Toasts />));
afterEach(() => {
  vi.useRealTimers();
  toasts.value = [];
  hide();
});

describe("a toast", () => {
  test("undoes when asked, and goes", async () => {
    const perform = vi.fn();
    await act(() => {
      toast({ text: "Object deleted", action: { name: "Undo", perform } });
    });
    expect(get("toast").textContent).toContain("Object deleted");
    await click("toast-action");
    expect(perform).toHaveBeenCalledTimes(1);
    expect(query("toast")).toBeNull();
  });

  test("goes by itself, an error later, and not while pointed at", async () => {
    vi.useFakeTimers();
    await act(() => {
      toast({ text: "Saved" });
      toast({ text: "The server cannot be reached.", tone: "bad" });
    });
    await act(() => void vi.advanceTimersByTime(5000));
    expect(toasts.value.map((shown) => shown.text)).toEqual(["The server cannot be reached."]);
    await act(() => void get("toast").dispatchEvent(new PointerEvent("pointerenter")));
    await act(() => void vi.advanceTimersByTime(60_000));
    expect(toasts.value).toHaveLength(1);
    await act(() => void get("toast").dispatchEvent(new PointerEvent("pointerleave")));
    await act(() => void vi.advanceTimersByTime(10_000));
    expect(toasts.value).toHaveLength(0);
  });

  test("shows the same text once and at most four", () => {
    for (const text of ["a", "b", "a", "c", "d", "e"]) toast({ text });
    expect(toasts.value.map((shown) => shown.text)).toEqual(["a", "c", "d", "e"]);
  });

  test("keeps errors and questions under the newest message where only that is shown, and no others", () => {
    const end = dockToasts();
    toast({ text: "Frame 3 is accepted.", tone: "bad" });
    toast({ text: "Deleted rider.", action: { name: "Undo", perform: () => {} } });
    toast({ text: "Undid scribble.", tone: "info" });
    toast({ text: "Accepted 3 frames." });
    expect(toasts.value.map((shown) => shown.text)).toEqual([
      "Frame 3 is accepted.",
      "Deleted rider.",
      "Accepted 3 frames.",
    ]);
    end();
  });

  test("tells errors as alerts", async () => {
    await act(() => {
      toast({ text: "No", tone: "bad" });
    });
    expect(get("toast").getAttribute("role")).toBe("alert");
  });
});
