import { sentToSignIn } from "../shared/http";
import { CONTENT_EVENT } from "../shared/mount";

/** What htmx adds to `window` when the page loads it. */
interface Htmx {
  process(element: Element): void;
}

const DEBOUNCE_MS = 150;

/** Whether an event's topic concerns a region that lists `wanted` ("case:case_1", "worklist", "messages:*"). */
export function concerns(wanted: string, topics: readonly string[]): boolean {
  return wanted
    .split(/\s+/)
    .filter(Boolean)
    .some((want) =>
      topics.some((topic) => (want.endsWith("*") ? topic.startsWith(want.slice(0, -1)) : topic === want)),
    );
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

function isChanged(field: Field): boolean {
  if (field instanceof HTMLSelectElement) {
    return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.value !== field.options[0]?.value;
  }
  if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
    return field.checked !== field.defaultChecked;
  }
  return field.type !== "hidden" && field.value !== field.defaultValue;
}

/** Whether replacing the region now would take something out of a person's hands. */
function inUse(region: HTMLElement): boolean {
  const active = document.activeElement;
  if (active && active !== region && region.contains(active) && active.matches("input, textarea, select, [contenteditable]")) {
    return true;
  }
  if (region.querySelector("dialog[open], :popover-open, [data-live-hold]")) return true;
  // An island's own fields survive a replacement, because the island does.
  return [...region.querySelectorAll<Field>("input, textarea, select")].some(
    (field) => !field.closest("[data-mounted]") && isChanged(field),
  );
}

/** Where the focus was, in words that survive a replacement. */
function focusMark(region: HTMLElement): (() => HTMLElement | null) | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === region || !region.contains(active)) return null;
  const { id } = active;
  if (id) return () => document.getElementById(id);
  for (const name of ["data-key", "href", "name", "aria-label"]) {
    const value = active.getAttribute(name);
    if (value === null) continue;
    const selector = `${active.localName}[${name}="${CSS.escape(value)}"]`;
    const at = [...region.querySelectorAll(selector)].indexOf(active);
    return () => region.querySelectorAll<HTMLElement>(selector)[at] ?? null;
  }
  const at = [...region.querySelectorAll(active.localName)].indexOf(active);
  return () => region.querySelectorAll<HTMLElement>(active.localName)[at] ?? null;
}

/** An island that is at work (an upload) is moved into the new content in place of its empty successor. */
function keepIslands(region: HTMLElement, content: DocumentFragment): void {
  for (const island of region.querySelectorAll<HTMLElement>("[data-island][data-mounted]")) {
    const successor = content.querySelector(`[data-island="${island.dataset.island ?? ""}"]:not([data-mounted])`);
    successor?.replaceWith(island);
  }
}

/** Puts new content into a region; focus, scroll positions, opened details and mounted islands stay. */
export function replaceContent(region: HTMLElement, nodes: Node[]): void {
  const content = new DocumentFragment();
  content.append(...nodes);
  const focus = focusMark(region);
  const scrolls = [region, ...region.querySelectorAll<HTMLElement>("[id]")]
    .filter((element) => element.scrollTop > 0 || element.scrollLeft > 0)
    .map((element) => ({ id: element.id, self: element === region, top: element.scrollTop, left: element.scrollLeft }));
  const opened = [...region.querySelectorAll<HTMLDetailsElement>("details[id]")].map(({ id, open }) => ({ id, open }));
  keepIslands(region, content);
  region.replaceChildren(content);
  for (const { id, open } of opened) {
    const details = document.getElementById(id);
    if (details instanceof HTMLDetailsElement) details.open = open;
  }
  for (const { id, self, top, left } of scrolls) (self ? region : document.getElementById(id))?.scrollTo({ top, left });
  focus?.()?.focus({ preventScroll: true });
  (window as { htmx?: Htmx }).htmx?.process(region);
  document.dispatchEvent(new CustomEvent(CONTENT_EVENT, { detail: { region } }));
}

/** Keeps the page's `data-live="topic …"` regions fresh. */
export class Regions {
  private readonly waiting = new Set<HTMLElement>();
  private readonly loading = new Set<HTMLElement>();
  private readonly shown = new WeakMap<HTMLElement, string>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly announce: (sentence: string) => void,
    private readonly onSignedOut: () => void,
  ) {
    document.addEventListener("visibilitychange", () => this.schedule());
    // A region that a person was typing in is caught up when they leave it.
    document.addEventListener("focusout", () => this.schedule());
  }

  /** Marks the regions that an event concerns. */
  touch(topics: readonly string[]): void {
    for (const region of document.querySelectorAll<HTMLElement>("[data-live]")) {
      if (concerns(region.dataset.live ?? "", topics)) this.waiting.add(region);
    }
    this.schedule();
  }

  /** Marks all regions: after a gap that the feed could not fill. */
  touchAll(): void {
    for (const region of document.querySelectorAll<HTMLElement>("[data-live]")) this.waiting.add(region);
    this.schedule();
  }

  private schedule(): void {
    if (this.timer || this.waiting.size === 0) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (document.hidden) return;
      for (const region of this.waiting) {
        if (!region.isConnected) this.waiting.delete(region);
        else if (!this.loading.has(region) && !inUse(region)) void this.refresh(region);
      }
    }, DEBOUNCE_MS);
  }

  private async refresh(region: HTMLElement): Promise<void> {
    this.waiting.delete(region);
    this.loading.add(region);
    try {
      const response = await fetch(region.dataset.liveUrl || location.href, {
        credentials: "same-origin",
        cache: "no-store",
        headers: { Accept: "text/html", "X-Live-Region": region.id },
      });
      if (response.status === 401 || sentToSignIn(response)) this.onSignedOut();
      else if (response.ok && response.status !== 204 && !response.redirected) this.show(region, await response.text());
      // Led elsewhere: what the region showed has a page of its own now, which is not to be put into this one.
    } catch {
      // The line is gone; the feed notices it too and everything is caught up when it is back.
    } finally {
      this.loading.delete(region);
      this.schedule();
    }
  }

  private show(region: HTMLElement, html: string): void {
    if (this.shown.get(region) === html) return;
    if (inUse(region)) {
      this.waiting.add(region);
      return;
    }
    const parsed = new DOMParser().parseFromString(html, "text/html");
    // A whole page, or a fragment that repeats the region's own element, is narrowed to what is inside.
    const same = region.id ? parsed.getElementById(region.id) : null;
    replaceContent(region, [...(same ?? parsed.body).childNodes]);
    this.shown.set(region, html);
    if (region.dataset.liveAnnounce) this.announce(region.dataset.liveAnnounce);
  }
}
