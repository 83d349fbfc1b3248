import Sortable, { type SortableEvent } from "sortablejs";
import { h, icon } from "../shared/dom";
import { sendJson, sentence } from "../shared/http";
import { CONTENT_EVENT } from "../shared/mount";
import { t } from "../shared/words";
import { LISTS, neighbour, type Kind } from "./lists";

/**
 * Drag and drop in the lists of `lists.ts`. What is dropped is sent at once; refused, it goes back to where it was and the page
 * says why. The buttons beside each item do the same without a script; with one they leave the focus where it is.
 */
const GRIP = "M7 5h.01M13 5h.01M7 10h.01M13 10h.01M7 15h.01M13 15h.01";

function grip(): HTMLElement {
  const handle = h("span", { class: "grip", "aria-hidden": true, title: t("Drag to another place") });
  handle.append(icon(GRIP));
  return handle;
}

function say(list: HTMLElement, words: string, refused = false): void {
  const said = list.closest("[data-live]")?.parentElement?.querySelector<HTMLElement>("[data-arrange-said]");
  if (!said) return;
  said.textContent = words;
  said.toggleAttribute("data-refused", refused);
}

/** The region is not refreshed under the hand that drags, from the press on. */
function hold(list: HTMLElement, on: boolean): void {
  list.closest<HTMLElement>("[data-live]")?.querySelector<HTMLElement>("[data-sorts]")?.toggleAttribute("data-live-hold", on);
}

async function send(kind: Kind, list: HTMLElement, item: HTMLElement): Promise<void> {
  const { method, url, body } = kind.request(list, item);
  await sendJson(method, url, body);
  say(list, t("It is in its new place."));
}

/** `stoodBefore` is what came after the item when it was taken up. */
async function dropped(kind: Kind, event: SortableEvent, stoodBefore: Element | null): Promise<void> {
  const { item, from, to, oldIndex, newIndex } = event;
  if (from === to && oldIndex === newIndex) return;
  try {
    await send(kind, to, item);
  } catch (error) {
    from.insertBefore(item, stoodBefore);
    say(from, sentence(error), true);
  }
}

/** One step by its button. Where the list ends here and goes on elsewhere, the server takes the step as without a script. */
function stepped(event: SubmitEvent): void {
  const form = (event.target as HTMLElement).closest<HTMLFormElement>("[data-arrange-step]");
  const item = form?.closest<HTMLElement>("[data-item]");
  const list = item?.closest<HTMLElement>("[data-arrange]");
  if (!form || !item || !list || !(event.submitter instanceof HTMLButtonElement)) return;
  const up = event.submitter.value === "up";
  const other = neighbour(item, up);
  if (!other && (up ? list.dataset.previous : list.dataset.next)) return;
  event.preventDefault();
  if (!other) return;
  const stoodBefore = item.nextElementSibling;
  if (up) other.before(item);
  else other.after(item);
  event.submitter.focus();
  hold(list, true);
  void send(LISTS.arrange, list, item)
    .catch((error: unknown) => {
      list.insertBefore(item, stoodBefore);
      say(list, sentence(error), true);
    })
    .finally(() => hold(list, false));
}

function enhance(list: HTMLElement, kind: Kind): void {
  if (list.dataset.sorts !== undefined) return;
  list.dataset.sorts = "";
  for (const item of list.querySelectorAll<HTMLElement>(`:scope > ${kind.items}`)) item.prepend(grip());
  let stoodBefore: Element | null = null;
  new Sortable(list, {
    group: kind.group(list),
    sort: kind.isOrdered,
    draggable: kind.items,
    handle: ".grip",
    // The browser's own dragging is for files from outside, and does not exist on touch screens.
    forceFallback: true,
    ghostClass: "arrange-place",
    fallbackClass: "arrange-lifted",
    fallbackOnBody: true,
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    onChoose: () => hold(list, true),
    onUnchoose: () => hold(list, false),
    onStart: ({ item }) => {
      stoodBefore = item.nextElementSibling;
      say(list, "");
    },
    onEnd: (event) => {
      hold(list, true);
      void dropped(kind, event, stoodBefore).finally(() => hold(list, false));
    },
  });
}

function enhanceAll(): void {
  for (const kind of Object.values(LISTS)) {
    for (const list of document.querySelectorAll<HTMLElement>(kind.lists)) enhance(list, kind);
  }
}

enhanceAll();
document.addEventListener("submit", stepped);
document.addEventListener(CONTENT_EVENT, enhanceAll);
