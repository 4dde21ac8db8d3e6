/** The drawn part of the timeline: a slider over all frames, by pointer, wheel and keys. */
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { dragCut, storeDraggedCuts } from "../../actions/cuts";
import { seek, step } from "../../actions/playback";
import { shownAspect } from "../../canvas/view";
import { colorOf } from "../../parts/Avatar";
import { shownTheme } from "../../parts/theme";
import type { Store } from "../../state/store";
import { needsFix } from "../../state/suggest";
import { useStudio } from "../../studio/context";
import type { Studio } from "../../studio/studio";
import { CUT_HANDLE, drawPlayhead, drawTimeline, palette } from "./draw";
import { Filmstrip } from "./Filmstrip";
import type { Layout } from "./layout";
import { modelOf } from "./model";
import { Preview } from "./Preview";
import { Pointers } from "./pointers";
import { cellWidth, isWhole, reveal, type Scale, whole, xOf } from "./scale";
import css from "./Track.module.css";

const PAGE = 10;

/** Describes a frame in a few words. */
export function describe(store: Store, frame: number): string[] {
  const summary = store.summaries.value[frame];
  const words: string[] = [];
  if (store.accepted.value.has(frame)) words.push("accepted");
  else if (needsFix(summary)) words.push("to fix");
  if (store.drawn.value.has(frame)) words.push("drawn");
  if (store.cuts.value.includes(frame)) words.push("scene cut");
  if (summary?.confidence !== null && summary?.confidence !== undefined)
    words.push(`${Math.round(summary.confidence * 100)}\u00a0%`);
  return words;
}

/** A canvas whose pixels follow its size on screen. `draw` is called at most once per animation frame. */
function paint(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
) {
  const ratio = devicePixelRatio || 1;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw(context);
}

function afterPaint(draw: () => void): { ask: () => void; end: () => void } {
  let request = 0;
  return {
    ask: () => {
      request ||= requestAnimationFrame(() => {
        request = 0;
        draw();
      });
    },
    end: () => cancelAnimationFrame(request),
  };
}

export interface TrackProps {
  layout: Layout;
  /** How far the lanes are scrolled, in pixels. */
  offset: ReadonlySignal<number>;
}

