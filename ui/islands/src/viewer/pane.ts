import { Enums, eventTarget, type RenderingEngine, type Types } from "@cornerstonejs/core";
import { utilities, type Types as ToolTypes } from "@cornerstonejs/tools";
import { h, setText } from "../shared/dom";
import { t } from "../shared/words";
import type { OpenFile } from "./files";
import { FileView } from "./file_view";
import { isSmallDevice, registerStack } from "./engine";
import { fullRange, storedRange, type GreyRange } from "./grey_range";
import { Overlay } from "./overlay";
import { factsOf, loadErrorWords, positionWords, titleOf } from "./pane_words";
import { rangeOf, type Preset } from "./presets";
import type { Stack } from "./series";
import { startOf, viewOf, type StackView } from "./stack_view";

const { Events, ViewportType } = Enums;

export interface PaneHooks {
  onActivate: (pane: StackPane) => void;
  /** Image, window, zoom or anything else that is saved changed. */
  onViewChange: () => void;
  onDrop: (pane: StackPane, series: string) => void;
}

/** One pane with a stack of images: viewport, corners, slider, and its words while loading or after an error. */
export class StackPane {
  readonly element: HTMLElement;
  stack: Stack | null = null;
  private readonly surface = h("div", { class: "iv-surface", tabindex: 0, role: "application" });
  private readonly overlay = new Overlay();
  private readonly message = h("div", { class: "iv-message", role: "status" });
  private readonly slider = h("input", { type: "range", class: "iv-slider", hidden: true, min: 0, step: 1, "aria-label": t("Image") });
  private readonly files = new FileView();
  private frameRequest = 0;
  private engine: RenderingEngine | null = null;
  private retry: (() => void) | null = null;
  private readonly gone = new AbortController();

  constructor(
    readonly id: string,
    private readonly hooks: PaneHooks,
  ) {
    this.element = h("section", { class: "iv-pane", "data-pane": id }, this.surface, this.overlay.element, this.slider, this.files.element, this.message);
    this.element.addEventListener("pointerdown", () => hooks.onActivate(this), true);
    this.surface.addEventListener("focus", () => hooks.onActivate(this));
    this.surface.addEventListener("contextmenu", (event) => event.preventDefault());
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
    this.element.addEventListener("dragover", (event) => {
      if (event.dataTransfer?.types.includes("text/x-series")) event.preventDefault();
    });
    this.element.addEventListener("drop", (event) => {
      const series = event.dataTransfer?.getData("text/x-series");
      if (series) {
        event.preventDefault();
        hooks.onDrop(this, series);
      }
    });
    for (const name of [Events.STACK_NEW_IMAGE, Events.VOI_MODIFIED, Events.CAMERA_MODIFIED, Events.IMAGE_RENDERED]) {
      this.surface.addEventListener(name, this.changed);
    }
    // The library's own event target knows no `signal`: these two are taken off by hand in `disable`.
    eventTarget.addEventListener(Events.IMAGE_LOADED, this.changed);
    eventTarget.addEventListener(Events.IMAGE_LOAD_ERROR, this.loadFailed);
    // What failed for want of a line is tried again when it is back; prefetching begins again, too.
    const online = (): void => {
      if (this.retry) this.retry();
      else this.prefetch();
    };
    addEventListener("online", online, { signal: this.gone.signal });
    this.say(t("Choose a series."));
  }

  /** Gives the pane its viewport; its element must be in the page by then, because the canvas takes its size. */
  enable(engine: RenderingEngine, group: ToolTypes.IToolGroup): void {
    this.engine = engine;
    engine.enableElement({
      viewportId: this.id,
      element: this.surface,
      type: ViewportType.STACK,
      defaultOptions: { background: [0, 0, 0] },
    });
    group.addViewport(this.id, engine.id);
  }

