/** What belongs to one open video: its data, its connection, its view and the commands that act on it. */
import type { Signal } from "@preact/signals";
import type { Engine } from "../api/types";
import type { FrameCache } from "../canvas/frames";
import type { Stage } from "../canvas/stage";
import type { Outbox } from "../connection/outbox";
import type { Socket } from "../connection/socket";
import type { Store } from "../state/store";
import type { UndoHistory } from "../state/undoHistory";
import type { Command } from "./command";

export interface Studio {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly socket: Socket;
  readonly history: UndoHistory;
  readonly stage: Stage;
  readonly frames: FrameCache;
  readonly engines: Signal<readonly Engine[]>;
  readonly commands: readonly Command[];
  close(): void;
}
