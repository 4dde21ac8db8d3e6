/** What of a video or a project is exported, and how: closed at first, because most exports take everything. */
import type { ExportFormat, ExportOptions } from "../api/types";
import { CheckField, SelectField, TextField } from "../parts/Field";
import css from "./ExportChoices.module.css";

export interface Choices {
  accepted: boolean;
  /** Ranges of frames as they are typed, such as "0-99, 200-250"; empty for all frames. */
  spans: string;
  names: "" | "source" | "number";
  display: boolean;
  /** The labels whose objects are exported, "" for objects without one; none: all objects. */
  labels: readonly string[];
  /** How an overlay shows the objects. */
  look: Look;
  /** Half the width of the soft edges of mattes in pixels; empty: in proportion to the frame. */
  edge: string;
  /** Whether the colours of a video with alpha are multiplied by it. */
  premultiplied: boolean;
}

export interface Look {
  /** Of the colours over the objects, in percent. */
  opacity: string;
  /** The width of the contours in pixels. */
  contour: string;
  /** One colour for all objects, such as #ff0000; empty: each has its own. */
  color: string;
  /** A colour in place of what is around the objects; empty: the frame. */
  background: string;
}

export const USUAL: Look = { opacity: "50", contour: "1", color: "", background: "" };
export const EVERYTHING: Choices = {
  accepted: false,
  spans: "",
  names: "",
  display: false,
  labels: [],
  look: USUAL,
  edge: "",
  premultiplied: false,
};

/** The looks that people choose by one click. */
const LOOKS: Record<string, Look> = {
  "": USUAL,
  contours: { ...USUAL, opacity: "0", contour: "3" },
  green: { opacity: "0", contour: "0", color: "", background: "#00b140" },
  matte: { opacity: "100", contour: "0", color: "#ffffff", background: "#000000" },
};

/** Returns the look as the server has it. An empty field means the usual number, which it shows as its placeholder. */
function lookOf({ opacity, contour, color, background }: Look): NonNullable<ExportOptions["look"]> {
  return {
    opacity: Number(opacity.trim() || USUAL.opacity) / 100,
    contour: Number(contour.trim() || USUAL.contour),
    color: color || null,
    background: background || null,
  };
}

