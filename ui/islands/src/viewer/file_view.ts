import { h, setText } from "../shared/dom";
import { bytes, t } from "../shared/words";
import { isPhoto, type OpenFile } from "./files";

const LARGEST = 16;
const SMALLEST = 0.2;

/** A photograph with zoom, pan and rotation, or the way to open a document; covers a pane's viewport while it is shown. */
export class FileView {
  readonly element = h("div", { class: "iv-file", hidden: true });
  file: OpenFile | null = null;
  private readonly picture = h("img", { class: "iv-photo", alt: "", draggable: "false" });
  private readonly words = h("div", { class: "iv-corner iv-corner--tl iv-line iv-line--title" });
  private scale = 1;
  private turn = 0;
  private x = 0;
  private y = 0;

  constructor() {
    this.element.tabIndex = 0;
    this.element.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15, event);
    }, { passive: false });
    let from: { x: number; y: number } | null = null;
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target instanceof HTMLAnchorElement) return;
      from = { x: event.clientX - this.x, y: event.clientY - this.y };
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.x = event.clientX - from.x;
      this.y = event.clientY - from.y;
      this.place();
    });
    for (const name of ["pointerup", "pointercancel"] as const) this.element.addEventListener(name, () => (from = null));
    this.picture.addEventListener("load", () => this.element.removeAttribute("data-loading"));
    this.picture.addEventListener("error", () => {
      this.element.removeAttribute("data-loading");
      if (this.file) setText(this.words, t("“{name}” could not be loaded.", { name: this.file.name }));
    });
  }

  show(file: OpenFile): void {
    this.file = file;
    this.element.hidden = false;
    this.reset();
    if (isPhoto(file)) {
      this.element.dataset.loading = "";
      this.picture.src = file.url;
      this.picture.alt = file.name;
      this.element.setAttribute("aria-label", t("Photograph “{name}”", { name: file.name }));
      setText(this.words, file.name);
      this.element.replaceChildren(this.picture, this.words);
      return;
    }
    this.element.removeAttribute("aria-label");
    this.element.replaceChildren(
      h(
        "div",
        { class: "iv-document" },
        h("strong", {}, file.name),
        h("span", {}, `PDF · ${bytes(file.size)}`),
        h("a", { class: "iv-button iv-button--text", href: file.url, download: file.name }, t("Download")),
      ),
    );
  }

  hide(): void {
    this.file = null;
    this.element.hidden = true;
    this.picture.removeAttribute("src");
  }

  /** Zooms about the pointer, or about the middle. */
  zoomBy(factor: number, about?: { clientX: number; clientY: number }): void {
    const next = Math.max(SMALLEST, Math.min(LARGEST, this.scale * factor));
    const ratio = next / this.scale;
    const box = this.element.getBoundingClientRect();
    const px = about ? about.clientX - box.left - box.width / 2 : 0;
    const py = about ? about.clientY - box.top - box.height / 2 : 0;
    this.x = px - (px - this.x) * ratio;
    this.y = py - (py - this.y) * ratio;
    this.scale = next;
    this.place();
  }

  rotate(degrees: number): void {
    this.turn = (this.turn + degrees + 360) % 360;
    this.place();
  }

  reset(): void {
    [this.scale, this.turn, this.x, this.y] = [1, 0, 0, 0];
    this.place();
  }

  private place(): void {
    this.picture.style.transform = `translate(${this.x}px, ${this.y}px) rotate(${this.turn}deg) scale(${this.scale})`;
  }
}
