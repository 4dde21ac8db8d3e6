import { describe, expect, it } from "vitest";
import { JOB } from "../api/samples";
import type { Job } from "../api/types";
import { jobInHand, outsideOf } from "./jobs";

const ANN = { id: 1, name: "Ann" };
const BEN = { id: 2, name: "Ben" };
const done = { ...JOB, id: 1, position: 0, assignee: ANN, stage: "acceptance", state: "completed" } as const;
const open = { ...JOB, id: 2, position: 1, assignee: ANN };
const review = { ...JOB, id: 3, position: 2, assignee: BEN, reviewer: ANN, stage: "validation" } as const;
const other = { ...JOB, id: 4, position: 3, assignee: BEN, reviewer: null };

describe("the job in hand", () => {
  it("is the one that the address names, whoever has it", () => {
    expect(jobInHand([done, open, review, other], 4, 1)?.id).toBe(4);
  });

  it("is one's own open one, then one to review, then one that has ended", () => {
    expect(jobInHand([done, review, open, other], null, 1)?.id).toBe(2);
    expect(jobInHand([done, review, other], null, 1)?.id).toBe(3);
    expect(jobInHand([done, other], 99, 1)?.id).toBe(1);
  });

  it("is one that waits for any reviewer, if the person has none and may review it", () => {
    const waits: Job = { ...other, id: 5, stage: "validation", moves: ["accept", "reject"] };
    expect(jobInHand([other, { ...waits, moves: [] }, { ...waits, reviewer: BEN }], null, 9)).toBeNull();
    expect(jobInHand([other, waits], null, 9)?.id).toBe(5);
    expect(jobInHand([waits, open], null, 1)?.id).toBe(2);
  });

  it("is none where the person has none", () => {
    expect(jobInHand([other, { ...other, assignee: null }], null, 1)).toBeNull();
    expect(jobInHand([open], null, null)).toBeNull();
  });

  it("leaves the frames before and after it outside", () => {
    expect(outsideOf({ first: 10, last: 19 }, 30)).toEqual([
      [0, 9],
      [20, 29],
    ]);
    expect(outsideOf({ first: 0, last: 29 }, 30)).toEqual([]);
    expect(outsideOf(null, 30)).toEqual([]);
  });
});
