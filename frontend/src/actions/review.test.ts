import { expect, it } from "vitest";
import { fakeStudio, round } from "../editor/testing";
import { acceptPlace, toggleReview } from "./review";

it("a place is accepted whole, even if the selection was cleared meanwhile", () => {
  const studio = fakeStudio({ rounds: [round({ id: 1, frames: [[0, 7]] })], head: 1 });
  toggleReview(studio);
  const [first, last] = studio.store.review.value?.place?.span ?? [0, 0];
  expect(last).toBeGreaterThan(first);
  studio.store.selection.value = null;
  acceptPlace(studio);
  expect(studio.sent).toMatchObject([{ type: "frames.accept", first, last, accepted: true }]);
});