  disable(group: ToolTypes.IToolGroup): void {
    this.gone.abort();
    eventTarget.removeEventListener(Events.IMAGE_LOADED, this.changed);
    eventTarget.removeEventListener(Events.IMAGE_LOAD_ERROR, this.loadFailed);
    cancelAnimationFrame(this.frameRequest);
    utilities.stackPrefetch.disable(this.surface);
    if (this.engine) group.removeViewports(this.engine.id, this.id);
    this.engine?.disableElement(this.id);
    this.engine = null;
    this.stack = null;
  }

  get viewport(): Types.IStackViewport | null {
    return (this.engine?.getViewport(this.id) as Types.IStackViewport | undefined) ?? null;
  }

  get canvas(): HTMLCanvasElement | null {
    return this.viewport?.getCanvas() ?? null;
  }

  /** The drawn marks, as the tools keep them beside the canvas. */
  get marks(): SVGElement | null {
    return this.surface.querySelector("svg.svg-layer");
  }

  get index(): number {
    return this.viewport?.getCurrentImageIdIndex() ?? 0;
  }

  focus(): void {
    this.surface.focus({ preventScroll: true });
  }

  setActive(active: boolean): void {
    this.element.toggleAttribute("data-active", active);
  }

  /** The photograph or document that covers the viewport, if one does. */
  get file(): OpenFile | null {
    return this.files.file;
  }

  /** Shows a photograph or a document in place of images. */
  showFile(file: OpenFile): void {
    this.say("");
    this.files.show(file);
    this.element.dataset.content = "file";
    this.hooks.onViewChange();
  }

  say(words: string): void {
    this.retry = null;
    setText(this.message, words);
    this.message.hidden = words === "";
    this.element.toggleAttribute("data-busy", words !== "");
  }

  fail(words: string, retry: () => void = () => void this.reload()): void {
    this.say(words);
    this.retry = retry;
    this.message.append(h("button", { type: "button", class: "iv-button iv-button--text", onclick: retry }, t("Try again")));
  }

  /** Shows a stack, at an image and in a view where they are given. */
  async show(stack: Stack, start: { index?: number; view?: StackView } = {}): Promise<void> {
    const { viewport } = this;
    if (!viewport) return;
    this.files.hide();
    this.element.dataset.content = "stack";
    if (stack.frames.length === 0) {
      this.stack = null;
      this.say(t("This series has no images to show."));
      return;
    }
    registerStack(stack);
    this.stack = stack;
    this.say(t("Loading the image"));
    const { view } = start;
    const index = start.index ?? startOf(stack, view);
    this.slider.max = String(stack.frames.length - 1);
    this.slider.hidden = stack.frames.length < 2;
    utilities.stackPrefetch.disable(this.surface);
    await viewport.setStack(stack.imageIds, index);
    if (this.stack !== stack || !this.viewport) return;
    if (viewport.getCornerstoneImage()) {
      this.say("");
      if (view) this.applyView(view);
      else this.reset();
      this.prefetch();
    } else if (this.message.textContent === t("Loading the image")) {
      this.fail(t("This image could not be loaded."));
    }
    this.changed();
  }

  async reload(): Promise<void> {
    if (this.stack) await this.show(this.stack, { index: this.index });
  }

  goTo(index: number): void {
    if (this.file) {
      this.files.goTo(index);
      return;
    }
    const last = (this.stack?.frames.length ?? 1) - 1;
    const next = Math.max(0, Math.min(last, index));
    if (this.stack && next !== this.index) {
      this.say("");
      void this.viewport?.setImageIdIndex(next);
    }
  }

  step(by: number): void {
    if (this.file) this.files.step(by);
    else this.goTo(this.index + by);
  }

  zoomBy(factor: number): void {
    const { viewport } = this;
    if (this.file) this.files.zoomBy(factor);
    if (!viewport || !this.stack) return;
    viewport.setZoom(viewport.getZoom() * factor);
    viewport.render();
  }

  invert(): void {
    const { viewport } = this;
    if (!viewport || !this.stack) return;
    viewport.setProperties({ invert: !viewport.getProperties().invert });
    viewport.render();
    this.changed();
  }

