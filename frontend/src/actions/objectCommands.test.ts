import { afterEach, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { toasts } from "../parts/Toast";
import { commandOf } from "../studio/command";

afterEach(() => {
  toasts.value = [];
});

it("no object follows the 254th, and the command says why", () => {
  const objects = Array.from({ length: 254 }, (_, index) => ({
    number: index + 1,
    name: `Object ${index + 1}`,
    color: "#ff0000",
    label: null,
    deleted: index < 250,
    locked: false,
    position: index,
  }));
  const studio = fakeStudio({ objects });
  const add = commandOf(studio.commands, "object.add");
  expect(add.enabled()).toBe(true);
  add.perform();
  expect(studio.sent).toEqual([]);
  expect(toasts.value.map(({ text }) => text).join()).toContain("254");
  expect(toasts.value[0]?.tone).toBe("info");
});
