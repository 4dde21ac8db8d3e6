/** For tests: answers REST calls from a table, and records them. */
import { vi } from "vitest";

export type Answer = unknown | ((asked: Asked) => unknown);

export interface Asked {
  method: string;
  path: string;
  body: unknown;
  headers: Headers;
}

/** An answer with which the server refuses. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
  ) {}
}

/** An answer as if no server could be reached. */
export const UNREACHABLE = Symbol("unreachable");

/** A socket that never connects by itself. Tests say what the server tells on it. */
export class FakeSocket {
  static readonly OPEN = 1;
  /** The socket that was opened last. */
  static last: FakeSocket | null = null;
  readyState = 0;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.last = this;
  }

  tell(message: object): void {
    this.readyState = FakeSocket.OPEN;
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  close(): void {}
}

export class FakeServer {
  readonly asked: Asked[] = [];

  constructor(readonly answers: Record<string, Answer> = {}) {
    vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => this.answer(path, init));
    vi.stubGlobal("WebSocket", FakeSocket);
  }

  /** The calls, as "METHOD path". */
  get lines(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`);
  }

  /** Returns the body of the newest call of a line. */
  body(line: string): unknown {
    return this.asked.findLast(({ method, path }) => `${method} ${path}` === line)?.body;
  }

  private async answer(path: string, init: RequestInit): Promise<Response> {
    init.signal?.throwIfAborted();
    const method = init.method ?? "GET";
    const body = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
    const asked: Asked = { method, path, body, headers: new Headers(init.headers) };
    this.asked.push(asked);
    const given = this.answers[`${method} ${path}`];
    const answer = await (typeof given === "function" ? given(asked) : given);
    init.signal?.throwIfAborted();
    if (answer === UNREACHABLE) throw new TypeError("Failed to fetch");
    if (answer instanceof Refusal) return json(answer.body, answer.status);
    if (answer === undefined) return json({ code: "not_found", text: `No ${method} ${path}` }, 404);
    return answer === null ? new Response(null, { status: 204 }) : json(answer, 200);
  }
}

function json(body: unknown, status: number): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}
