import { afterEach, describe, expect, test } from "vitest";
import { query } from "../route";
import { changeList, listAddress } from "./listAddress";

afterEach(() => {
  history.replaceState(null, "", "/");
  query.value = new URLSearchParams();
});

describe("the address of a list", () => {
  test("holds what differs from the default", () => {
    history.replaceState(null, "", "/projects/3");
    changeList({ wanted: "pond 1", view: "table", sort: "name" });
    expect(location.search).toBe("?q=pond+1&order=name&view=table");
    expect(listAddress()).toEqual({ wanted: "pond 1", sort: "name", state: "any", view: "table" });
    changeList({ wanted: "", view: "cards", sort: "newest" });
    expect(location.href).toMatch(/\/projects\/3$/);
  });

  test("that means nothing is the default", () => {
    query.value = new URLSearchParams("order=up&state=__proto__&view=map");
    expect(listAddress()).toEqual({ wanted: "", sort: "newest", state: "any", view: "cards" });
  });
});
