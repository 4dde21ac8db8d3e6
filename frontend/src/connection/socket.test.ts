import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { state } from "../editor/testing";
import { packedMask } from "../masks/testing";
import { PROTOCOL_VERSION, type Welcome } from "../protocol";
import type { Connection } from "../state/store";
import { delay } from "./backoff";
import { Socket } from "./socket";

/** Stands in for the browser's WebSocket; the test is the server. */
class FakeSocket {
  readyState: number = WebSocket.CONNECTING;
  binaryType = "";
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  accept(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }
  say(message: unknown): void {
    this.onmessage?.({ data: message instanceof ArrayBuffer ? message : JSON.stringify(message) });
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(code = 1006): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code });
  }
}

let made: FakeSocket[];
let states: Connection[];
let heard: string[];
let socket: Socket;
const latest = (): FakeSocket => made.at(-1) as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  [made, states, heard] = [[], [], []];
  socket = new Socket({
    url: "ws://test",
    open: () => {
      made.push(new FakeSocket());
      return latest() as unknown as WebSocket;
    },
    events: {
      state: (now) => states.push(now),
      welcome: () => heard.push("welcome"),
      message: (message) => heard.push(message.type),
      masks: (masks) => heard.push(`masks ${masks.map(({ seq }) => seq)}`),
      preview: (masks) => heard.push(`preview of frame ${masks.map(({ frame }) => frame)}`),
      closed: (code, text, final) => heard.push(`closed ${code} ${final}: ${text}`),
    },
  });
  socket.start();
});

afterEach(() => {
  socket.stop();
  vi.useRealTimers();
});

function welcome(given: Partial<Welcome> = {}): Welcome {
  const worker = { alive: true, device: "cpu", text: "" };
  return {
    type: "welcome",
    version: PROTOCOL_VERSION,
    you: { id: 1, name: "Ann" },
    role: "owner",
    state: null,
    worker,
    ...given,
  };
}

function live(): void {
  latest().accept();
  latest().say(welcome({ state: state({ seq: 40, mask_seq: 7 }) }));
}

function container(seq: number): ArrayBuffer {
  const { data } = packedMask({ round: 1, frame: 0 });
  return new Uint8Array([1, 1, seq, 1, 0, 0, data.length, ...data]).buffer;
}

describe("the socket", () => {
  it("begins with resume and is live with the welcome", () => {
    latest().accept();
    expect(latest().sent).toEqual([{ type: "resume", version: PROTOCOL_VERSION, seq: 0, mask_seq: 0 }]);
    expect(states).toEqual(["connecting"]);
    latest().say(welcome());
    expect(states).toEqual(["connecting", "live"]);
    expect(heard).toEqual(["welcome"]);
  });

  it("is not live, and sends nothing, when the welcome made the page leave", () => {
    const stop = vi.spyOn(heard, "push").mockImplementation(() => {
      socket.stop();
      return 0;
    });
    live();
    stop.mockRestore();
    expect(states).toEqual(["connecting"]);
    expect(socket.send({ type: "ping" })).toBe(false);
  });

  it("sends nothing before it is live, and says so", () => {
    expect(socket.send({ type: "ping" })).toBe(false);
    live();
    expect(socket.send({ type: "looking", frame: 3 })).toBe(true);
    expect(latest().sent.at(-1)).toEqual({ type: "looking", frame: 3 });
  });

  it("resumes after a gap with the newest numbers that came in", () => {
    live();
    latest().say({ type: "head.moved", seq: 43, head: null, by: { id: 1, name: "Ann" } });
    latest().say(container(99));
    latest().close();
    expect(states.at(-1)).toBe("lost");
    vi.advanceTimersByTime(400);
    latest().accept();
    expect(made.length).toBe(2);
    expect(latest().sent[0]).toEqual({ type: "resume", version: PROTOCOL_VERSION, seq: 43, mask_seq: 99 });
  });

  it("takes the numbers of a state that replaces its own, even lower ones", () => {
    live();
    latest().close();
    vi.advanceTimersByTime(400);
    latest().accept();
    latest().say(welcome({ state: state({ seq: 12, mask_seq: 2 }) }));
    latest().close();
    vi.advanceTimersByTime(400);
    latest().accept();
    expect(latest().sent[0]).toMatchObject({ seq: 12, mask_seq: 2 });
  });

  it("waits longer after each failure, and not at all when the network is back", () => {
    for (const wait of [350, 700, 1400]) {
      latest().close();
      vi.advanceTimersByTime(wait);
    }
    expect(made.length).toBe(4);
    latest().close();
    dispatchEvent(new Event("online"));
    expect(made.length).toBe(5);
  });

  it.each([4400, 4401, 4403, 4404])("does not come back after %i", (code) => {
    live();
    latest().close(code);
    vi.advanceTimersByTime(60_000);
    expect(states.at(-1)).toBe("closed");
    expect(made.length).toBe(1);
    expect(heard.at(-1)).toMatch(new RegExp(`^closed ${code} true: \\w`));
  });

  it("stays lost while it tries again, and tries once at a time", () => {
    live();
    latest().close();
    vi.advanceTimersByTime(400);
    expect(states).toEqual(["connecting", "live", "lost"]);
    socket.now();
    expect(made.length).toBe(2);
    latest().accept();
    latest().say(welcome());
    expect(states.at(-1)).toBe("live");
  });

  it("comes back after the server's restart", () => {
    live();
    latest().close(4503);
    expect(heard.at(-1)).toMatch(/^closed 4503 false/);
    vi.advanceTimersByTime(400);
    expect(made.length).toBe(2);
  });

  it("takes silence after a ping for the end", () => {
    live();
    vi.advanceTimersByTime(15_000);
    expect(latest().sent.at(-1)).toEqual({ type: "ping" });
    vi.advanceTimersByTime(10_001);
    expect(states.at(-1)).toBe("lost");
  });

  it("stays live when the ping is answered", () => {
    live();
    for (let i = 0; i < 6; i++) {
      vi.advanceTimersByTime(15_000);
      latest().say({ type: "pong" });
    }
    expect(states.at(-1)).toBe("live");
    expect(made.length).toBe(1);
  });

  it("starts anew when masks are not to be read, so that they are sent again", () => {
    live();
    latest().say(new Uint8Array([1, 1, 5]).buffer);
    expect(states.at(-1)).toBe("lost");
    expect(heard).toEqual(["welcome"]);
  });

  it("is silent once it was stopped", () => {
    live();
    socket.stop();
    vi.advanceTimersByTime(120_000);
    expect(made.length).toBe(1);
    expect(states.at(-1)).toBe("live");
  });
});

describe("the delay before trying again", () => {
  it("doubles up to a limit, with a spread", () => {
    expect([0, 1, 2, 3, 10, 1000].map((attempt) => delay(attempt, () => 0.5))).toEqual([
      250, 500, 1000, 2000, 8000, 8000,
    ]);
    expect(delay(0, () => 0)).toBeLessThan(delay(0, () => 1));
  });
});
