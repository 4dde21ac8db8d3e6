/**
 * How the page calls the server. Paths, parameters, bodies and answers have the types of the OpenAPI schema, every call
 * carries the CSRF header, and a refusal is the server's own sentence.
 */
import type { paths } from "./schema";

/** Dispatched on the window when a call is refused because nobody is signed in. */
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

type Path = keyof paths;
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Operation<P extends Path, M extends Method> = paths[P][Lowercase<M>];

/** The paths that know the method `M`. */
type PathOf<M extends Method> = {
  [P in Path]: Operation<P, M> extends { responses: unknown } ? P : never;
}[Path];

/** The parameters in the path `P`, in any of its methods. */
type PathParameters<P extends Path> = {
  [M in Method]: Operation<P, M> extends { parameters: { path: infer Parameters } } ? Parameters : never;
}[Method];

type PathInput<O> = O extends { parameters: { path: infer Parameters } } ? { path: Parameters } : unknown;
/** The parameters behind the question mark, all of which may be left out. */
type QueryInput<O> = O extends { parameters: { query?: infer Query } }
  ? [NonNullable<Query>] extends [never]
    ? unknown
    : { query?: Query }
  : unknown;
type BodyInput<O> = O extends { requestBody: { content: { "application/json": infer Body } } }
  ? { body: Body }
  : unknown;
/** What an operation has to be given: its path parameters, its query and its body. */
type Input<O> = PathInput<O> & QueryInput<O> & BodyInput<O>;
type Arguments<I> = unknown extends I ? [] : Record<string, never> extends I ? [I?] : [I];

type JsonOf<R> = R extends { content: { "application/json": infer Body } } ? Body : undefined;
/** What an operation answers when it succeeds; undefined where it answers nothing. */
type Output<O> = O extends { responses: infer R } ? JsonOf<R[keyof R & (200 | 201 | 204)]> : never;

/** The address of a path of the schema: `/api/videos/{video_id}` with its parameters filled in. */
export function urlOf<P extends Path>(path: P, parameters: PathParameters<P>): string {
  const values = parameters as Record<string, string | number>;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

/**
 * Calls an operation of the schema. Raises HttpProblem, with status 0 and code "offline" when there is no connection.
 */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  ...[input]: Arguments<Input<Operation<P, M>>>
): Promise<Output<Operation<P, M>>> {
  const given: { path?: unknown; query?: unknown; body?: unknown } = input ?? {};
  const init: RequestInit = { method };
  if (given.body !== undefined) {
    init.body = JSON.stringify(given.body);
    init.headers = { "Content-Type": "application/json" };
  }
  const address = urlOf(path, given.path as PathParameters<P>) + queryOf(given.query);
  const response = await request(address, init);
  return (response.status === 204 ? undefined : await response.json()) as Output<Operation<P, M>>;
}

type RowOf<O> = O extends readonly (infer Row)[] ? Row : never;

/** Calls an operation that answers a list in pages, until the last page, and returns all rows. */
export async function callAll<P extends PathOf<"GET">>(
  path: P,
  ...[input]: Arguments<Input<Operation<P, "GET">>>
): Promise<RowOf<Output<Operation<P, "GET">>>[]> {
  const rows: RowOf<Output<Operation<P, "GET">>>[] = [];
  for await (const page of callPages(path, input ?? {})) rows.push(...page);
  return rows;
}

/** As `callAll`, but yields each page, and asks for the next one only when that is wanted. */
export async function* callPages<P extends PathOf<"GET">>(
  path: P,
  given: { path?: unknown; query?: unknown },
): AsyncGenerator<RowOf<Output<Operation<P, "GET">>>[], void, undefined> {
  const address = urlOf(path, given.path as PathParameters<P>);
  let query: string | undefined = queryOf(given.query);
  while (query !== undefined) {
    const response: Response = await request(address + query);
    yield await response.json();
    query = /^<([^>]*)>; rel="next"$/.exec(response.headers.get("Link") ?? "")?.[1];
  }
}

/** Writes parameters as they stand behind an address. Those that are null, undefined or empty are left out. */
export function queryOf(parameters: unknown): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {}))
    if (value !== null && value !== undefined && value !== "") written.set(name, String(value));
  const text = written.toString();
  return text && `?${text}`;
}

/** Fetches any address of the server, for answers that are not JSON. Raises HttpProblem as `call` does. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (init.method && init.method !== "GET") headers.set("X-CSRFToken", csrfToken());
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers, credentials: "same-origin" });
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

function csrfToken(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}
