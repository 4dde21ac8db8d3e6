import { act } from "preact/test-utils";
import { afterEach, expect, it } from "vitest";
import { draw } from "../actions/scribbles";
import { fakeStudio } from "../editor/testing";
import { click, get, hide, query, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { Banner } from "./Banner";
import { ConnectionState } from "./ConnectionState";
import { Hud } from "./Hud";

afterEach(hide);

it("a server that cannot save is told of, until it has saved", async () => {
  const studio = fakeStudio();
  await show(
    <StudioContext.Provider value={studio}>
      <Banner />
      <ConnectionState />
      <Hud />
    </StudioContext.Provider>,
  );
  await act(async () => {
    draw(studio, 0, 1, [[0.5, 0.5]]);
    await studio.refuse("scribble.add", "not_stored");
  });
  expect(get("banner-offline").textContent).toContain("kept here and saved later");
  expect(get("connection").textContent).toBe("saving again · 1");
  expect(get("hud-saved").textContent).toBe("1 kept here until saved");
  await click("banner-reconnect");
  expect(studio.sent.length).toBe(2);
  await act(() => studio.ack("scribble.add"));
  expect(query("banner-offline")).toBeNull();
  expect(get("connection").textContent).toBe("live");
});
