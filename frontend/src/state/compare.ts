/** Which round the shown masks are compared with, and how. */
export interface Compare {
  readonly other: number; // id of the round
  readonly way: "slider" | "blink";
  readonly at: number; // slider: the share of the frame's width, from the left, that shows the other round; 0..1
  readonly turn: boolean; // blink: whether the other round is shown now
}
