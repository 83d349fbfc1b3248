/** A list of series that the page rendered itself: elements with `data-series="<series uid>"` outside the viewer. */
export class PageList {
  constructor(
    private readonly viewer: HTMLElement,
    open: (series: string) => boolean,
  ) {
    document.addEventListener("click", (event) => {
      const link = (event.target as Element).closest<HTMLElement>("[data-series]");
      if (!link || viewer.contains(link) || event.ctrlKey || event.metaKey) return;
      if (open(link.dataset.series ?? "")) event.preventDefault();
    });
  }

  /** Looked up each time: the page may refresh its list. */
  private get links(): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>("[data-series]")].filter((link) => !this.viewer.contains(link));
  }

  get exists(): boolean {
    return this.links.length > 0;
  }

  setCurrent(series: string | null): void {
    for (const link of this.links) {
      if (link.dataset.series === series) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}
