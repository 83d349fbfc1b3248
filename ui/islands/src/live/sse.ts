/** One event of a `text/event-stream` (WHATWG HTML, "Server-sent events"). */
export interface StreamEvent {
  id: string;
  type: string;
  data: string;
}

/** Reads an event stream piece by piece; a piece may end anywhere, also inside a line. */
export class StreamParser {
  /** The id of the last event that was handed out: what a reconnect asks for. */
  lastId = "";
  /** The server's wish for the wait before a reconnect, in ms. */
  retryMs: number | null = null;
  private rest = "";
  private id = "";
  private type = "";
  private data: string[] = [];

  push(text: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    // A lone "\r" at the end may be half of "\r\n": it waits for the next piece.
    const all = this.rest + text;
    const held = all.endsWith("\r") ? 1 : 0;
    const lines = all.slice(0, all.length - held).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + all.slice(all.length - held);
    for (const line of lines) {
      if (line === "") this.dispatch(events);
      else this.field(line);
    }
    return events;
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.type = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  private dispatch(events: StreamEvent[]): void {
    this.lastId = this.id;
    if (this.data.length > 0) events.push({ id: this.id, type: this.type || "message", data: this.data.join("\n") });
    this.type = "";
    this.data = [];
  }
}
