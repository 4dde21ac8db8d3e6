/** One way to call /api: JSON in and out, the CSRF header, and errors as the server's own sentence. */

/** Sent to the window when a call is refused because nobody is signed in. */
export const SIGNED_OUT = "maskwright:signed-out";

export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    text: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(text);
  }
}

function csrf(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/** Raises HttpProblem: status 0 and code "offline" when the server cannot be reached. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (init.method && init.method !== "GET") headers.set("X-CSRFToken", csrf());
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new HttpProblem(0, "offline", "The server cannot be reached. Check the connection and try again.");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) dispatchEvent(new Event(SIGNED_OUT));
  const text =
    body.text ?? `The server answered ${response.status}. Try again; if it stays, look at its log.`;
  throw new HttpProblem(response.status, body.code ?? "failed", text, body);
}

export async function call<T>(
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  const response = await request(path, init);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}
