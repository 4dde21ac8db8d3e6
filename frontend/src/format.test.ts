import { describe, expect, test } from "vitest";
import { ago, byName, bytes, duration, plural, remaining } from "./format";

describe("what people read", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1536, "1.5 kB"],
    [999_999, "1.0 MB"],
    [123_456_789, "123 MB"],
    [2e9, "2.0 GB"],
  ])("%d bytes: %s", (size, text) => expect(bytes(size)).toBe(text));

  test.each([
    [3.34, "3.3 s"],
    [59.94, "59.9 s"],
    [59.96, "1:00"],
    [75, "1:15"],
    [3700, "1:01:40"],
  ])("%d seconds: %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  test.each([
    [0.2, "1 s"],
    [89, "89 s"],
    [200, "3 min"],
    [7300, "2 h"],
  ])("%d seconds left: %s", (seconds, text) => expect(remaining(seconds)).toBe(text));

  test("counts", () => {
    expect(plural(1, "video")).toBe("1 video");
    expect(plural(3200, "frame")).toBe("3,200 frames");
    expect(plural(0, "person", "people")).toBe("0 people");
  });

  test("how long ago", () => {
    const now = Date.parse("2026-03-10T12:00:00Z");
    expect(ago("2026-03-10T11:59:40Z", now)).toBe("just now");
    expect(ago("2026-03-10T11:55:00Z", now)).toBe("5 min ago");
    expect(ago("2026-03-10T09:00:00Z", now)).toBe("3 h ago");
    expect(ago("2026-03-06T12:00:00Z", now)).toBe("4 d ago");
    expect(ago("2026-01-05T12:00:00Z", now)).toBe("Jan 5, 2026");
  });

  test("names sort by their numbers", () => {
    expect(["clip 10", "Clip 9", "a"].sort(byName)).toEqual(["a", "Clip 9", "clip 10"]);
  });
});
