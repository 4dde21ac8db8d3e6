/**
 * Undo and redo of what this person did here. Masks and other people's work never land on it.
 *
 * Ctrl+Z takes back the newest own step that can still be taken back: a waiting stroke, an object added, renamed,
 * recoloured or deleted, a round run. When there is none (after a reload, say), it takes back the newest own stroke that
 * waits, else moves the head back by a round of one's own. Redo goes the same way forward.
 */
import { type ReadonlySignal, signal } from "@preact/signals";

export interface Step {
  /** What was done, in words that go after "Undo": "scribble", "rename of rider". */
  name: string;
  /** Whether it can be taken back now: a stroke that a round has used cannot. */
  undoable: () => boolean;
  undo: () => void;
  /** Whether it can be done again now. */
  redoable: () => boolean;
  redo: () => void;
}

const MOST = 200;

export class UndoHistory {
  private readonly past = signal<readonly Step[]>([]);
  private readonly future = signal<readonly Step[]>([]);

  get done(): ReadonlySignal<readonly Step[]> {
    return this.past;
  }

  get undone(): ReadonlySignal<readonly Step[]> {
    return this.future;
  }

  /** A new step ends the branch that redo could have gone. */
  push(step: Step): void {
    this.past.value = [...this.past.peek(), step].slice(-MOST);
    this.future.value = [];
  }

  /** Something was taken back that never was a step of this page (drawn before a reload): redo can bring it back. */
  takenBack(step: Step): void {
    this.future.value = [...this.future.peek(), step];
  }

  /** The step that `undo` would take back. Reads signals: a button can follow it. */
  nextUndo(): Step | undefined {
    return this.past.value.findLast((step) => step.undoable());
  }

  nextRedo(): Step | undefined {
    return this.future.value.findLast((step) => step.redoable());
  }

  /** False when there is nothing to take back. Steps that have become impossible are forgotten. */
  undo(): boolean {
    const step = this.nextUndo();
    if (!step) return false;
    const at = this.past.peek().indexOf(step);
    this.past.value = this.past.peek().slice(0, at);
    this.future.value = [...this.future.peek(), step];
    step.undo();
    return true;
  }

  redo(): boolean {
    const step = this.nextRedo();
    if (!step) return false;
    const at = this.future.peek().indexOf(step);
    this.future.value = this.future.peek().slice(0, at);
    this.past.value = [...this.past.peek(), step];
    step.redo();
    return true;
  }
}
