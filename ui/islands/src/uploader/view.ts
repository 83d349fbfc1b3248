import { h, setText } from "../shared/dom";
import { bytes, plural, roughly, t } from "../shared/words";
import type { Group, Halt, Item } from "./items";
import type { UploadQueue } from "./queue";

/** What the rows and the summary need besides the queue. */
export interface ViewOptions {
  queue: UploadQueue;
  signInUrl: string;
  bytesPerSecond: () => number;
}

const NAMES_SHOWN = 3;

/** Counts of one row. */
interface Tally {
  total: number;
  done: number;
  failed: number;
  open: number;
  bytes: number;
  sent: number;
  there: number;
  elsewhere: number;
}

/** What is said of files whose very content the case had already. */
export function thereWords(n: number): string {
  return plural(n, "{n} was there already and is kept once", "{n} were there already and are kept once");
}

function tally(items: Item[]): Tally {
  const sum: Tally = { total: 0, done: 0, failed: 0, open: 0, bytes: 0, sent: 0, there: 0, elsewhere: 0 };
  for (const item of items) {
    if (item.state === "cancelled") continue;
    sum.total += 1;
    sum.bytes += item.picked.file.size;
    sum.sent += Math.min(item.sent, item.picked.file.size);
    if (item.wasThere) sum.there += 1;
    if (item.elsewhere && item.state === "sending") sum.elsewhere += 1;
    if (item.state === "done") sum.done += 1;
    else if (item.state === "failed") sum.failed += 1;
    else sum.open += 1;
  }
  return sum;
}

/** Files with the same trouble share one sentence, so that 400 refused files are one line. */
export function troubles(items: Item[]): { sentence: string; names: string[] }[] {
  const bySentence = new Map<string, string[]>();
  for (const item of items) {
    if (item.state !== "failed") continue;
    const sentence = item.error ?? "";
    bySentence.set(sentence, [...(bySentence.get(sentence) ?? []), item.picked.file.name]);
  }
  return [...bySentence].map(([sentence, names]) => ({ sentence, names }));
}

function button(label: string, className: string, onclick: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: className, onclick }, label);
}

/** One folder's row; its parts are kept and updated, so that focus and screen readers stay where they are. */
class Row {
  readonly element: HTMLLIElement;
  private readonly count = h("span", { class: "upload-count" });
  private readonly fill = h("span", { class: "upload-bar-fill" });
  private readonly bar: HTMLDivElement;
  private readonly errors = h("ul", { class: "upload-errors" });
  private readonly cancel: HTMLButtonElement;
  private readonly retry: HTMLButtonElement;
  private readonly dismiss: HTMLButtonElement;
  private shownErrors = "";

  constructor(
    private readonly group: Group,
    private readonly queue: UploadQueue,
  ) {
    const label = group.label;
    this.bar = h("div", {
      class: "upload-bar",
      role: "progressbar",
      "aria-label": t("Upload of {name}", { name: label }),
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    });
    this.bar.append(this.fill);
    this.cancel = button(t("Cancel"), "button button--small button--quiet upload-action", () => void queue.cancel(group));
    this.retry = button(t("Try again"), "button button--small button--quiet upload-action", () => queue.retry(group));
    this.dismiss = button(t("Clear"), "button button--small button--quiet upload-action", () => queue.dismiss(group));
    this.element = h(
      "li",
      { class: "upload-row", "data-label": label },
      h("div", { class: "upload-head" }, h("strong", { class: "upload-name" }, label), this.count),
      this.bar,
      h("div", { class: "upload-actions" }, this.cancel, this.retry, this.dismiss),
      this.errors,
    );
    for (const action of [this.cancel, this.retry, this.dismiss]) {
      action.setAttribute("aria-label", `${action.textContent}: ${label}`);
    }
  }

  update(): void {
    const sum = tally(this.group.items);
    const percent = sum.bytes > 0 ? Math.floor((100 * sum.sent) / sum.bytes) : sum.open === 0 ? 100 : 0;
    const state = sum.open > 0 ? "open" : sum.failed > 0 ? "failed" : sum.total === 0 ? "cancelled" : "done";
    this.element.dataset.state = state;
    this.bar.setAttribute("aria-valuenow", String(percent));
    this.fill.style.width = `${percent}%`;
    this.bar.hidden = state === "cancelled";
    setText(this.count, this.words(sum, state));
    this.cancel.hidden = sum.open === 0;
    this.retry.hidden = !this.queue.canRetry(this.group);
    this.dismiss.hidden = sum.open > 0;
    this.showErrors();
  }

