import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AnnotationStore, type SaveState } from "./annotation_store";
import type { SavedAnnotation } from "./merge";

const CLOSED = new Response(JSON.stringify({ code: "report_signed", detail: "The report is signed. Measurements are closed." }), {
  status: 409,
});
const kept = (annotations: SavedAnnotation[], etag: string): Response =>
  new Response(JSON.stringify({ annotations, viewer_state: {} }), { headers: { ETag: etag } });

let mine: SavedAnnotation[] = [];
let view: Record<string, unknown> = {};
const said: [SaveState, string][] = [];
const requests: { method: string; match: string | null }[] = [];
let answer: (method: string) => Response;

function store(): AnnotationStore {
  return new AnnotationStore("/annotations", {
    collect: () => ({ annotations: mine, viewer_state: view }),
    adopt: (annotations) => (mine = annotations),
    say: (state, words) => said.push([state, words]),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("fetch", async (_url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    requests.push({ method: init.method ?? "GET", match: headers.get("If-Match") ?? headers.get("If-None-Match") });
    return answer(init.method ?? "GET").clone();
  });
  [mine, view] = [[], {}];
  said.length = requests.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("saves are conditional on the version that was read, and on none where there is none", async () => {
  answer = (method) => (method === "GET" ? new Response("{}", { status: 404 }) : new Response("{}", { headers: { ETag: '"1"' } }));
  const saved = store();
  await saved.load();
  for (const uid of ["a", "b"]) {
    mine = [...mine, { annotationUID: uid }];
    saved.marksChanged();
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(requests.filter(({ method }) => method === "PUT").map(({ match }) => match)).toEqual(["*", '"1"']);
  expect(said.at(-1)?.[0]).toBe("saved");
});

test("a refusal that is not a race ends in the server's sentence, not in a loop", async () => {
  answer = (method) => (method === "GET" ? kept([], '"1"') : CLOSED);
  const saved = store();
  await saved.load();
  mine = [{ annotationUID: "a" }];
  saved.marksChanged();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(requests.filter(({ method }) => method === "PUT").length).toBeLessThanOrEqual(4);
  expect(said.at(-1)).toEqual(["failed", "Not saved: The report is signed. Measurements are closed."]);
});

test("someone who may not save a view is not troubled and the server is asked no more", async () => {
  answer = (method) => (method === "GET" ? kept([], '"1"') : new Response("{}", { status: 403 }));
  const saved = store();
  await saved.load();
  for (let scroll = 0; scroll < 5; scroll += 1) {
    view = { scroll };
    saved.viewChanged();
    await vi.advanceTimersByTimeAsync(10_000);
  }
  expect(requests.filter(({ method }) => method === "PUT")).toHaveLength(1);
  expect(said).toEqual([]);
});

test("when the server is away, saving goes on by itself", async () => {
  let away = true;
  answer = (method) => (method === "GET" ? kept([], '"1"') : new Response("{}", { status: away ? 503 : 200 }));
  const saved = store();
  await saved.load();
  mine = [{ annotationUID: "a" }];
  saved.marksChanged();
  await vi.advanceTimersByTimeAsync(3000);
  expect(said.at(-1)?.[1]).toContain("kept in this window and tried again");
  away = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said.at(-1)?.[0]).toBe("saved");
});
