// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { detailsOf, sentenceOf } from "./words";

describe("an entry of the audit log", () => {
  test.each([
    [{ action: "video.delete", kind: "video", thing_name: "koi pond" }, "deleted the video koi pond"],
    [{ action: "member.role", kind: "user", thing_name: "bo" }, "changed the role of bo"],
    [{ action: "sign_in", kind: "user", thing_name: "bo" }, "signed in"],
    [{ action: "sign_in_failed", kind: "user", thing_name: "bo" }, "Sign-in failed for bo"],
    [{ action: "robot.wake", kind: "robot", thing_name: "R" }, "robot.wake R"],
  ])("%o", (entry, sentence) => expect(sentenceOf(entry)).toBe(sentence));

  test("has words for all that the server writes down", () => {
    const server = new URL("../../../../webapp/", import.meta.url);
    const actions = new Set<string>();
    for (const file of readdirSync(server, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".py")) continue;
      const text = readFileSync(new URL(file, server), "utf8");
      for (const [, action] of text.matchAll(/record\([^"()]*,\s*"([a-z_]+\.[a-z_]+)"/g))
        actions.add(action as string);
    }
    expect(actions.size).toBeGreaterThan(20);
    for (const move of "start submit accept reject reopen retract assign change cut hold sample".split(" "))
      actions.add(`job.${move}`);
    const raw = [...actions].filter((action) =>
      sentenceOf({ action, kind: "video", thing_name: "" }).startsWith(action),
    );
    expect(raw).toEqual([]);
  });

  test("shows what was before and after", () => {
    expect(detailsOf({ role: ["annotator", "reviewer"], due: ["", "2026-12-01"], frames: 80 })).toBe(
      "role: annotator → reviewer · due: none → 2026-12-01 · frames: 80",
    );
    expect(detailsOf({ before: "annotation in_progress", after: "validation new" })).toBe(
      "In progress → To review",
    );
    expect(detailsOf({ before: "annotation new", after: "annotation new", due: "2026-12-01" })).toBe(
      "due: 2026-12-01",
    );
    expect(detailsOf({ added: ["ann", "bo"], removed: [] })).toBe("added: ann, bo");
    expect(detailsOf({ members: ["ann", "bo", "cy"] })).toBe("members: ann, bo, cy");
    expect(detailsOf({ events: ["round.done", "job.moved"] })).toBe("events: round.done, job.moved");
    expect(detailsOf({ before: 1, after: 3 })).toBe("before: 1 · after: 3"); // The number of jobs of a video.
  });
});
