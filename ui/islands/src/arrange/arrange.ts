import Sortable, { type SortableEvent } from "sortablejs";
import { h, icon } from "../shared/dom";
import { sendJson, sentence } from "../shared/http";
import { CONTENT_EVENT } from "../shared/mount";
import { t } from "../shared/words";

/**
 * Drag and drop for `[data-arrange]` lists: the URL of the arrangement of a case or a record. Each list is one heading
 * (`data-group`, empty for none), each `[data-item]` in it may be moved; `data-next` is the item after the last one where the
 * list goes on elsewhere, `data-previous` the one before the first. What is dropped is sent at once; refused, it goes back to where it was. The buttons beside each item
 * do the same without a script; with one they leave the focus where it is.
 */
const GRIP = "M7 5h.01M13 5h.01M7 10h.01M13 10h.01M7 15h.01M13 15h.01";

function grip(): HTMLElement {
  const handle = h("span", { class: "grip", "aria-hidden": true, title: t("Drag to another place") });
  handle.append(icon(GRIP));
  return handle;
}

function say(list: HTMLElement, words: string): void {
  const said = list.closest("[data-live]")?.parentElement?.querySelector<HTMLElement>("[data-arrange-said]");
  if (said) said.textContent = words;
}

/** The region is not refreshed under the hand that drags. */
function hold(list: HTMLElement, on: boolean): void {
  list.closest<HTMLElement>("[data-live]")?.querySelector<HTMLElement>("[data-arrange]")?.toggleAttribute("data-live-hold", on);
}

/** Where an item stands, as the server is told: its heading, and the item after it. */
interface Place {
  group_id: string | null;
  before: string | null;
}

/** Reads it from the list that the item was dropped into. */
function placeOf(list: HTMLElement, item: HTMLElement): Place {
  let next = item.nextElementSibling;
  while (next && !(next as HTMLElement).dataset.item) next = next.nextElementSibling;
  return { group_id: list.dataset.group || null, before: (next as HTMLElement | null)?.dataset.item ?? (list.dataset.next || null) };
}

async function send(list: HTMLElement, item: HTMLElement): Promise<void> {
  await sendJson("POST", `${list.dataset.arrange ?? ""}/items/${item.dataset.item ?? ""}/move`, placeOf(list, item));
  say(list, t("It is in its new place."));
}

/** `stoodBefore` is what came after the item when it was taken up. */
async function dropped(event: SortableEvent, stoodBefore: Element | null): Promise<void> {
  const { item, from, to, oldIndex, newIndex } = event;
  if (from === to && oldIndex === newIndex) return;
  try {
    await send(to, item);
  } catch (error) {
    from.insertBefore(item, stoodBefore);
    say(from, sentence(error));
  }
}

/** The item before or after this one in its list. */
function neighbour(item: Element, up: boolean): Element | null {
  let other = up ? item.previousElementSibling : item.nextElementSibling;
  while (other && !(other as HTMLElement).dataset.item) other = up ? other.previousElementSibling : other.nextElementSibling;
  return other;
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
  void send(list, item)
    .catch((error: unknown) => {
      list.insertBefore(item, stoodBefore);
      say(list, sentence(error));
    })
    .finally(() => hold(list, false));
}

function enhance(list: HTMLElement): void {
  if (list.dataset.sorts !== undefined) return;
  list.dataset.sorts = "";
  for (const item of list.querySelectorAll<HTMLElement>(":scope > [data-item]")) item.prepend(grip());
  let stoodBefore: Element | null = null;
  new Sortable(list, {
    group: list.dataset.arrange ?? "",
    draggable: "[data-item]",
    handle: ".grip",
    // The browser's own dragging is for files from outside, and does not exist on touch screens.
    forceFallback: true,
    ghostClass: "arrange-place",
    fallbackClass: "arrange-lifted",
    fallbackOnBody: true,
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    onStart: ({ item }) => {
      stoodBefore = item.nextElementSibling;
      hold(list, true);
    },
    onEnd: (event) => {
      void dropped(event, stoodBefore).finally(() => hold(list, false));
    },
  });
}

function enhanceAll(): void {
  for (const list of document.querySelectorAll<HTMLElement>("[data-arrange]")) enhance(list);
}

enhanceAll();
document.addEventListener("submit", stepped);
document.addEventListener(CONTENT_EVENT, enhanceAll);
