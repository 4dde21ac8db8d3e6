import { afterEach, describe, expect, test } from "vitest";
import { query } from "../route";
import { changeList, filterOf, isWhole, listAddress } from "./listAddress";

const USUAL = {
  wanted: "",
  sort: "newest",
  state: "any",
  assignee: "",
  due: "any",
  label: "",
  view: "cards",
};

afterEach(() => {
  history.replaceState(null, "", "/");
  query.value = new URLSearchParams();
});

describe("the address of a list", () => {
  test("holds what differs from the default", () => {
    history.replaceState(null, "", "/projects/3");
    changeList({ wanted: "pond 1", view: "table", sort: "name", assignee: "me" });
    expect(location.search).toBe("?q=pond+1&order=name&assignee=me&view=table");
    expect(listAddress()).toEqual({
      ...USUAL,
      wanted: "pond 1",
      sort: "name",
      assignee: "me",
      view: "table",
    });
    changeList({ wanted: "", view: "cards", sort: "newest", assignee: "" });
    expect(location.href).toMatch(/\/projects\/3$/);
  });

  test("that means nothing is the default", () => {
    query.value = new URLSearchParams("order=up&state=__proto__&view=map&assignee=x&due=late&label=0");
    expect(listAddress()).toEqual(USUAL);
    expect(isWhole(listAddress())).toBe(true);
  });

  test("is what the server is asked for", () => {
    query.value = new URLSearchParams("q=+pond&state=review&assignee=7&due=overdue&label=2&order=longest");
    expect(filterOf(listAddress())).toEqual({
      order: "frames",
      stage: "validation",
      q: "pond",
      assignee: "7",
      due: "overdue",
      label: 2,
    });
    expect(isWhole(listAddress())).toBe(false);
  });
});