  rotate(degrees: number): void {
    const { viewport } = this;
    if (this.file) this.files.rotate(degrees);
    if (!viewport || !this.stack) return;
    const { rotation = 0 } = viewport.getViewPresentation();
    viewport.setViewPresentation({ rotation: (rotation + degrees + 360) % 360 });
    viewport.render();
  }

  flip(axis: "horizontal" | "vertical"): void {
    const { viewport } = this;
    if (!viewport || !this.stack) return;
    const { flipHorizontal = false, flipVertical = false } = viewport.getViewPresentation();
    viewport.setViewPresentation(
      axis === "horizontal" ? { flipHorizontal: !flipHorizontal } : { flipVertical: !flipVertical },
    );
    viewport.render();
  }

  /** Window, polarity and geometry as the file says. A MONOCHROME1 image is inverted by that (PS3.3 §C.7.6.3.1.2). */
  reset(): void {
    const { viewport } = this;
    if (this.file) this.files.reset();
    if (!viewport || !this.stack) return;
    viewport.setViewPresentation({ rotation: 0, flipHorizontal: false, flipVertical: false });
    viewport.resetCamera();
    viewport.setProperties({ invert: this.storedInvert() });
    this.setRange(storedRange(this.viewport?.getCornerstoneImage()));
  }

  applyPreset(preset: Preset): void {
    if (!this.stack || !this.presetFits(preset)) return;
    if (preset.window) this.setRange(rangeOf(preset.window));
    else if (preset.id === "full") this.setRange(fullRange(this.viewport?.getCornerstoneImage()));
    else this.setRange(storedRange(this.viewport?.getCornerstoneImage()));
  }

  /** Presets with fixed windows mean nothing on projections. */
  presetFits(preset: Preset): boolean {
    return !preset.onlyCt || this.stack?.series.modality === "CT";
  }

  get view(): StackView | null {
    const { viewport, stack } = this;
    return viewport && stack ? viewOf(viewport, stack, this.index) : null;
  }

  private applyView(view: StackView): void {
    const { viewport } = this;
    if (!viewport) return;
    const { rotation, flipHorizontal, flipVertical, zoom, pan } = view;
    viewport.setProperties({ invert: view.invert });
    viewport.setViewPresentation({ rotation, flipHorizontal, flipVertical, zoom, pan });
    this.setRange(view.voi ?? storedRange(this.viewport?.getCornerstoneImage()));
  }

  private setRange(range: GreyRange | null): void {
    const { viewport } = this;
    if (!viewport) return;
    if (range && range.upper > range.lower) viewport.setProperties({ voiRange: range });
    viewport.render();
    this.changed();
  }

  private storedInvert(): boolean {
    return (this.viewport?.getCornerstoneImage() as { invert?: boolean } | undefined)?.invert ?? false;
  }

  private prefetch(): void {
    if (!this.stack || this.stack.frames.length < 2) return;
    const strategy = isSmallDevice() ? utilities.stackContextPrefetch : utilities.stackPrefetch;
    strategy.enable(this.surface);
  }

  private readonly changed = (): void => {
    if (this.frameRequest) return;
    this.frameRequest = requestAnimationFrame(() => {
      this.frameRequest = 0;
      this.draw();
      this.hooks.onViewChange();
    });
  };

  private readonly loadFailed = (event: Event): void => {
    const { imageId, error } = (event as CustomEvent<{ imageId: string; error: unknown }>).detail;
    if (imageId === this.viewport?.getCurrentImageId()) this.fail(loadErrorWords(error));
  };

  private draw(): void {
    const { viewport, stack, index } = this;
    const frame = stack?.frames[index];
    this.overlay.element.hidden = !frame;
    if (!viewport || !stack || !frame) return;
    if (document.activeElement !== this.slider) this.slider.value = String(index);
    this.slider.setAttribute("aria-valuetext", positionWords(index, stack.frames.length));
    this.surface.setAttribute("aria-label", `${titleOf(stack)}. ${positionWords(index, stack.frames.length)}`);
    this.surface.dataset.instance = frame.instance;
    this.surface.dataset.index = String(index);
    this.overlay.show(factsOf(viewport, stack, index));
  }
}
