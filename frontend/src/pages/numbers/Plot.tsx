/** A plot of lines, made with uPlot. It is as wide as its place, and is made again when the theme changes. */
import { useEffect, useRef } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import type uPlot from "uplot";
import { shownTheme } from "../../parts/theme";
import css from "./Plot.module.css";

export interface Line {
  name: string;
  values: readonly (number | null)[];
  /** A colour of tokens.css. */
  color: "--accent" | "--ok" | "--warn" | "--ring" | "--bad";
  /** Points without a line between them. */
  points?: boolean;
}

export interface PlotProps {
  title: string;
  /** Seconds since 1970 if `time`, else numbers. Ascending. */
  x: readonly number[];
  xName: string;
  time?: boolean;
  lines: readonly Line[];
  format: (value: number) => string;
  formatX?: (value: number) => string;
  /** What a screen reader says in place of the picture. */
  summary: string;
  testid: string;
}

const HEIGHT = 220;
const DAYS = [1, 2, 7, 14, 28, 91, 182, 364].map((days) => days * 86_400); // between two days on an axis of time

export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const theme = shownTheme.value;
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    let plot: uPlot | null = null;
    let ended = false;
    import("uplot").then(({ default: Make }) => {
      if (!ended) plot = new Make(optionsOf(props, place.clientWidth), dataOf(props), place);
    });
    const follow = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
    follow.observe(place);
    return () => {
      ended = true;
      follow.disconnect();
      plot?.destroy();
    };
  }, [theme, props.x, props.lines]);
  return (
    <figure class={css.plot} data-testid={props.testid}>
      <figcaption>{props.title}</figcaption>
      <div ref={box} role="img" aria-label={props.summary} style={{ minHeight: `${HEIGHT}px` }} />
    </figure>
  );
}

function dataOf({ x, lines }: PlotProps): uPlot.AlignedData {
  return [[...x], ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsOf({ xName, time, lines, format, formatX }: PlotProps, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: token("--text-3"),
    font: `11px ${token("--sans")}`,
    grid: { stroke: token("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: time ?? false }, y: { range: (_, least, most) => [Math.min(0, least), most || 1] } },
    legend: { live: true, markers: { width: 0, fill: (_, at) => token(lines[at - 1]?.color ?? "--text-3") } },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    axes: [
      {
        ...axis,
        ...(time ? { incrs: DAYS } : {}),
        ...(formatX ? { values: (_: uPlot, values: number[]) => values.map(formatX) } : {}),
      },
      { ...axis, size: 56, values: (_, values) => values.map(format) },
    ],
    hooks: { setLegend: [showWhetherHovered] },
    series: [
      {
        label: xName,
        ...(formatX ? { value: legendValue(formatX) } : {}),
      },
      ...lines.map(({ name, color, points }) => ({
        label: name,
        stroke: token(color),
        width: points ? 0 : 2,
        points: points ? { show: true, size: 7, fill: token(color) } : { show: false },
        ...(points ? { paths: () => null } : {}),
        value: legendValue(format),
      })),
    ],
  };
}

/** Returns a function that makes the text of a value in the legend: "–" where a line has a gap. */
function legendValue(format: (value: number) => string): uPlot.Series.Value {
  return (_: uPlot, value: number | null) => (value == null ? "–" : format(value));
}

/** Marks the plot while the pointer is over it. The legend shows values, and what they belong to, only then. */
function showWhetherHovered(plot: uPlot): void {
  plot.root.toggleAttribute("data-hovered", plot.cursor.idx != null);
}
