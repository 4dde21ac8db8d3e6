import { afterEach, describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { followLinks, readTarget, targetOf } from "./links";

afterEach(() => {
  location.hash = "";
});

describe("a link to a frame and object", () => {
  it("is read as it was written", () => {
    const studio = fakeStudio();
    studio.store.frame.value = 7;
    studio.store.selected.value = 2;
    expect(readTarget(targetOf(studio))).toEqual({ frame: 7, object: 2 });
    studio.store.selected.value = 0;
    expect(readTarget(targetOf(studio))).toEqual({ frame: 7, object: null });
  });

  it.each(["", "#", "#frame=", "#frame=-3", "#frame=1e9", "#other=3"])(
    "without numbers says nothing: %s",
    (hash) => {
      expect(readTarget(hash)).toEqual({ frame: null, object: null });
    },
  );

  it("is gone to when the video opens; what does not exist is left alone", async () => {
    location.hash = "#frame=400&object=9";
    const studio = fakeStudio();
    studio.store.selected.value = 1;
    const end = followLinks(studio);
    expect(studio.store.frame.value).toBe(9);
    expect(studio.store.selected.value).toBe(1);
    end();
  });
});
