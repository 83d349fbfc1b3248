import { h, setText } from "../shared/dom";
import { t } from "../shared/words";
import { Feed, type FeedState } from "./feed";
import { Regions } from "./regions";
import type { StreamEvent } from "./sse";

/**
 * Live updates for a page. Reads `/api/v1/events` (or `data-events-url` on this script's `<body>`), beginning after
 * `data-events-since` (the feed id the page was rendered at, so that nothing between is missed, in a second tab either: it
 * asks the tab that holds the connection).
 *
 * - Each event is dispatched on `document` as `odonto:event`, `detail` = `{id, type, data}`.
 * - `data-live="topic …"` regions are fetched anew from `data-live-url` when an event's `topic` (or `topics`) is theirs.
 * - `data-live-announce` is read out after a refresh; `[data-live-status]` shows the state of the connection in words.
 */
function start(): void {
  const { body } = document;
  const spoken = h("div", { class: "visually-hidden", "aria-live": "polite", "data-live-spoken": true });
  spoken.style.cssText = "position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)";
  body.append(spoken);
  const regions = new Regions(
    (sentence) => setText(spoken, sentence),
    () => showState("signed-out"),
  );
  const feed = new Feed(
    body.dataset.eventsUrl ?? "/api/v1/events",
    body.dataset.eventsSince ?? "",
    (event) => deliver(event, regions),
    (state) => {
      const returned = state === "live" && document.documentElement.dataset.liveState === "reconnecting";
      showState(state);
      // Without an id to go on from, what happened during the gap is unknown.
      if (returned && !feed.hasPlace) regions.touchAll();
    },
  );
  feed.start();
  // What this page did itself it need not hear of first.
  document.addEventListener("uploads-finished", (event) => {
    const { topic } = (event as CustomEvent<{ topic: string }>).detail;
    if (topic) regions.touch([topic]);
  });
}

function deliver(event: StreamEvent, regions: Regions): void {
  let data: unknown = event.data;
  try {
    data = JSON.parse(event.data);
  } catch {
    // Plain text is passed on as it is.
  }
  document.dispatchEvent(new CustomEvent("odonto:event", { detail: { id: event.id, type: event.type, data } }));
  // The server says "reset" when it no longer has everything since our last id.
  if (event.type === "reset") regions.touchAll();
  else regions.touch(topicsOf(data));
}

function topicsOf(data: unknown): string[] {
  if (!data || typeof data !== "object") return [];
  const { topic, topics } = data as { topic?: unknown; topics?: unknown };
  return [topic, ...(Array.isArray(topics) ? (topics as unknown[]) : [])].filter((one) => typeof one === "string");
}

function showState(state: FeedState): void {
  document.documentElement.dataset.liveState = state;
  const words: Record<FeedState, string> = {
    live: "",
    reconnecting: t("Connection lost. This page is brought up to date when it is back."),
    "signed-out": t("Your session has ended. Sign in again to see what is new."),
  };
  for (const element of document.querySelectorAll<HTMLElement>("[data-live-status]")) {
    setText(element, words[state]);
    element.hidden = state === "live";
  }
  document.dispatchEvent(new CustomEvent("odonto:live-state", { detail: { state } }));
}

const PICTURE_TRIES = 3;

/** A small picture of what has just arrived may be asked for a moment before it is drawn; its region stays the same then. */
function askAgain(event: Event): void {
  const picture = event.target;
  if (!(picture instanceof HTMLImageElement) || !picture.closest("[data-live]")) return;
  const tried = Number(picture.dataset.tried ?? 0);
  if (tried >= PICTURE_TRIES) return;
  picture.dataset.tried = String(tried + 1);
  setTimeout(() => {
    const { src } = picture;
    picture.src = src;
  }, 1000 * 2 ** tried);
}

document.addEventListener("error", askAgain, true);
start();
