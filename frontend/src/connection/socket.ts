/**
 * The browser's socket as a state machine. It promises that while it is `live` no change is missing: each connection
 * starts with `resume`, which names the newest change and mask that have arrived.
 *
 *   connecting --welcome--> live --close--> lost --timer or `online`, then welcome--> live
 *   any --close with a code that a new connection cannot fix--> closed
 */
import { isPreview, MaskError, type PackedMask, readContainer } from "../masks/decode";
import {
  CLOSE_CODES,
  type ClientMessage,
  PROTOCOL_VERSION,
  type ServerMessage,
  type Welcome,
} from "../protocol";
import type { Connection } from "../state/store";
import { delay } from "./backoff";

const PING_EVERY = 15_000;
const PONG_WITHIN = 10_000;
// 4400 old page, 4401 signed out, 4403 not allowed, 4404 no such video. Reconnecting does not help with these.
const FINAL = new Set([4400, 4401, 4403, 4404]);

export interface SocketEvents {
  state(state: Connection): void;
  /** Called before the state becomes `live`. Messages can be sent from here on. */
  welcome(message: Welcome): void;
  message(message: Exclude<ServerMessage, Welcome>): void;
  masks(masks: PackedMask[]): void;
  /** Called with masks that answer `preview.ask`. */
  preview(masks: PackedMask[]): void;
  /** Called if the connection was closed with a known code. `final`: the socket will not reconnect. */
  closed(code: number, text: string, final: boolean): void;
}

export interface SocketOptions {
  url: string;
  events: SocketEvents;
  /** Replaces WebSocket in tests. */
  open?: (url: string) => WebSocket;
}

export class Socket {
  private socket: WebSocket | null = null;
  private state: Connection = "connecting";
  private attempt = 0;
  private seq = 0;
  private maskSeq = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private lastHeard = 0;

  constructor(private readonly options: SocketOptions) {}

  /** The highest number (Mask.id) of a mask that the page has. */
  get newestMask(): number {
    return this.maskSeq;
  }

  start(): void {
    addEventListener("online", this.now);
    addEventListener("offline", this.cut);
    this.connect();
  }

  /** Closes the connection and does not reconnect. */
  stop(): void {
    removeEventListener("online", this.now);
    removeEventListener("offline", this.cut);
    clearTimeout(this.retry);
    this.state = "closed";
    this.drop();
  }

  /** Returns false if the message cannot be sent now. */
  send(message: ClientMessage): boolean {
    if (this.state !== "live" || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Reconnects at once instead of after the wait. */
  readonly now = (): void => {
    if (this.state !== "lost" || this.socket) return;
    clearTimeout(this.retry);
    this.attempt = 0;
    this.connect();
  };

  private readonly cut = (): void => {
    if (this.state === "closed") return;
    this.drop();
    this.wait();
  };

  private connect(): void {
    // While it reconnects, the state stays `lost`, so that the page does not flicker with each try.
    if (this.state !== "lost") this.enter("connecting");
    const open = this.options.open ?? ((url) => new WebSocket(url));
    const socket = open(this.options.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      const resume = { type: "resume", version: PROTOCOL_VERSION, seq: this.seq, mask_seq: this.maskSeq };
      socket.send(JSON.stringify(resume));
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.ended(event.code);
  }

  private receive(data: string | ArrayBuffer): void {
    this.lastHeard = performance.now();
    if (typeof data !== "string") {
      this.receiveMasks(new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "welcome") {
      this.attempt = 0;
      if (message.state) {
        this.seq = message.state.seq;
        this.maskSeq = message.state.mask_seq;
      }
      this.enter("live", () => this.options.events.welcome(message));
      if (this.state === "live") this.beat();
      return;
    }
    if ("seq" in message) this.seq = Math.max(this.seq, message.seq);
    this.options.events.message(message);
  }

  private receiveMasks(bytes: Uint8Array): void {
    let masks: PackedMask[];
    try {
      masks = readContainer(bytes);
    } catch (problem) {
      if (!(problem instanceof MaskError)) throw problem;
      this.cut(); // Later data cannot be trusted. The next connection requests it again.
      return;
    }
    if (isPreview(bytes)) {
      this.options.events.preview(masks);
      return;
    }
    for (const mask of masks) this.maskSeq = Math.max(this.maskSeq, mask.seq);
    this.options.events.masks(masks);
  }

  private ended(code: number): void {
    this.drop();
    const text = CLOSE_CODES[code];
    const final = FINAL.has(code);
    if (text) this.options.events.closed(code, text, final);
    if (final) this.enter("closed");
    else this.wait();
  }

  private wait(): void {
    this.enter("lost");
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), delay(this.attempt++));
  }

  /** Closes the connection and detaches its event handlers. */
  private drop(): void {
    clearInterval(this.heartbeat);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * Pings regularly. If no answer arrives, the connection is treated as lost, because a pulled cable closes no
   * socket.
   */
  private beat(): void {
    clearInterval(this.heartbeat);
    this.heartbeat = setInterval(() => {
      const asked = performance.now();
      if (!this.send({ type: "ping" })) return;
      setTimeout(() => {
        if (this.state === "live" && this.lastHeard < asked) this.cut();
      }, PONG_WITHIN);
    }, PING_EVERY);
  }

  private enter(state: Connection, first?: () => void): void {
    this.state = state;
    first?.();
    if (this.state !== state) return; // `first` has changed the state.
    this.options.events.state(state);
  }
}
