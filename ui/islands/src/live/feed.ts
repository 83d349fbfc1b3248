import { sentToSignIn } from "../shared/http";
import { later, Recent } from "./recent";
import { StreamParser, type StreamEvent } from "./sse";

export type FeedState = "live" | "reconnecting" | "signed-out";

/**
 * What tabs of one browser tell each other. A tab `asks` for what came after its page was rendered: when it opens, and
 * when another tab begins to `lead`. The answer's events are null where the leading tab does not know them all.
 */
type Word =
  | { kind: "event"; event: StreamEvent }
  | { kind: "state"; state: FeedState }
  | { kind: "lead" }
  | { kind: "ask"; tab: string; since: string }
  | { kind: "answer"; tab: string; events: StreamEvent[] | null; state: FeedState };

const LOCK = "odontoflow-live";
/** Without a byte for this long, heartbeats included, the connection is taken for dead. */
const SILENCE_MS = 75_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const RESET: StreamEvent = { id: "", type: "reset", data: "{}" };

/**
 * The event feed, read with `fetch` and not with `EventSource`: that one gives no status (an ended session looks like a
 * lost line) and stops for good on an error answer. One tab holds the connection for all, since a browser opens at most
 * six to one HTTP/1.1 host: the seventh tab would not load. When that tab closes, another goes on after the last id it heard.
 */
export class Feed {
  private lastId: string;
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(LOCK);
  private readonly tab = Array.from(crypto.getRandomValues(new Uint32Array(2))).join("-");
  private wake: (() => void) | null = null;
  private state: FeedState = "reconnecting";
  /** Only while this tab holds the connection. */
  private recent: Recent | null = null;

  constructor(
    private readonly url: string,
    since: string,
    private readonly onEvent: (event: StreamEvent) => void,
    private readonly onState: (state: FeedState) => void,
  ) {
    this.lastId = since;
  }

  /** Whether a reconnect can ask for what came after the last event heard. */
  get hasPlace(): boolean {
    return this.lastId !== "";
  }

  start(): void {
    this.channel?.addEventListener("message", ({ data }: MessageEvent<Word>) => this.listen(data));
    this.ask();
    const wake = (): void => this.wake?.();
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    if (navigator.locks) void navigator.locks.request(LOCK, () => this.run());
    else void this.run();
  }

  private listen(word: Word): void {
    if (word.kind === "event") this.hear(word.event);
    else if (word.kind === "state") this.onState(word.state);
    else if (word.kind === "lead") this.ask();
    else if (word.kind === "ask" && this.recent) {
      this.post({ kind: "answer", tab: word.tab, events: this.recent.after(word.since), state: this.state });
    } else if (word.kind === "answer" && word.tab === this.tab) {
      for (const event of word.events ?? [RESET]) this.hear(event);
      this.onState(word.state);
    }
  }

  /** Without a place there is nothing to ask for: the page does not say when it was rendered. */
  private ask(): void {
    if (this.hasPlace) this.post({ kind: "ask", tab: this.tab, since: this.lastId });
  }

  private post(word: Word): void {
    this.channel?.postMessage(word);
  }

  private hear(event: StreamEvent): void {
    if (event.id) this.lastId = later(this.lastId, event.id);
    this.onEvent(event);
  }

  private tell(state: FeedState): void {
    this.state = state;
    this.onState(state);
    this.post({ kind: "state", state });
  }

  /** Connects again and again; returns only with the page. */
  private async run(): Promise<never> {
    this.recent = new Recent(this.lastId);
    this.post({ kind: "lead" });
    let failures = 0;
    for (;;) {
      let wait: number;
      try {
        const retryMs = await this.connect();
        failures = 0;
        wait = retryMs ?? FIRST_WAIT_MS;
        this.tell("reconnecting");
      } catch (error) {
        if (error instanceof SessionEnded) {
          this.tell("signed-out");
          wait = 10 * LONGEST_WAIT_MS;
        } else {
          this.tell("reconnecting");
          wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++);
        }
      }
      // Spread out, so that a restarted server does not meet all browsers in one instant.
      await this.pause(wait * (0.75 + Math.random() / 2));
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const self = this;
      function done(): void {
        clearTimeout(timer);
        self.wake = null;
        resolve();
      }
      this.wake = done;
    });
  }

  private async connect(): Promise<number | null> {
    const stop = new AbortController();
    let watchdog = setTimeout(() => stop.abort(), SILENCE_MS);
    try {
      const response = await fetch(this.url, {
        credentials: "same-origin",
        cache: "no-store",
        signal: stop.signal,
        headers: { Accept: "text/event-stream", ...(this.lastId ? { "Last-Event-ID": this.lastId } : {}) },
      });
      if (response.status === 401 || sentToSignIn(response)) throw new SessionEnded();
      if (!response.ok || !response.body) throw new Error(`feed answered ${response.status}`);
      this.tell("live");
      const parser = new StreamParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return parser.retryMs;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => stop.abort(), SILENCE_MS);
        for (const event of parser.push(value)) {
          this.hear(event);
          this.recent?.add(event);
          this.post({ kind: "event", event });
        }
      }
    } finally {
      clearTimeout(watchdog);
    }
  }
}

class SessionEnded extends Error {}
