import { afterEach, expect, it } from "vitest";
import { JOB } from "../api/samples";
import { fakeStudio } from "../editor/testing";
import { click, get, hide, query, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { JobStrip } from "./JobStrip";

afterEach(hide);

it("shows what was written with the last decision about the job", async () => {
  const studio = fakeStudio();
  studio.store.wantedJob.value = JOB.id;
  studio.store.jobs.value = [JOB];
  await show(
    <StudioContext.Provider value={studio}>
      <JobStrip />
    </StudioContext.Provider>,
  );
  expect(query("job-note")).toBeNull();
  hide();
  const note = { text: "The legs are missing.", by: { id: 2, name: "Rae" }, at: "2026-01-02T00:00:00Z" };
  studio.store.jobs.value = [{ ...JOB, state: "rejected", note }];
  await show(
    <StudioContext.Provider value={studio}>
      <JobStrip />
    </StudioContext.Provider>,
  );
  expect(get("job-note").textContent).toContain("Rae The legs are missing.");
  await click("job-note");
  expect(get("job-note-text").textContent).toBe("RaeThe legs are missing.");
});
