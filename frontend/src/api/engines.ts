/** Texts about engines. */
import { bytes } from "../format";
import type { Engine } from "./types";

/** Describes what an engine is good at, and what is missing or notable about its weights. */
export function describe(engine: Engine): string {
  return [engine.good_at, engine.hint].filter(Boolean).join(" ");
}

/** Describes the weights of an engine in a few words: "4.9 MB, ships", "158 MB, e120.pth", "no weights". */
export function weightsOf({ needs_weights, ready, weights, size_bytes, shipped }: Engine): string {
  if (!needs_weights) return "";
  return ready ? `${bytes(size_bytes)}, ${shipped ? "ships" : weights}` : "no weights";
}
