import { afterEach, expect, it } from "vitest";
import { hide, show } from "../parts/testing";
import { QualityChip } from "./Chip";

afterEach(hide);

it("a J&F below the threshold is not rounded up to it", async () => {
  await show(<QualityChip job={{ jf: 0.5976, flagged: true }} />); // The project asks for 0.60.
  expect(document.body.textContent).toContain("below threshold: J&F 0.59");
  await show(<QualityChip job={{ jf: 0.29, flagged: false }} />); // 100 * 0.29 is 28.999999999999996.
  expect(document.body.textContent).toContain("J&F 0.29");
});
