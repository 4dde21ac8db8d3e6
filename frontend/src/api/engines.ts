/** What the server tells of the engines to choose from. */
import { bytes } from "../format";

export interface Engine {
  name: string;
  title: string;
  good_at: string;
  needs_weights: boolean;
  ready: boolean;
  /** File names of what is there. */
  weights: string;
  size_bytes: number;
  /** All of them come with Maskwright. */
  shipped: boolean;
  default: boolean;
  /** What is missing and where it goes, or what to know of weights that ship. */
  hint: string;
}

/** What an engine is good at, and what is missing or to be known of its weights. */
export function describe(engine: Engine): string {
  return [engine.good_at, engine.hint].filter(Boolean).join(" ");
}

/** The state of an engine's weights in a few words: "4.9 MB, ships", "158 MB, e120.pth", "no weights". */
export function weightsOf({ needs_weights, ready, weights, size_bytes, shipped }: Engine): string {
  if (!needs_weights) return "";
  return ready ? `${bytes(size_bytes)}, ${shipped ? "ships" : weights}` : "no weights";
}
