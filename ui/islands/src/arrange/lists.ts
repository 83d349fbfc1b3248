/** What is asked of the server for something that was put into a list. */
export interface Request {
  method: "POST" | "PUT";
  url: string;
  body: unknown;
}

/** A kind of list that things are dragged in and between. */
export interface Kind {
  /** Selects the lists, and in a list what may be moved. */
  lists: string;
  items: string;
  /** Whether the place in a list means something. */
  isOrdered: boolean;
  /** Lists of one name take things from each other. */
  group: (list: HTMLElement) => string;
  request: (list: HTMLElement, item: HTMLElement) => Request;
}

/** The item before or after this one in its list. */
export function neighbour(item: Element, up: boolean): Element | null {
  let other = up ? item.previousElementSibling : item.nextElementSibling;
  while (other && !(other as HTMLElement).dataset.item) other = up ? other.previousElementSibling : other.nextElementSibling;
  return other;
}

/** Where an item stands, as the server is told: its heading, and the item after it. */
function placeOf(list: HTMLElement, item: HTMLElement): { group_id: string | null; before: string | null } {
  const next = neighbour(item, false) as HTMLElement | null;
  return { group_id: list.dataset.group || null, before: next?.dataset.item ?? (list.dataset.next || null) };
}

export const LISTS = {
  /** Studies, files and documents: `data-arrange` is the API's arrangement of the case or the record, a list is one heading. */
  arrange: {
    lists: "[data-arrange]",
    items: "[data-item]",
    isOrdered: true,
    group: (list) => list.dataset.arrange ?? "",
    request: (list, item) => ({
      method: "POST",
      url: `${list.dataset.arrange ?? ""}/items/${item.dataset.item ?? ""}/move`,
      body: placeOf(list, item),
    }),
  },
  /** Images of a case: `data-place` is the API's series of the case, a list is the series `data-series`. */
  place: {
    lists: "[data-place]",
    items: "[data-image]",
    isOrdered: false,
    group: (list) => list.dataset.place ?? "",
    request: (list, item) => ({
      method: "PUT",
      url: `${list.dataset.place ?? ""}/images/${item.dataset.image ?? ""}`,
      body: { series_id: list.dataset.series ?? "" },
    }),
  },
} satisfies Record<string, Kind>;
