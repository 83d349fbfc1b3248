import type { StreamEvent } from "./sse";

/** The feed's ids are numbers that grow; an empty one is no place. */
function place(id: string): number {
  return id === "" ? Number.NaN : Number(id);
}

/** The later of two places of the feed. */
export function later(a: string, b: string): string {
  return place(b) > place(a) || a === "" ? b : a;
}

/** What the tab with the connection heard lately, for tabs that began to listen after it. */
export class Recent {
  private readonly events: StreamEvent[] = [];

  /** `since` is the place after which everything was heard. */
  constructor(
    private since: string,
    private readonly most = 500,
  ) {}

  add(event: StreamEvent): void {
    if (event.id === "") return;
    if (this.since === "") this.since = event.id;
    else this.events.push(event);
    const gone = this.events.splice(0, Math.max(0, this.events.length - this.most)).at(-1);
    if (gone) this.since = gone.id;
  }

  /** The events after a place; null where that is longer ago than what is remembered. */
  after(id: string): StreamEvent[] | null {
    if (!(place(id) >= place(this.since))) return null;
    return this.events.filter((event) => place(event.id) > place(id));
  }
}