/** Returns the ranges in a text such as "0-99, 120", or null if it is none. */
export function spansOf(text: string): [number, number][] | null {
  const parts = text.split(",").filter((part) => part.trim());
  const spans: [number, number][] = [];
  for (const part of parts) {
    const found = part.trim().match(/^(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?$/);
    if (!found) return null;
    const first = Number(found[1]);
    const last = found[2] === undefined ? first : Number(found[2]);
    if (last < first) return null;
    spans.push([first, last]);
  }
  return spans;
}

/** Returns whether edges can be soft: not before the frame itself, whose colours are on both sides of an edge. */
function hasSoftEdges({ look }: Choices, takes: Takes): boolean {
  return takes.includes("matte") && (!takes.includes("look") || look.background !== "");
}

function matteOf(choices: Choices, takes: Takes): ExportOptions["matte"] {
  const { edge, premultiplied } = choices;
  return {
    ...(hasSoftEdges(choices, takes) && edge.trim() !== "" ? { edge: Number(edge) } : {}),
    ...(premultiplied && takes.includes("premultiplied") ? { premultiplied: true } : {}),
  };
}

/**
 * Returns the options of the server, for a format that takes those that are named in `takes`. Throws an Error with a
 * sentence if the ranges cannot be read.
 */
export function optionsOf(choices: Choices, takes: Takes = []): ExportOptions {
  const spans = spansOf(choices.spans);
  if (!spans) throw new Error(BAD_SPANS);
  const matte = matteOf(choices, takes);
  return {
    ...(choices.accepted ? { accepted_only: true } : {}),
    ...(spans.length ? { spans } : {}),
    ...(choices.names ? { names: choices.names } : {}),
    ...(choices.display ? { shape: "display" as const } : {}),
    ...(choices.labels.length ? { labels: [...choices.labels] } : {}),
    ...(takes.includes("look") ? { look: lookOf(choices.look) } : {}),
    ...(Object.keys(matte ?? {}).length ? { matte } : {}),
  };
}

const BAD_SPANS = "Write ranges of frames as 0-99, 200-250.";

type Takes = ExportFormat["takes"];

export interface ExportChoicesProps {
  choices: Choices;
  /** Whether ranges of frames can be chosen, which are those of one video. */
  spans?: boolean;
  /** The options that the chosen format takes, of those that mean something for some formats only. */
  takes?: Takes | undefined;
  /** The labels of the project. */
  labels: readonly { name: string }[];
  onChange: (choices: Choices) => void;
}

export function ExportChoices({ choices, spans = false, takes = [], labels, onChange }: ExportChoicesProps) {
  const set = (change: Partial<Choices>) => onChange({ ...choices, ...change });
  return (
    <details class={css.choices} data-testid="export-options">
      <summary>Options</summary>
      <label class={css.check}>
        <input
          type="checkbox"
          checked={choices.accepted}
          data-testid="export-accepted"
          onChange={(event) => set({ accepted: event.currentTarget.checked })}
        />
        Only accepted frames
      </label>
      <label class={css.check}>
        <input
          type="checkbox"
          checked={choices.display}
          data-testid="export-display"
          onChange={(event) => set({ display: event.currentTarget.checked })}
        />
        Stretch pixels that are not square
      </label>
      {takes.includes("look") && <LookFields look={choices.look} onChange={(look) => set({ look })} />}
      {hasSoftEdges(choices, takes) && (
        <TextField
          label="Soft edges, pixels to each side"
          type="number"
          testid="export-edge"
          placeholder="by the size of the frame; 0: hard"
          value={choices.edge}
          onInput={(edge) => set({ edge })}
        />
      )}
      {takes.includes("premultiplied") && (
        <CheckField
          label="Multiply the colours by alpha (premultiplied)"
          testid="export-premultiplied"
          checked={choices.premultiplied}
          onChange={(premultiplied) => set({ premultiplied })}
        />
      )}
      {spans && (
        <TextField
          label="Frames"
          testid="export-spans"
          placeholder="all, or 0-99, 200-250"
          value={choices.spans}
          error={spansOf(choices.spans) ? "" : BAD_SPANS}
          onInput={(text) => set({ spans: text })}
        />
      )}
      {labels.length > 0 && (
        <fieldset class={css.labels}>
          <legend>Only objects with these labels; none chosen: all</legend>
          {[...labels.map(({ name }) => name), ""].map((name, index) => (
            <CheckField
              key={name}
              label={name || "no label"}
              testid={`export-label-${index}`}
              checked={choices.labels.includes(name)}
              onChange={(on) =>
                set({
                  labels: on ? [...choices.labels, name] : choices.labels.filter((other) => other !== name),
                })
              }
            />
          ))}
        </fieldset>
      )}
      <SelectField
        label="Frames are called"
        testid="export-names"
        value={choices.names}
        options={[
          { value: "", name: "as the format does" },
          { value: "source", name: "as their source files" },
          { value: "number", name: "00000, 00001, …" },
        ]}
        onChange={(value) => set({ names: value as Choices["names"] })}
      />
    </details>
  );
}

function LookFields({ look, onChange }: { look: Look; onChange: (look: Look) => void }) {
  const known = Object.keys(LOOKS).find((name) => JSON.stringify(LOOKS[name]) === JSON.stringify(look));
  return (
    <>
      <SelectField
        label="Objects are shown"
        testid="export-look"
        value={known ?? "own"}
        options={[
          { value: "", name: "in their colours" },
          { value: "contours", name: "by contours alone" },
          { value: "green", name: "before a green screen" },
          { value: "matte", name: "white on black" },
          ...(known === undefined ? [{ value: "own", name: "as set below" }] : []),
        ]}
        onChange={(name) => onChange(LOOKS[name] ?? look)}
      />
      <TextField
        label="Opacity in percent"
        type="number"
        testid="export-opacity"
        value={look.opacity}
        placeholder={USUAL.opacity}
        onInput={(opacity) => onChange({ ...look, opacity })}
      />
      <TextField
        label="Contours in pixels"
        type="number"
        testid="export-contour"
        value={look.contour}
        placeholder={USUAL.contour}
        onInput={(contour) => onChange({ ...look, contour })}
      />
    </>
  );
}
