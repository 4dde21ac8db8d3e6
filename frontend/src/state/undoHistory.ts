/**
 * Undo and redo of what this person did on this page. Changes by other people are never part of it.
 *
 * Ctrl+Z undoes the newest step that can still be undone: a waiting scribble, a new, renamed, recoloured or deleted
 * object, a round. If there is none (after a reload, for example), it removes the person's newest waiting scribble,
 * else moves the head back from a round of this person. Redo does the reverse.
 */
import { type ReadonlySignal, signal } from "@preact/signals";

export interface Step {
  /** What was done, as it is shown after "Undo": "scribble", "rename of rider". */
  name: string;
  /** Whether the step can be undone now. A scribble that a round has used cannot be. */
  undoable: () => boolean;
  undo: () => void;
  /** Whether the step can be redone now. */
  redoable: () => boolean;
  redo: () => void;
}

const MOST = 200;

export class UndoHistory {
  private readonly past = signal<readonly Step[]>([]);
  private readonly future = signal<readonly Step[]>([]);
  private readonly held = signal(false);
  private acting: Step | undefined; // the step that is being undone or redone
  private ending: Promise<boolean> = Promise.resolve(true);

  get done(): ReadonlySignal<readonly Step[]> {
    return this.past;
  }

  get undone(): ReadonlySignal<readonly Step[]> {
    return this.future;
  }

  /** Whether a step is still being undone or redone. Until it is, nothing else is undone or redone. */
  get waiting(): ReadonlySignal<boolean> {
    return this.held;
  }

  /**
   * Called by the step that is being undone or redone if that takes a while. If `ended` says that it did not happen, the
   * step stays where it was.
   */
  waitFor(ended: Promise<boolean>): void {
    const step = this.acting;
    this.held.value = true;
    this.ending = ended.then((happened) => {
      this.held.value = false;
      if (!happened && step) this.putBack(step);
      return happened;
    });
  }

  /** Undoes or redoes a step. A `waitFor` outside of it is about no step. */
  private act(step: Step, act: () => void): void {
    this.acting = step;
    try {
      act();
    } finally {
      this.acting = undefined;
    }
  }

  private putBack(step: Step): void {
    const [past, future] = [this.past.peek(), this.future.peek()];
    const without = (steps: readonly Step[]) => steps.filter((other) => other !== step);
    if (future.includes(step)) [this.future.value, this.past.value] = [without(future), [...past, step]];
    else if (past.includes(step)) [this.past.value, this.future.value] = [without(past), [...future, step]];
  }

  /** Resolves to whether the step that was undone or redone last was, once it no longer waits. */
  get settled(): Promise<boolean> {
    return this.ending;
  }

  /** Adds a step and forgets the steps that could have been redone. */
  push(step: Step): void {
    this.past.value = [...this.past.peek(), step].slice(-MOST);
    this.future.value = [];
  }

  /**
   * Adds a step that was undone without being in this history (a scribble from before a reload), so that redo
   * restores it.
   */
  takenBack(step: Step): void {
    this.future.value = [...this.future.peek(), step];
  }

  /** Returns the step that `undo` would undo. Reads signals, so a button can follow it. */
  nextUndo(): Step | undefined {
    return this.held.value ? undefined : this.past.value.findLast((step) => step.undoable());
  }

  nextRedo(): Step | undefined {
    return this.held.value ? undefined : this.future.value.findLast((step) => step.redoable());
  }

  /** Returns false if there is nothing to undo. Steps that can no longer be undone are forgotten. */
  undo(): boolean {
    const step = this.nextUndo();
    if (!step) return false;
    const at = this.past.peek().indexOf(step);
    this.past.value = this.past.peek().slice(0, at);
    this.future.value = [...this.future.peek(), step];
    this.act(step, () => step.undo());
    return true;
  }

  redo(): boolean {
    const step = this.nextRedo();
    if (!step) return false;
    const at = this.future.peek().indexOf(step);
    this.future.value = this.future.peek().slice(0, at);
    this.past.value = [...this.past.peek(), step];
    this.act(step, () => step.redo());
    return true;
  }
}
