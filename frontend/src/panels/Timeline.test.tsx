import { afterEach, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { get, hide, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { Rate } from "./Timeline";

afterEach(hide);

it("says the rate of playback to a screen reader", async () => {
  const studio = fakeStudio();
  studio.store.rate.value = 2;
  await show(
    <StudioContext.Provider value={studio}>
      <Rate />
    </StudioContext.Provider>,
  );
  expect(get("play-rate").getAttribute("aria-label")).toContain("2×");
});
