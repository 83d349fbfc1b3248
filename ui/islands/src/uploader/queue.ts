import { folderOf, type Picked } from "./collect";
import { tooLargeWords, type Ended, type Group, type Halt, type Item, type OpenTransfer, type Transfer } from "./items";
import { plural, t } from "../shared/words";

export interface QueueOptions {
  open: OpenTransfer;
  /** Something visible changed. */
  onChange: () => void;
  /** Nothing is waiting or moving any more, and at least one file was stored since the last time. */
  onSettled: (stored: number) => void;
  onBytes?: (bytes: number) => void;
  maxBytes: number;
  parallel?: number;
  /** ms to wait after the n-th failure in a row. */
  backoff?: (failures: number) => number;
}

const MAX_FAULTS = 3;
/** How long a storage that is full or away is left alone before one file asks again. */
const STORAGE_AGAIN_MS = 30_000;

/** The order of files, three at a time, with everything that may interrupt them. Knows neither tus nor the page. */
export class UploadQueue {
  readonly groups: Group[] = [];
  halt: Halt = null;
  private nextId = 1;
  private stored = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly options: QueueOptions) {}

  get items(): Item[] {
    return this.groups.flatMap((group) => group.items);
  }

  /** Whether files are still to be sent. */
  get busy(): boolean {
    return this.items.some((item) => item.state === "waiting" || item.state === "sending");
  }

  /** Queues what a person picked; a folder is one row, loose files of one choice are one row. */
  add(picked: Picked[]): void {
    const rows = new Map<string, Group>();
    const underWay = this.busy ? ["waiting", "sending", "done"] : ["waiting", "sending"];
    const known = this.items.filter((item) => underWay.includes(item.state));
    const fresh = picked.filter((one) => !known.some((item) => sameFile(item.picked, one)));
    for (const one of fresh) {
      const folder = folderOf(one.path);
      let group = rows.get(folder);
      if (!group) {
        group = this.openRow(folder, fresh);
        rows.set(folder, group);
      }
      const item: Item = {
        id: this.nextId++,
        picked: one,
        group,
        state: "waiting",
        sent: 0,
        error: null,
        faults: 0,
        tooLarge: false,
        elsewhere: false,
        wasThere: false,
        transfer: null,
      };
      const refusal = this.refusal(one.file);
      if (refusal) Object.assign(item, { state: "failed", error: refusal });
      group.items.push(item);
    }
    this.options.onChange();
    this.pump();
  }

  /** Stops all transfers until `resume`. */
  async pause(why: Exclude<Halt, null> = "paused"): Promise<void> {
    this.halt = why;
    const running = this.items.filter((item) => item.state === "sending");
    for (const item of running) item.state = "waiting";
    this.options.onChange();
    await Promise.all(running.map((item) => this.release(item)?.stop()));
  }

  resume(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.halt = null;
    this.options.onChange();
    this.pump();
  }

  /** The line is back: what stopped because of it goes on at once; a person's pause stays. */
  online(): void {
    this.failures = 0;
    if (this.halt === "offline" || this.halt === "no-answer") this.resume();
  }

  /** The line is gone: nothing is tried until it is back. */
  offline(): void {
    if (this.halt === null || this.halt === "no-answer" || this.waitsForStorage) void this.pause("offline");
  }

  /** Takes back what is not stored yet; the server forgets what it had of it. Stored files stay. */
  async cancel(group: Group): Promise<void> {
    const open = group.items.filter((item) => item.state === "waiting" || item.state === "sending");
    for (const item of open) item.state = "cancelled";
    this.options.onChange();
    await Promise.all(open.map((item) => this.release(item)?.terminate()));
    this.pump();
  }

  /** Whether a row has a failed file that could end better the next time: an empty one stays empty. */
  canRetry(group: Group): boolean {
    return group.items.some((item) => this.isRetryable(item));
  }

  /** Tries the failed files of a row once more. */
  retry(group: Group): void {
    for (const item of group.items) {
      if (this.isRetryable(item)) {
        Object.assign(item, { state: "waiting", error: null, faults: 0, sent: 0 });
      }
    }
    this.options.onChange();
    this.pump();
  }

  /** Drops a row in which nothing moves any more. */
  dismiss(group: Group): void {
    const at = this.groups.indexOf(group);
    if (at >= 0 && !group.items.some((item) => item.state === "waiting" || item.state === "sending")) {
      this.groups.splice(at, 1);
      this.options.onChange();
    }
  }

  /** Takes stored files out of the rows: the page lists them by now. What failed stays to be seen. */
  forgetStored(): void {
    for (const group of [...this.groups]) {
      const left = group.items.filter((item) => item.state !== "done");
      if (left.length === group.items.length) continue;
      group.items.splice(0, group.items.length, ...left);
      if (left.length === 0) this.groups.splice(this.groups.indexOf(group), 1);
    }
    this.options.onChange();
  }

  private openRow(folder: string, picked: Picked[]): Group {
    const loose = picked.filter(({ path }) => folderOf(path) === "");
    const same = this.groups.find((group) =>
      folder ? group.folder === folder : group.items.every((item) => loose.some((one) => sameFile(item.picked, one))),
    );
    if (same && folder && this.busy) return same;
    // What was queued under it has ended: the same once more is a new matter, and takes the old one's row.
    if (same) this.groups.splice(this.groups.indexOf(same), 1);
    const [only] = loose;
    const label =
      folder || (loose.length === 1 && only ? only.file.name : plural(loose.length, "{n} single file", "{n} single files"));
    const group: Group = { id: this.nextId++, folder, label, items: [] };
    this.groups.push(group);
    return group;
  }

  private isRetryable(item: Item): boolean {
    return item.state === "failed" && !item.tooLarge && !this.refusal(item.picked.file);
  }

  private refusal(file: File): string | null {
    if (file.size === 0) return t("This file is empty. Please export it again and upload the new one.");
    if (file.size > this.options.maxBytes) {
      return tooLargeWords(this.options.maxBytes);
    }
    return null;
  }

  private release(item: Item): Transfer | null {
    const transfer = item.transfer;
    item.transfer = null;
    return transfer;
  }

  private get waitsForStorage(): boolean {
    return this.halt === "storage-full" || this.halt === "storage-away";
  }

  private pump(): void {
    if (this.waitsForStorage) this.askStorageLater();
    if (this.halt === null) {
      let free = (this.options.parallel ?? 3) - this.items.filter((item) => item.state === "sending").length;
      for (const item of this.items) {
        if (free <= 0) break;
        if (item.state !== "waiting") continue;
        this.start(item);
        free -= 1;
      }
    }
    if (!this.busy && this.stored > 0) {
      const stored = this.stored;
      this.stored = 0;
      this.options.onSettled(stored);
    }
  }

  private start(item: Item): void {
    item.state = "sending";
    const transfer: Transfer = this.options.open(
      item,
      (bytes, known = false) => {
        if (item.transfer !== transfer) return;
        const fresh = bytes - item.sent;
        item.sent = bytes;
        if (fresh > 0 && !known) this.options.onBytes?.(fresh);
        this.options.onChange();
      },
      (ended) => {
        if (item.transfer !== transfer) return;
        item.transfer = null;
        this.end(item, ended);
      },
    );
    item.transfer = transfer;
  }

  private end(item: Item, ended: Ended): void {
    switch (ended.kind) {
      case "done":
        this.failures = 0;
        this.stored += 1;
        item.state = "done";
        item.wasThere = ended.wasThere ?? false;
        item.sent = item.picked.file.size;
        break;
      case "refused":
        Object.assign(item, { state: "failed", error: ended.problem.detail, tooLarge: ended.problem.status === 413 });
        break;
      case "signed-out":
        item.state = "waiting";
        void this.pause("signed-out");
        return;
      case "storage":
        item.state = "waiting";
        void this.pause(ended.isFull ? "storage-full" : "storage-away");
        this.askStorageLater();
        return;
      case "lost":
        if (ended.status >= 500 && ++item.faults >= MAX_FAULTS) {
          Object.assign(item, { state: "failed", error: t("The server could not store this file. Try it again later.") });
          break;
        }
        item.state = "waiting";
        if (this.waitsForStorage) this.askStorageLater();
        else this.waitForServer();
        return;
    }
    // The one that asked was answered: the storage is there again.
    if (this.waitsForStorage) this.halt = null;
    this.options.onChange();
    this.pump();
  }

  /** The smallest file asks whether the storage takes bytes again; the others, and the sentence in the page, wait for it. */
  private askStorageLater(): void {
    if (this.timer || this.items.some((item) => item.state === "sending")) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (!this.waitsForStorage) return;
      const waiting = this.items.filter((item) => item.state === "waiting");
      const [least] = waiting.sort((a, b) => a.picked.file.size - b.picked.file.size);
      if (least) this.start(least);
    }, STORAGE_AGAIN_MS);
  }

  private waitForServer(): void {
    if (this.halt !== null) return;
    const wait = (this.options.backoff ?? defaultBackoff)(this.failures++);
    void this.pause("no-answer");
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.halt === "no-answer") this.resume();
    }, wait);
  }
}

function defaultBackoff(failures: number): number {
  return Math.min(30_000, 2000 * 2 ** failures);
}

function sameFile(a: Picked, b: Picked): boolean {
  return a.path === b.path && a.file.size === b.file.size && a.file.lastModified === b.file.lastModified;
}
