import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { get, hide, query, show } from "../parts/testing";
import { parse, route } from "../route";
import { type Job, jobs } from "../uploads/queue";
import { UploadsPill } from "./UploadsPill";

const job = (more: Partial<Job>): Job => ({
  key: 1,
  project: 3,
  name: "a.mp4",
  size: 1000,
  file: null,
  id: "u1",
  received: 400,
  bytesPerSecond: null,
  state: "sending",
  text: "",
  ...more,
});

beforeEach(() => show(<UploadsPill />));
afterEach(() => {
  jobs.value = [];
  hide();
});

test("uploads are told of on other pages, with the way to them, and not where they are listed", async () => {
  await act(() => {
    route.value = parse("/");
    jobs.value = [job({}), job({ key: 2, received: 0 }), job({ key: 3, state: "paused" })];
  });
  expect(get("uploads-pill").textContent).toContain("2 uploads · 20 %");
  expect(get("uploads-pill").getAttribute("href")).toBe("/projects/3");
  await act(() => {
    route.value = parse("/projects/3");
  });
  expect(query("uploads-pill")).toBeNull();
  await act(() => {
    route.value = parse("/projects/3/members");
  });
  expect(query("uploads-pill")).not.toBeNull();
  await act(() => {
    jobs.value = [];
  });
  expect(query("uploads-pill")).toBeNull();
});
