import { render } from "preact";
import type uPlot from "uplot";
import { expect, it, vi } from "vitest";
import { Plot } from "./Plot";

const made = vi.hoisted(() => ({ options: null as uPlot.Options | null }));
vi.mock("uplot", () => ({
  default: class {
    constructor(options: uPlot.Options) {
      made.options = options;
    }
    destroy() {}
    setSize() {}
  },
}));

it("is marked as hovered only while a point is in hand, and then shows a gap in a line as such", async () => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  const line = { name: "jobs left", color: "--ring", values: [2, null] } as const;
  render(
    <Plot title="" x={[0, 1]} xName="day" lines={[line]} format={String} summary="" testid="plot" />,
    document.body,
  );
  await vi.waitFor(() => expect(made.options).not.toBeNull());
  const root = document.createElement("div");
  const hover = (idx: number | null) => {
    for (const hook of made.options?.hooks?.setLegend ?? [])
      hook?.({ root, cursor: { idx } } as unknown as uPlot);
    return root.hasAttribute("data-hovered");
  };
  expect([hover(null), hover(0), hover(null)]).toEqual([false, true, false]);
  const value = made.options?.series[1]?.value as (plot: uPlot, value: number | null) => string;
  expect([value({} as uPlot, 2), value({} as uPlot, null)]).toEqual(["2", "–"]);
});