export function Track({ layout, offset }: TrackProps) {
  const studio = useStudio();
  const { store } = studio;
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  const scale = useMemo(() => signal<Scale>(whole(store.video.peek()?.frame_count ?? 1, 1)), [store]);
  const hover = useMemo(() => signal<number | null>(null), []);
  const theme = shownTheme.value;
  const colors = useMemo(palette, [theme]);

  useEffect(() => follow(store, scale, box.current as HTMLElement), [store, scale]);

  useEffect(() => {
    const canvas = base.current as HTMLCanvasElement;
    let model = modelOf(store);
    const drawing = afterPaint(() =>
      paint(canvas, scale.peek().width, layout.height, (context) =>
        drawTimeline(context, scale.peek(), layout, model, offset.peek(), colors),
      ),
    );
    const ends = [
      effect(() => {
        model = modelOf(store);
        drawing.ask();
      }),
      effect(() => {
        scale.value;
        offset.value;
        drawing.ask();
      }),
    ];
    return () => {
      for (const end of ends) end();
      drawing.end();
    };
  }, [store, scale, layout, offset, colors]);

  useEffect(
    () =>
      effect(() => {
        const canvas = top.current;
        const others = store.presence.value
          .filter((viewer) => viewer.person.id !== store.you.value?.id)
          .map((viewer) => ({ frame: viewer.frame, color: colorOf(viewer.person.id) }));
        const [at, frame, over] = [scale.value, store.frame.value, hover.value];
        if (canvas)
          paint(canvas, at.width, layout.height, (context) =>
            drawPlayhead(context, at, layout, frame, over, others, colors),
          );
      }),
    [store, scale, hover, layout, colors],
  );

  useEffect(() => {
    const pointers = new Pointers(box.current as HTMLElement, {
      scale,
      hover,
      seek: (frame) => seek(studio, frame),
      select: (span) => {
        store.selection.value = span;
      },
      selects: (y) => y >= layout.lanes.top,
      ...cutHandles(studio, scale, layout),
    });
    return () => pointers.end();
  }, [studio, store, scale, hover, layout]);

  const video = store.video.value;
  const frame = store.frame.value;
  const last = Math.max(0, (video?.frame_count ?? 1) - 1);
  const over = hover.value;
  return (
    <div
      ref={box}
      class={css.track}
      style={{ height: `${layout.height}px` }}
      role="slider"
      tabIndex={0}
      aria-label="Frame"
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={frame}
      aria-valuetext={[`Frame ${frame} of ${last}`, ...describe(store, frame)].join(", ")}
      data-testid="timeline"
      data-zoomed={!isWhole(scale.value)}
      onKeyDown={(event) => {
        const by = stepOf(event.key, last);
        if (by === null || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
        event.preventDefault();
        step(studio, by);
      }}
      onDblClick={() => {
        scale.value = whole(scale.peek().total, scale.peek().width);
      }}
    >
      {layout.film && video && (
        <Filmstrip video={video.id} aspect={shownAspect(video)} scale={scale.value} {...layout.film} />
      )}
      <canvas ref={base} class={css.layer} />
      <canvas ref={top} class={css.layer} />
      {over !== null && video && (
        <Preview
          frame={over}
          x={
            (box.current?.getBoundingClientRect().left ?? 0) +
            xOf(scale.value, over) +
            cellWidth(scale.value) / 2
          }
          y={box.current?.getBoundingClientRect().top ?? 0}
          note={describe(store, over).join(" · ")}
        />
      )}
    </div>
  );
}

/** Lets the pointer take scene cuts by the handles above their lines. */
function cutHandles(studio: Studio, scale: { peek(): Scale }, layout: Layout) {
  const { store } = studio;
  let before: readonly number[] = [];
  return {
    cutAt: (x: number, y: number, reach: number): number | null => {
      if (!store.canDraw.peek() || y > layout.ruler + CUT_HANDLE) return null;
      const away = (cut: number) => Math.abs(xOf(scale.peek(), cut) - x);
      const near = store.cuts.peek().filter((cut) => away(cut) <= reach);
      if (near.length === 0) return null;
      before = store.cuts.peek();
      return near.reduce((best, cut) => (away(cut) < away(best) ? cut : best));
    },
    dragCut: (cut: number, frame: number) => dragCut(studio, cut, frame),
    dropCut: () => storeDraggedCuts(studio, before),
  };
}

/** Returns by how many frames a key moves, null if it is not a key of sliders. */
export function stepOf(key: string, last: number): number | null {
  if (key === "ArrowLeft" || key === "ArrowDown") return -1;
  if (key === "ArrowRight" || key === "ArrowUp") return 1;
  if (key === "PageDown") return -PAGE;
  if (key === "PageUp") return PAGE;
  if (key === "Home") return -last;
  if (key === "End") return last;
  return null;
}

/** Keeps the scale up to date with the video, the width on screen and the playhead. */
function follow(store: Store, scale: { value: Scale; peek(): Scale }, element: HTMLElement): () => void {
  const resize = () => {
    const width = element.clientWidth;
    if (width && width !== scale.peek().width) scale.value = { ...scale.peek(), width };
  };
  const observer = new ResizeObserver(resize);
  observer.observe(element);
  resize();
  const ends = [
    effect(() => {
      const total = store.video.value?.frame_count ?? 1;
      if (total !== scale.peek().total) scale.value = whole(total, scale.peek().width);
    }),
    effect(() => {
      const shown = reveal(scale.peek(), store.frame.value);
      if (shown !== scale.peek()) scale.value = shown;
    }),
  ];
  return () => {
    observer.disconnect();
    for (const end of ends) end();
  };
}
