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
  private readonly position = h("span", { role: "status" });
  private readonly pages = h(
    "div",
    { class: "iv-pages" },
    h("button", { type: "button", class: "iv-button iv-button--text", "aria-label": t("Previous image"), onclick: () => this.step(-1) }, "‹"),
    this.position,
    h("button", { type: "button", class: "iv-button iv-button--text", "aria-label": t("Next image"), onclick: () => this.step(1) }, "›"),
  );
  private index = 0;
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
      if ((event.target as HTMLElement).closest("a, button")) return;
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
      const many = this.pictures.length > 1;
      this.element.replaceChildren(this.picture, this.words, ...(many ? [this.pages] : []));
      this.turnTo(0);
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

  /** The photographs that are read together; of one alone, itself. */
  private get pictures(): { name: string; url: string | null }[] {
    const { file } = this;
    if (!file) return [];
    return file.pictures?.length ? file.pictures : [file];
  }

  step(by: number): void {
    this.goTo(this.index + by);
  }

  /** To one of the photographs that are read together. */
  goTo(index: number): void {
    if (!this.file || !isPhoto(this.file)) return;
    const next = Math.max(0, Math.min(this.pictures.length - 1, index));
    if (next === this.index) return;
    this.reset();
    this.turnTo(next);
  }

  private turnTo(index: number): void {
    const { file } = this;
    const picture = this.pictures[index];
    if (!file || !picture) return;
    this.index = index;
    const name = picture.name || file.name;
    const title = index > 0 || name === file.name ? name : `${file.name} · ${name}`;
    this.element.dataset.loading = "";
    this.picture.src = picture.url ?? "";
    this.picture.alt = name;
    this.element.setAttribute("aria-label", t("Photograph “{name}”", { name }));
    setText(this.words, title);
    setText(this.position, t("Image {n} of {count}", { n: index + 1, count: this.pictures.length }));
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
