/** Scene cuts, the first frames of new scenes: adding, removing and moving them with undo, and going from one to the next. */
import { newKey } from "../connection/key";
import { toast, toastError } from "../parts/Toast";
import type { Studio } from "../studio/studio";
import { seek } from "./playback";

/** Adds a cut at the frame in view, or removes the one that is there. */
export function toggleCut(studio: Studio): void {
  const { store } = studio;
  const frame = store.frame.peek();
  const cuts = store.cuts.peek();
  if (frame === 0) {
    toast({ text: "The first scene begins at frame 0. A cut is a later frame.", tone: "info" });
    return;
  }
  const removes = cuts.includes(frame);
  const after = removes ? cuts.filter((cut) => cut !== frame) : [...cuts, frame];
  changeCuts(studio, cuts, after, removes ? `removal of the cut at ${frame}` : `cut at ${frame}`);
  const text = removes
    ? `Frame ${frame} is no scene cut any more.`
    : `A new scene begins at frame ${frame}: rounds stop there.`;
  toast({ text });
}

/** Shows the cut at `from` at frame `to` without storing it, while it is dragged. Returns where it is now. */
export function dragCut({ store }: Studio, from: number, to: number): number {
  const last = (store.video.peek()?.frame_count ?? 1) - 1;
  const target = Math.max(1, Math.min(last, to));
  if (target === from || store.cuts.peek().includes(target)) return from;
  store.cuts.value = sorted([...store.cuts.peek().filter((cut) => cut !== from), target]);
  return target;
}

/** Stores the cuts as they are after a drag; `before` are those from before it. */
export function storeDraggedCuts(studio: Studio, before: readonly number[]): void {
  const after = studio.store.cuts.peek();
  if (before.join() === after.join()) return;
  const to = after.find((cut) => !before.includes(cut));
  changeCuts(studio, before, after, `move of the cut to ${to}`);
}

/** Goes to the next (1) or the previous (-1) scene cut; beyond the last one to the end of the video. */
export function goToCut(studio: Studio, direction: 1 | -1): void {
  const { store } = studio;
  const at = store.frame.peek();
  const places = [0, ...store.cuts.peek(), (store.video.peek()?.frame_count ?? 1) - 1];
  const found = direction > 0 ? places.find((cut) => cut > at) : places.findLast((cut) => cut < at);
  if (found !== undefined) seek(studio, found);
}

function changeCuts(studio: Studio, before: readonly number[], after: readonly number[], name: string): void {
  const { store, history } = studio;
  send(studio, after, before);
  const can = () => store.canDraw.value;
  history.push({
    name,
    undoable: can,
    undo: () => send(studio, before),
    redoable: can,
    redo: () => send(studio, after),
  });
}

/** Shows the cuts at once; if the server refuses them, `former` again, which are those of before this change. */
function send(studio: Studio, cuts: readonly number[], former = studio.store.cuts.peek()): void {
  const { store, outbox } = studio;
  const wanted = sorted(cuts);
  store.cuts.value = wanted;
  outbox.send({ type: "cuts.set", key: newKey(), cuts: [...wanted] }).catch((problem) => {
    if (store.cuts.peek() === wanted) store.cuts.value = former;
    toastError(problem);
  });
}

function sorted(cuts: readonly number[]): readonly number[] {
  return [...new Set(cuts)].sort((a, b) => a - b);
}
