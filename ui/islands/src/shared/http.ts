import { N_, t } from "./words";

/** The server's `application/problem+json`, as far as a person is told about it. */
export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string;
}

/** A refused or failed request. `message` is one sentence for the person. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed";
  constructor(
    readonly problem: Problem,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(problem.detail);
  }

  get status(): number {
    return this.problem.status;
  }

  /** No answer at all: offline, or the server is restarting. */
  get noAnswer(): boolean {
    return this.problem.status === 0;
  }
}

const SENTENCES: Record<number, string> = {
  0: N_("There is no connection to the server."),
  401: N_("Your session has ended. Sign in again to go on."),
  403: N_("You do not have access to this."),
  404: N_("This was not found. It may have been removed."),
  410: N_("This is no longer available."),
  412: N_("This was changed in another window."),
  413: N_("This is larger than the server accepts."),
  429: N_("The server asks to slow down. Please wait a moment."),
  502: N_("The server is restarting. Please wait a moment."),
  503: N_("The server is busy. Please wait a moment."),
  504: N_("The server took too long to answer."),
};

/** Reads a problem document; falls back to a sentence of ours where the body is no problem document. */
export function problemFrom(status: number, body: string): Problem {
  let parsed: Partial<Problem> = {};
  try {
    const value: unknown = JSON.parse(body);
    if (value && typeof value === "object") parsed = value as Partial<Problem>;
  } catch {
    // An error page of a proxy, or nothing at all.
  }
  const text = (value: unknown): string => (typeof value === "string" ? value.trim() : "");
  const fallback = t(SENTENCES[status] ?? N_("The server could not do this. Please try again."));
  return {
    status,
    code: text(parsed.code),
    title: text(parsed.title),
    detail: text(parsed.detail) || text(parsed.title) || fallback,
  };
}

/** Whether the answer is the sign-in page: a page of ours sends someone there whose session has ended. */
export function sentToSignIn(response: Response): boolean {
  return response.redirected && new URL(response.url).pathname === "/sign-in";
}

/** `fetch` on our own origin with cookies; anything but a success is thrown as `RequestFailed`. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new RequestFailed(problemFrom(0, ""));
  }
  if (response.ok) return response;
  const wait = Number(response.headers.get("Retry-After"));
  throw new RequestFailed(problemFrom(response.status, await response.text()), wait > 0 ? wait : null);
}

/** GET of JSON. */
export async function getJson<T>(url: string, accept = "application/json", signal?: AbortSignal): Promise<T> {
  const response = await request(url, { headers: { Accept: accept }, ...(signal ? { signal } : {}) });
  return (await response.json()) as T;
}

/** A JSON request that changes something. That it comes from our own page, the server sees by its origin. */
export function sendJson(
  method: "POST" | "PUT" | "DELETE",
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  keepalive = false,
): Promise<Response> {
  return request(url, {
    method,
    keepalive,
    headers: { Accept: "application/json", "Content-Type": "application/json", ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

/** The one sentence of an error, whatever was thrown. */
export function sentence(error: unknown): string {
  if (error instanceof RequestFailed) return error.message;
  return t("Something went wrong in this page. Reload it and try again.");
}
