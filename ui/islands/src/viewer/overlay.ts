import { h, setText } from "../shared/dom";

/** What is written on the image, in words and numbers that the pane has worked out. */
export interface OverlayFacts {
  title: string;
  subtitle: string;
  position: string;
  loading: string;
  window: string;
  zoom: string;
  lengths: string;
  cautions: string[];
}

/** The four corners of a pane. The text is not part of the picture and lets the pointer through. */
export class Overlay {
  readonly element: HTMLElement;
  private readonly parts: Record<Exclude<keyof OverlayFacts, "cautions">, HTMLElement>;
  private readonly cautions = h("div", { class: "iv-cautions" });

  constructor() {
    const line = (name: string): HTMLElement => h("div", { class: `iv-line iv-line--${name}` });
    this.parts = {
      title: line("title"),
      subtitle: line("subtitle"),
      position: line("position"),
      loading: line("loading"),
      window: line("window"),
      zoom: line("zoom"),
      lengths: line("lengths"),
    };
    const { title, subtitle, position, loading, window, zoom, lengths } = this.parts;
    this.element = h(
      "div",
      { class: "iv-overlay" },
      h("div", { class: "iv-corner iv-corner--tl" }, title, subtitle),
      h("div", { class: "iv-corner iv-corner--tr" }, this.cautions, lengths),
      h("div", { class: "iv-corner iv-corner--bl" }, position, loading),
      h("div", { class: "iv-corner iv-corner--br" }, window, zoom),
    );
  }

  show(facts: OverlayFacts): void {
    for (const [name, element] of Object.entries(this.parts)) setText(element, facts[name as keyof typeof this.parts]);
    if (this.cautions.dataset.words !== facts.cautions.join("|")) {
      this.cautions.dataset.words = facts.cautions.join("|");
      this.cautions.replaceChildren(...facts.cautions.map((caution) => h("div", { class: "iv-caution" }, caution)));
    }
  }
}
