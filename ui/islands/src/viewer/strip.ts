import { h, setText } from "../shared/dom";
import { plural, t } from "../shared/words";
import { isPhoto, type OpenFile } from "./files";
import type { KeyImage } from "./key_images";
import type { SavedMark } from "./marks";
import type { Group } from "./reading";
import { keyOf, nameOf, type Series } from "./series";

export interface StripHooks {
  onSeries: (series: Series) => void;
  onFile: (file: OpenFile) => void;
  onMark: (mark: SavedMark) => void;
  onKeyImage: (image: KeyImage) => void;
  /** Absent when the viewer is read only. */
  onRemoveKeyImage?: (image: KeyImage) => void;
}

/** The list beside the images: series, photographs and documents, key images, measurements. */
export class Strip {
  readonly element: HTMLElement;
  private readonly series = this.section("series", t("Series"));
  private readonly files = this.section("files", t("Photographs and documents"));
  private readonly keys = this.section("keys", t("Key images"));
  private readonly marks = this.section("marks", t("Measurements"));

  constructor(private readonly hooks: StripHooks) {
    this.element = h(
      "nav",
      { class: "iv-strip", "aria-label": t("Images of this case") },
      this.series.box,
      this.files.box,
      this.keys.box,
      this.marks.box,
    );
  }

  /** Says that the list is being loaded, or why it could not be. */
  say(words: string, retry?: () => void): void {
    const line = h("li", { class: "iv-strip-words" }, words);
    if (retry) line.append(" ", h("button", { type: "button", class: "iv-button iv-button--text", onclick: retry }, t("Try again")));
    this.fill(this.series, [line]);
  }

  showSeries(list: Series[]): void {
    if (list.length === 0) {
      this.say(t("There are no images yet."));
      return;
    }
    this.fill(this.series, list.map((series) => this.seriesLine(series)));
  }

  /** Series, photographs and documents in the practice's order, under its headings. */
  showGroups(groups: Group[]): void {
    if (groups.length === 0) {
      this.say(t("There are no images yet."));
      return;
    }
    setText(this.series.title, t("Images"));
    this.fill(
      this.series,
      groups.flatMap(({ name, entries }) => [
        ...(name === null ? [] : [h("li", { class: "iv-strip-heading" }, h("h3", {}, name))]),
        ...entries.map((entry) => ("series" in entry ? this.seriesLine(entry.series) : this.fileLine(entry.file))),
      ]),
    );
  }

  private seriesLine(series: Series): HTMLLIElement {
    const images = series.instances > 0 && plural(series.instances, "{n} image", "{n} images");
    const button = this.card("series", keyOf(series), this.thumbnail(series.thumbnail, series.modality), [
      nameOf(series),
      [series.modality, images].filter(Boolean).join(" · "),
    ]);
    this.addWords(button, series.reading);
    button.draggable = true;
    button.addEventListener("dragstart", (event) => event.dataTransfer?.setData("text/x-series", keyOf(series)));
    button.addEventListener("click", () => this.hooks.onSeries(series));
    return h("li", {}, button);
  }

  private fileLine(file: OpenFile): HTMLLIElement {
    const word = isPhoto(file) ? "JPEG" : "PDF";
    const picture = this.thumbnail(isPhoto(file) ? (file.thumbnail_url ?? file.url) : file.thumbnail_url, word);
    const many = file.pictures?.length ?? 0;
    const button = this.card("file", file.id, picture, [file.name, many > 1 ? plural(many, "{n} image", "{n} images") : ""]);
    this.addWords(button, file);
    button.addEventListener("click", () => this.hooks.onFile(file));
    return h("li", {}, button);
  }

  /** Teeth and description of the practice. */
  private addWords(button: HTMLElement, words: { teeth?: string[]; note?: string } | undefined): void {
    if (words?.teeth?.length) button.append(h("span", { class: "iv-card-about" }, words.teeth.join(", ")));
    if (words?.note) button.append(h("span", { class: "iv-card-note", title: words.note }, words.note));
  }

  showFiles(list: OpenFile[]): void {
    this.fill(this.files, list.map((file) => this.fileLine(file)));
  }

  showKeyImages(list: KeyImage[]): void {
    this.fill(
      this.keys,
      list.map((image) => {
        const words = image.caption || t("Key image");
        const button = this.card("key", image.id, this.thumbnail(image.thumbnail_url ?? image.url ?? null, "★"), [words, ""]);
        button.addEventListener("click", () => this.hooks.onKeyImage(image));
        const { onRemoveKeyImage } = this.hooks;
        const remove =
          onRemoveKeyImage &&
          h(
            "button",
            {
              type: "button",
              class: "iv-button iv-button--text iv-strip-remove",
              "aria-label": t("Remove key image: {caption}", { caption: words }),
              onclick: () => onRemoveKeyImage(image),
            },
            t("Remove"),
          );
        return h("li", {}, button, remove);
      }),
    );
  }

  showMarks(list: SavedMark[]): void {
    this.fill(
      this.marks,
      list.map((mark) => {
        const button = this.card("mark", mark.annotationUID, null, [mark.words || t("Measurement"), ""]);
        button.addEventListener("click", () => this.hooks.onMark(mark));
        return h("li", {}, button);
      }),
    );
  }

  /** Marks what is open in the active pane. */
  setCurrent(kind: "series" | "file", id: string | null): void {
    for (const button of this.element.querySelectorAll("[data-kind]")) {
      const current = id !== null && button.getAttribute("data-kind") === kind && button.getAttribute("data-id") === id;
      if (current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  private section(name: string, words: string): { box: HTMLElement; title: HTMLElement; list: HTMLUListElement } {
    const list = h("ul", {});
    const title = h("h2", {}, words);
    return { box: h("section", { class: `iv-section iv-section--${name}`, hidden: name !== "series" }, title, list), title, list };
  }

  private fill(section: { box: HTMLElement; list: HTMLUListElement }, children: HTMLLIElement[]): void {
    section.box.hidden = children.length === 0;
    section.list.replaceChildren(...children);
  }

  private card(kind: string, id: string, picture: HTMLElement | null, [name, about]: [string, string]): HTMLButtonElement {
    return h(
      "button",
      { type: "button", class: "iv-card", "data-kind": kind, "data-id": id },
      picture,
      h("span", { class: "iv-card-name" }, name),
      about && h("span", { class: "iv-card-about" }, about),
    );
  }

  /** A small picture with its place reserved; a word stands in where the server has none. */
  private thumbnail(url: string | null, word: string): HTMLElement {
    const frame = h("span", { class: "iv-thumb", "data-word": word });
    if (url) {
      const image = h("img", { alt: "", loading: "lazy", decoding: "async", width: 128, height: 96, src: url, draggable: "false" });
      image.addEventListener("error", () => image.remove());
      frame.append(image);
    }
    return frame;
  }
}
