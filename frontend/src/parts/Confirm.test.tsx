import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Confirms, confirm } from "./Confirm";
import { click, fire, get, hide, query, show, type } from "./testing";

const question = { title: "Delete project", text: "All of it goes.", yes: "Delete" };

beforeEach(() => show(<Confirms />));
afterEach(hide);

async function answer(asked: Promise<boolean>): Promise<boolean | "open"> {
  return Promise.race([asked, new Promise<"open">((resolve) => setTimeout(() => resolve("open"), 10))]);
}

describe("confirm", () => {
  test("is true when one agrees", async () => {
    const asked = confirm(question);
    await show(<Confirms />);
    await fire("confirm-yes", new Event("noop"));
    get("confirm").querySelector("form")?.requestSubmit();
    expect(await answer(asked)).toBe(true);
  });

  test("is false when one cancels or closes", async () => {
    const first = confirm(question);
    await show(<Confirms />);
    await click("confirm-no");
    expect(await answer(first)).toBe(false);
    const second = confirm(question);
    await show(<Confirms />);
    await click("confirm-close");
    expect(await answer(second)).toBe(false);
    expect(query("confirm")).toBeNull();
  });

  test("waits for the name to be typed where it is asked for", async () => {
    const asked = confirm({ ...question, typed: "Sports reel" });
    await show(<Confirms />);
    await type("confirm-typed", "Sports");
    expect(get<HTMLButtonElement>("confirm-yes").disabled).toBe(true);
    get("confirm").querySelector("form")?.requestSubmit();
    expect(await answer(asked)).toBe("open");
    await type("confirm-typed", "Sports reel");
    get("confirm").querySelector("form")?.requestSubmit();
    expect(await answer(asked)).toBe(true);
  });
});
