import { RequestFailed, request, sendJson } from "../shared/http";
import { clockTime, t } from "../shared/words";
import { merge, same, type SavedAnnotation } from "./merge";

/** What the server keeps for a case's images. */
interface Document {
  annotations: SavedAnnotation[];
  viewer_state: Record<string, unknown>;
}

/** `conflict` stays in sight until the person has read it; the others are a line that changes. */
export type SaveState = "saved" | "saving" | "unsaved" | "failed" | "conflict";

export interface StoreHooks {
  /** The present annotations and view. */
  collect: () => Document;
  /** Another window's annotations were merged into ours: draw these. */
  adopt: (annotations: SavedAnnotation[]) => void;
  say: (state: SaveState, words: string) => void;
}

const MARK_DELAY = 800;
const VIEW_DELAY = 4000;
const LONGEST_WAIT = 30_000;
/** A refusal that stays after this many merges is no race with another window, but the server's last word. */
const MOST_MERGES = 3;

/** Keeps annotations and view on the server: `PUT` with `If-Match`, saved as the person goes, merged when refused. */
export class AnnotationStore {
  private etag: string | null = null;
  private base: Document = { annotations: [], viewer_state: {} };
  private timer: ReturnType<typeof setTimeout> | null = null;
  private due = 0;
  private running = false;
  private failures = 0;
  private merges = 0;
  /** The server does not take this person's view; marks are still tried, because someone made them on purpose. */
  private viewRefused = false;

  constructor(
    private readonly url: string,
    private readonly hooks: StoreHooks,
  ) {
    addEventListener("online", () => this.soon(0));
    addEventListener("pagehide", () => this.lastChance());
    addEventListener("beforeunload", (event) => {
      if (!same(this.base.annotations, this.hooks.collect().annotations)) event.preventDefault();
    });
  }

  /** Reads what is kept; nothing kept yet is an empty document. */
  async load(): Promise<Document> {
    const { document, etag } = await fetchDocument(this.url);
    this.base = document;
    this.etag = etag;
    return document;
  }

  /** A mark changed: saved within a second. */
  marksChanged(): void {
    if (same(this.base.annotations, this.hooks.collect().annotations)) return;
    this.hooks.say("unsaved", t("Not saved yet"));
    this.soon(MARK_DELAY);
  }

  /** Scrolling and windowing are remembered too, but in no hurry and without a word. */
  viewChanged(): void {
    if (!this.timer && !this.viewRefused) this.soon(VIEW_DELAY);
  }

  private soon(delay: number): void {
    const at = Date.now() + delay;
    if (this.timer && this.due <= at) return;
    if (this.timer) clearTimeout(this.timer);
    this.due = at;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.save();
    }, delay);
  }

  private async save(): Promise<void> {
    if (this.running) return;
    const mine = this.hooks.collect();
    if (same(mine, this.base)) return;
    const marks = !same(mine.annotations, this.base.annotations);
    this.running = true;
    if (marks) this.hooks.say("saving", t("Saving"));
    try {
      const response = await this.put(mine);
      this.etag = response.headers.get("ETag") ?? this.etag;
      this.base = mine;
      this.failures = 0;
      this.merges = 0;
      if (marks) this.hooks.say("saved", t("Measurements saved {time}", { time: clockTime(new Date()) }));
    } catch (error) {
      await this.refused(error, mine, marks);
    } finally {
      this.running = false;
    }
    if (this.failures === 0 && !same(this.hooks.collect(), this.base)) this.soon(MARK_DELAY);
  }

  private put(document: Document, keepalive = false): Promise<Response> {
    const condition: Record<string, string> = this.etag ? { "If-Match": this.etag } : { "If-None-Match": "*" };
    return sendJson("PUT", this.url, document, condition, keepalive);
  }

  private async refused(error: unknown, mine: Document, marks: boolean): Promise<void> {
    const status = error instanceof RequestFailed ? error.status : -1;
    if ((status === 409 || status === 412) && this.merges++ < MOST_MERGES) {
      try {
        await this.mergeTheirs(mine);
        return;
      } catch (again) {
        error = again;
      }
    }
    this.failures += 1;
    if (!(error instanceof RequestFailed)) throw error;
    const passing = error.noAnswer || error.status === 401 || error.status === 429 || error.status >= 500;
    if (passing) this.soon(Math.min(LONGEST_WAIT, 2000 * 2 ** this.failures));
    else if (!marks) this.viewRefused = true;
    if (marks) {
      const words = passing
        ? t("Not saved: {reason} It is kept in this window and tried again.", { reason: error.message })
        : t("Not saved: {reason}", { reason: error.message });
      this.hooks.say("failed", words);
    }
  }

  /** Someone saved in between: take theirs, keep ours, say so, and save the union at once. */
  private async mergeTheirs(mine: Document): Promise<void> {
    const { document, etag } = await fetchDocument(this.url);
    const merged = merge(this.base.annotations, mine.annotations, document.annotations);
    this.base = document;
    this.etag = etag;
    if (!same(merged.annotations, mine.annotations)) this.hooks.adopt(merged.annotations);
    if (merged.theirs > 0 || merged.bothChanged > 0) {
      const words =
        merged.bothChanged > 0
          ? t("Measurements were also changed in another window. Both are kept; where both changed the same one, yours is shown.")
          : t("Measurements were also changed in another window. Theirs were added to yours.");
      this.hooks.say("conflict", words);
    }
    this.soon(0);
  }

  private lastChance(): void {
    const mine = this.hooks.collect();
    if (!this.running && !same(mine, this.base)) void this.put(mine, true).catch(() => undefined);
  }
}

async function fetchDocument(url: string): Promise<{ document: Document; etag: string | null }> {
  try {
    const response = await request(url, { cache: "no-store", headers: { Accept: "application/json" } });
    const body = (await response.json()) as Partial<Document>;
    return {
      document: { annotations: body.annotations ?? [], viewer_state: body.viewer_state ?? {} },
      etag: response.headers.get("ETag"),
    };
  } catch (error) {
    if (error instanceof RequestFailed && error.status === 404) {
      return { document: { annotations: [], viewer_state: {} }, etag: null };
    }
    throw error;
  }
}
