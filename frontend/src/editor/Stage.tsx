/** The stage: three canvases on top of each other, and the panels that float over them. */
import { useEffect, useRef } from "preact/hooks";
import { listen } from "../actions/keys";
import { scaleAcross } from "../canvas/view";
import { Banner } from "../panels/Banner";
import { ToolOptions } from "../panels/ToolOptions";
import type { ViewSettings } from "../state/view";
import { useStudio } from "../studio/context";
import type { Studio } from "../studio/studio";
import { listenToPen } from "../tools/keypen";
import { Pointers } from "../tools/pointer";
import { createPointerState } from "../tools/pointerState";
import { toolInUse } from "../tools/tools";
import { CompareHandle } from "./CompareHandle";
import { showInteraction } from "./drawingLayer";
import { Pins } from "./Pins";
import { Picture, type PictureCanvases } from "./pictureLayers";
import css from "./Stage.module.css";

// Above this scale pixels are shown as squares, so that the border of a mask can be seen pixel by pixel.
const SQUARES_ABOVE = 3;

export function Stage() {
  const studio = useStudio();
  const { store } = studio;
  const tool = toolInUse(studio);
  const element = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLCanvasElement>(null);
  const mask = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    if (!element.current || !frame.current || !mask.current || !top.current) return;
    return attach(studio, element.current, { frame: frame.current, mask: mask.current, top: top.current });
  }, [studio]);

  return (
    <main class={css.stage}>
      <ToolOptions />
      <div class={css.body}>
        <div
          ref={element}
          class={css.area}
          data-testid="stage"
          data-pen-area
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the stage receives drawing and keys, as a text field does
          tabIndex={0}
          role="application"
          aria-label={spoken(studio)}
          style={{ "--cursor": tool.cursor, "--cursor-pressed": tool.pressedCursor ?? tool.cursor }}
        >
          <div class={css.layers} data-ground={ground(studio)} style={placed(studio)}>
            <canvas
              ref={frame}
              class={css.layer}
              data-testid="canvas-frame"
              data-hidden={store.view.value.mode === "mask"}
              style={{ filter: filterOf(store.view.value) }}
            />
            <canvas
              ref={mask}
              class={css.layer}
              data-testid="canvas-mask"
              data-hidden={store.view.value.mode === "matte"}
            />
          </div>
          <canvas ref={top} class={css.top} data-testid="canvas-top" />
        </div>
        <CompareHandle />
        <Pins />
        <Banner />
      </div>
      <Gamma value={store.view.value.gamma} />
    </main>
  );

  function placed({ stage }: typeof studio) {
    const { scale, x, y } = stage.view.value;
    const across = scaleAcross(stage.view.value);
    const { width, height } = stage.frameSize;
    const { mode, ground } = store.view.value;
    return {
      ...(mode === "matte" && ground !== "checkerboard" && { background: ground }),
      "--square": `${8 / scale}px`, // the squares of the checkerboard keep their size on screen
      width: `${width}px`,
      height: `${height}px`,
      transform: `translate(${Math.round(x)}px, ${Math.round(y)}px) scale(${across}, ${scale})`,
      imageRendering:
        scale * (window.devicePixelRatio || 1) > SQUARES_ABOVE ? ("pixelated" as const) : ("auto" as const),
    };
  }
}

const GAMMA = "gamma-of-the-view"; // id of the SVG filter

/** CSS has filters for brightness and contrast, but none for gamma. */
function Gamma({ value }: { value: number }) {
  const table = { type: "gamma", exponent: 1 / value, amplitude: 1, offset: 0 };
  return (
    <svg width="0" height="0" class={css.filter} aria-hidden="true">
      <filter id={GAMMA} color-interpolation-filters="sRGB">
        <feComponentTransfer>
          <feFuncR {...table} />
          <feFuncG {...table} />
          <feFuncB {...table} />
        </feComponentTransfer>
      </filter>
    </svg>
  );
}

/** Returns the CSS filter of the frame: none if all tones are as they are, so that painting costs nothing then. */
function filterOf({ brightness, contrast, gamma }: ViewSettings): string | undefined {
  const parts: string[] = [];
  if (gamma !== 1) parts.push(`url(#${GAMMA})`);
  if (brightness !== 100) parts.push(`brightness(${brightness}%)`);
  if (contrast !== 100) parts.push(`contrast(${contrast}%)`);
  return parts.length > 0 ? parts.join(" ") : undefined;
}

function ground({ store }: Studio): string | undefined {
  const { mode, ground } = store.view.value;
  return mode === "matte" && ground === "checkerboard" ? ground : undefined;
}

interface Canvases extends PictureCanvases {
  top: HTMLCanvasElement;
}

/** Starts painting the canvases and listening to pointers and keys. Returns a function that stops it. */
function attach(studio: Studio, area: HTMLElement, canvases: Canvases): () => void {
  const pointer = createPointerState();
  const picture = new Picture(studio, pointer, canvases);
  const pointers = new Pointers(studio, pointer, area);
  const resize = () => studio.stage.resize({ width: area.clientWidth, height: area.clientHeight });
  const observer = new ResizeObserver(resize);
  observer.observe(area);
  resize();
  const ends = [
    showInteraction(studio, pointer, picture, canvases),
    listenToPen(studio, pointer),
    listen(studio.commands, pointers.spaceUsed, () => pointers.cancel()),
  ];
  return () => {
    observer.disconnect();
    pointers.close();
    picture.close();
    for (const end of ends) end();
  };
}

function spoken({ store }: Studio): string {
  const count = store.video.value?.frame_count ?? 0;
  const object = store.alive.value.find((other) => other.number === store.selected.value);
  const drawing = store.selected.value === 0 ? "the background" : (object?.name ?? "a new object");
  return `Picture, frame ${store.frame.value} of ${count}, drawing for ${drawing}. Question mark shows the keys.`;
}
