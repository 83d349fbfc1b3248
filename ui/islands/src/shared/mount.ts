/** Says that content was put into the page after it was loaded; islands in it are mounted then. */
export const CONTENT_EVENT = "odonto:content";

/** Mounts every `data-island="name"` of the page, also those that arrive later; each element once. */
export function mountIslands(name: string, mount: (root: HTMLElement) => void): void {
  const all = (): void => {
    for (const root of document.querySelectorAll<HTMLElement>(`[data-island="${name}"]:not([data-mounted])`)) {
      root.dataset.mounted = "";
      mount(root);
    }
  };
  all();
  document.addEventListener(CONTENT_EVENT, all);
  // htmx 4 names its events with colons.
  document.addEventListener("htmx:after:swap", all);
}