  private words(sum: Tally, state: string): string {
    if (state === "cancelled") return t("Cancelled");
    if (state === "done") {
      const stored = plural(sum.total, "{n} file stored, {size}", "{n} files stored, {size}", { size: bytes(sum.bytes) });
      return sum.there > 0 ? `${stored} · ${thereWords(sum.there)}` : stored;
    }
    const parts = [
      plural(sum.total, "{done} of {n} file", "{done} of {n} files", { done: sum.done }),
      t("{sent} of {size}", { sent: bytes(sum.sent), size: bytes(sum.bytes) }),
    ];
    if (sum.elsewhere > 0) {
      parts.push(plural(sum.elsewhere, "{n} is sent in another tab", "{n} are sent in another tab"));
    }
    if (sum.failed > 0) parts.push(plural(sum.failed, "{n} needs attention", "{n} need attention"));
    return parts.join(" · ");
  }

  private showErrors(): void {
    const lines = troubles(this.group.items);
    const key = JSON.stringify(lines);
    if (key === this.shownErrors) return;
    this.shownErrors = key;
    this.errors.replaceChildren(
      ...lines.map(({ sentence, names }) => {
        const more = names.length - NAMES_SHOWN;
        const listed = names.slice(0, NAMES_SHOWN).join(", ");
        const who = more > 0 ? plural(more, "{names} and {n} more", "{names} and {n} more", { names: listed }) : listed;
        return h("li", { class: "upload-error" }, h("strong", {}, who), ": ", sentence);
      }),
    );
  }
}

/** The list of rows with its summary line, kept in step with the queue. */
export class UploadView {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "upload-list" });
  private readonly rate = h("p", { class: "upload-rate" });
  private readonly notice = h("p", { class: "upload-notice", role: "status" });
  private readonly spoken = h("p", { class: "upload-spoken", "aria-live": "polite" });
  private readonly toggle: HTMLButtonElement;
  private readonly summary: HTMLDivElement;
  private readonly rows = new Map<number, Row>();
  private frame = 0;

  constructor(private readonly options: ViewOptions) {
    const { queue } = options;
    this.toggle = button(t("Pause"), "button button--small upload-toggle", () => {
      if (queue.halt === null) void queue.pause();
      else queue.resume();
    });
    this.summary = h("div", { class: "upload-summary" }, this.rate, this.toggle);
    this.element = h("div", { class: "uploads", hidden: true }, this.summary, this.notice, this.list, this.spoken);
  }

  /** Redraws at most once a frame, however many files report progress. */
  changed(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  /** Says something to a screen reader and shows it in the notice line. */
  say(sentence: string): void {
    setText(this.spoken, sentence);
  }

  private draw(): void {
    const { queue } = this.options;
    this.element.hidden = queue.groups.length === 0;
    for (const [id, row] of this.rows) {
      if (!queue.groups.some((group) => group.id === id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    }
    for (const group of queue.groups) {
      let row = this.rows.get(group.id);
      if (!row) {
        row = new Row(group, queue);
        this.rows.set(group.id, row);
        this.list.append(row.element);
      }
      row.update();
    }
    this.summary.hidden = !queue.busy;
    setText(this.toggle, queue.halt === null ? t("Pause") : t("Continue"));
    this.toggle.hidden = queue.halt === "offline" || queue.halt === "signed-out";
    setText(this.rate, this.rateWords());
    this.showNotice(queue.busy ? queue.halt : null);
  }

  private rateWords(): string {
    const { queue, bytesPerSecond } = this.options;
    const sum = tally(queue.items);
    const percent = sum.bytes > 0 ? Math.floor((100 * sum.sent) / sum.bytes) : 0;
    const parts = [t("Uploaded: {percent} %", { percent })];
    const speed = bytesPerSecond();
    if (queue.halt === null && speed > 0) {
      parts.push(t("{rate} per second", { rate: bytes(speed) }));
      const left = tally(queue.items.filter((item) => item.state === "waiting" || item.state === "sending"));
      const words = roughly((left.bytes - left.sent) / speed);
      if (words) parts.push(t("{time} left", { time: words }));
    }
    return parts.join(" · ");
  }

  private showNotice(halt: Halt): void {
    if (this.notice.dataset.halt === String(halt)) return;
    this.notice.dataset.halt = String(halt);
    this.notice.hidden = halt === null;
    const words: Record<Exclude<Halt, null>, string> = {
      paused: t("Paused. What was sent is kept."),
      offline: t("You are offline. The upload goes on by itself when the connection is back; keep this page open."),
      "no-answer": t("The server does not answer. The upload is tried again by itself; keep this page open."),
      "storage-full": t(
        "The storage of this system is full. What was sent is kept, and sending goes on by itself when there is room again. Please tell the administrator, and keep this page open.",
      ),
      "storage-away": t(
        "The storage of this system does not answer. What was sent is kept, and sending goes on by itself when it is back; keep this page open.",
      ),
      "signed-out": t("Your session has ended. What was sent is kept; sign in, then choose Continue."),
    };
    this.notice.replaceChildren(...(halt ? [words[halt]] : []));
    if (halt === "signed-out") {
      const link = h("a", { href: this.options.signInUrl, target: "_blank", rel: "opener" }, t("Sign in in a new tab"));
      const go = button(t("Continue"), "button button--small upload-continue", () => this.options.queue.resume());
      this.notice.append(" ", link, " ", go);
    }
  }
}
