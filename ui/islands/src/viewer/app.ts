import type { RenderingEngine } from "@cornerstonejs/core";
import { utilities, type Types as ToolTypes } from "@cornerstonejs/tools";
import { h, setText } from "../shared/dom";
import { RequestFailed, sentence } from "../shared/http";
import { t } from "../shared/words";
import { AnnotationStore, type SaveState } from "./annotation_store";
import { commandFor, commandTable, type Actions, type Command, type Layout } from "./commands";
import { ask, showKeys } from "./dialogs";
import { setTool, startEngine, startTools, TOOLS, type ToolId } from "./engine";
import { listFiles } from "./files";
import { capture, KeyImages, type KeyImage } from "./key_images";
import { Marks, type Reference, type SavedMark } from "./marks";
import type { SavedAnnotation } from "./merge";
import { PageList } from "./page_list";
import { StackPane, type StackView } from "./pane";
import type { Preset } from "./presets";
import { listSeries, loadStack, type Series, type Stack } from "./series";
import { Strip } from "./strip";
import { Toolbar } from "./toolbar";

const PANES: Record<Layout, number> = { "1x1": 1, "1x2": 2, "2x2": 4 };
const LAYOUTS = Object.keys(PANES) as Layout[];

/** What the page says in `data-…` attributes. */
interface Settings {
  caseId: string;
  studies: string[];
  root: string;
  annotations: string;
  files: string;
  keyImages: string;
  csrf: string;
  readonly: boolean;
}

/** What is remembered about the viewer itself. */
interface ViewerState {
  layout?: Layout;
  panes?: (StackView | null)[];
}

function settingsOf(root: HTMLElement): Settings {
  const { dataset } = root;
  const caseId = dataset.caseId ?? "";
  const ofCase = (what: string): string => (caseId ? `/api/v1/cases/${encodeURIComponent(caseId)}/${what}` : "");
  return {
    caseId,
    studies: (dataset.study ?? "").split(",").map((uid) => uid.trim()).filter(Boolean),
    root: (dataset.root ?? "/dicomweb").replace(/\/$/, ""),
    annotations: dataset.annotations ?? ofCase("annotations"),
    files: dataset.files ?? ofCase("files"),
    keyImages: dataset.keyImages ?? ofCase("key-images"),
    csrf: dataset.csrf ?? "",
    readonly: dataset.readonly !== undefined && dataset.readonly !== "false",
  };
}

/** The viewer of one element: panes, tools, marks, key images, and what is saved of them. */
class Viewer {
  private readonly settings: Settings;
  private readonly engine: RenderingEngine;
  private readonly group: ToolTypes.IToolGroup;
  private readonly commands: Command[];
  private readonly toolbar: Toolbar;
  private readonly strip: Strip;
  private readonly pageList: PageList;
  private readonly stage = h("div", { class: "iv-stage" });
  private readonly status = h("span", { class: "iv-status", role: "status" });
  private readonly notice = h("div", { class: "iv-notice", role: "status", hidden: true });
  private readonly marks: Marks;
  private readonly store: AnnotationStore | null;
  private readonly keyImages: KeyImages | null;
  private readonly stacks = new Map<string, Promise<Stack>>();
  private series: Series[] = [];
  private panes: StackPane[] = [];
  private active: StackPane | null = null;
  private layout: Layout = "1x1";
  private removed: SavedMark[] = [];
  private listedMarks = "";
  private restoring = true;
  private noticeTimer = 0;

  constructor(
    mountedOn: HTMLElement,
    private readonly root: HTMLElement,
  ) {
    const settings = (this.settings = settingsOf(mountedOn));
    this.engine = startEngine();
    this.group = startTools(settings.readonly, (current) => this.askText(current));
    this.commands = commandTable(this.actions(), settings.readonly).filter((command) => !(settings.readonly && command.writes));
    this.toolbar = new Toolbar(this.commands, (preset) => this.preset(preset));
    this.pageList = new PageList(root, (uid) => {
      const series = this.series.find((one) => one.uid === uid);
      if (series) void this.open(series);
      return series !== undefined;
    });
    this.strip = new Strip({
      onSeries: (series) => void this.open(series),
      onFile: (file) => {
        this.active?.showFile(file);
        this.reflect();
      },
      onMark: (mark) => void this.goTo(mark.reference),
      onKeyImage: (image) => void this.goToKeyImage(image),
      ...(settings.readonly ? {} : { onRemoveKeyImage: (image: KeyImage) => void this.removeKeyImage(image) }),
    });
    this.marks = new Marks(settings.readonly, () => this.marksChanged());
    this.keyImages = settings.keyImages ? new KeyImages(settings.keyImages, settings.csrf) : null;
    this.store = settings.annotations
      ? new AnnotationStore(settings.annotations, settings.csrf, {
          collect: () => ({ annotations: this.marks.save(), viewer_state: { ...this.state() } }),
          adopt: (annotations) => this.adopt(annotations),
          say: (state, words) => this.saySaved(state, words),
        })
      : null;
    root.toggleAttribute("data-patient", settings.readonly);
    const foot = h("div", { class: "iv-foot" }, this.notice, this.status);
    root.replaceChildren(this.toolbar.element, h("div", { class: "iv-body" }, this.strip.element, this.stage), foot);
    root.addEventListener("keydown", (event) => this.onKey(event));
    this.setLayout("1x1");
    this.chooseTool(settings.readonly ? "scroll" : "window");
    this.toolbar.press("marks", true);
    this.showStrip(root.clientWidth >= 640);
    let resizing = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(resizing);
      resizing = requestAnimationFrame(() => this.engine.resize(true, true));
    }).observe(this.stage);
  }

  /** Loads the lists, what was saved, and the first images. */
  async start(): Promise<void> {
    this.strip.say(t("Loading the list of series"));
    this.active?.say(t("Loading the list of series"));
    void this.loadFiles();
    void this.loadKeyImages();
    try {
      this.series = await listSeries(this.settings.root, this.settings.studies);
    } catch (error) {
      const retry = (): void => void this.start();
      this.strip.say(sentence(error), retry);
      this.active?.fail(sentence(error), retry);
      return;
    }
    if (this.pageList.exists && this.series.length > 0) this.strip.hideSeries();
    else this.strip.showSeries(this.series);
    const state = await this.loadSaved();
    await this.restore(state);
    this.restoring = false;
  }

  private async loadSaved(): Promise<ViewerState> {
    if (!this.store) return {};
    try {
      const { annotations, viewer_state: state } = await this.store.load();
      this.marks.restore(annotations);
      this.listMarks();
      // A reader's view is theirs; whoever only looks begins with the first series.
      return this.settings.readonly ? {} : (state as ViewerState);
    } catch (error) {
      this.say(t("Saved measurements could not be loaded: {reason}", { reason: sentence(error) }), {
        label: t("Try again"),
        run: () => void this.loadSaved(),
      });
      return {};
    }
  }

  private async restore(state: ViewerState): Promise<void> {
    if (state.layout && LAYOUTS.includes(state.layout)) this.setLayout(state.layout);
    const views = state.panes ?? [];
    const opened = await Promise.all(
      this.panes.map(async (pane, at) => {
        const view = views[at];
        const series = view && this.series.find(({ uid }) => uid === view.series);
        if (series) await this.openIn(pane, series, { view });
        return series !== undefined && series !== null;
      }),
    );
    const [first] = this.series;
    if (!opened.some(Boolean) && first && this.panes[0]) await this.openIn(this.panes[0], first);
    else if (!first) this.active?.say(t("There are no images yet."));
    this.reflect();
  }

  private async loadFiles(): Promise<void> {
    if (!this.settings.files) return;
    try {
      this.strip.showFiles(await listFiles(this.settings.files));
    } catch {
      // The list of files is an addition; the images are there without it.
    }
  }

  private async loadKeyImages(): Promise<void> {
    if (!this.keyImages) return;
    try {
      this.strip.showKeyImages(await this.keyImages.list());
    } catch (error) {
      if (!(error instanceof RequestFailed && error.status === 404)) this.say(sentence(error));
    }
  }

  private stackOf(series: Series): Promise<Stack> {
    const known = this.stacks.get(series.uid);
    if (known) return known;
    const loading = loadStack(this.settings.root, series);
    this.stacks.set(series.uid, loading);
    loading.catch(() => this.stacks.delete(series.uid));
    return loading;
  }

  private async open(series: Series): Promise<void> {
    if (this.active) await this.openIn(this.active, series);
    this.active?.focus();
  }

  private async openIn(pane: StackPane, series: Series, start: { view?: StackView; index?: number } = {}): Promise<void> {
    pane.say(t("Loading “{name}”", { name: series.description || t("Series {n}", { n: series.number }) }));
    try {
      const stack = await this.stackOf(series);
      this.marks.addStack(stack);
      await pane.show(stack, start);
    } catch (error) {
      pane.fail(sentence(error), () => void this.openIn(pane, series, start));
    }
    this.reflect();
  }

  private async goTo(reference: Reference): Promise<void> {
    const series = this.series.find(({ uid }) => uid === reference.series);
    const { active } = this;
    if (!series || !active) return;
    const stack = await this.stackOf(series).catch(() => null);
    const index = stack?.frames.findIndex((one) => one.instance === reference.instance && one.frame === reference.frame) ?? -1;
    if (index < 0) return;
    if (active.stack === stack && !active.file) active.goTo(index);
    else await this.openIn(active, series, { index });
  }

  private goToKeyImage(image: KeyImage): Promise<void> {
    return this.goTo({ study: "", series: image.series_uid, instance: image.instance_uid, frame: image.frame });
  }

  private setLayout(layout: Layout): void {
    this.layout = layout;
    const count = PANES[layout];
    for (const pane of this.panes.splice(count)) {
      pane.disable(this.group);
      pane.element.remove();
      if (this.active === pane) this.active = null;
    }
    this.stage.dataset.layout = layout;
    while (this.panes.length < count) {
      const pane = new StackPane(`pane-${this.panes.length}`, {
        onActivate: (chosen) => this.activate(chosen),
        onViewChange: () => this.viewChanged(),
        onDrop: (chosen, uid) => {
          this.activate(chosen);
          const series = this.series.find((one) => one.uid === uid);
          if (series) void this.open(series);
        },
      });
      this.panes.push(pane);
      this.stage.append(pane.element);
      pane.enable(this.engine, this.group);
    }
    for (const id of LAYOUTS) this.toolbar.press(`layout-${id}`, id === layout);
    this.activate(this.active ?? (this.panes[0] as StackPane));
    this.engine.resize(true, true);
    this.viewChanged();
  }

  private activate(pane: StackPane): void {
    if (this.active === pane) return;
    this.active = pane;
    for (const one of this.panes) one.setActive(one === pane);
    this.reflect();
  }

  /** Brings toolbar and strip in step with the active pane. */
  private reflect(): void {
    const { active } = this;
    const file = active?.file ?? null;
    this.strip.setCurrent(file ? "file" : "series", file ? file.id : (active?.stack?.series.uid ?? null));
    this.pageList.setCurrent(file ? null : (active?.stack?.series.uid ?? null));
    this.toolbar.offerPresets((preset) => !file && (active?.presetFits(preset) ?? false));
    for (const id of ["length", "arrow", "probe", "window", "invert", "flip", "key-image"]) {
      this.toolbar.enable(id, !file && active?.stack !== null);
    }
  }

  private chooseTool(tool: ToolId): void {
    setTool(this.group, tool, this.settings.readonly);
    for (const id of Object.keys(TOOLS)) this.toolbar.press(id, id === tool);
    this.root.dataset.tool = tool;
  }

  private preset(preset: Preset): void {
    this.active?.applyPreset(preset);
    this.active?.focus();
  }

  private actions(): Actions {
    return {
      setTool: (tool) => this.chooseTool(tool),
      invert: () => this.active?.invert(),
      rotate: () => this.active?.rotate(90),
      flip: (axis) => this.active?.flip(axis),
      reset: () => this.active?.reset(),
      preset: (preset) => this.preset(preset),
      layout: (layout) => this.setLayout(layout),
      nextLayout: () => this.setLayout(LAYOUTS[(LAYOUTS.indexOf(this.layout) + 1) % LAYOUTS.length] ?? "1x1"),
      step: (by) => this.active?.step(by),
      ends: (last) => this.active?.goTo(last ? Number.MAX_SAFE_INTEGER : 0),
      series: (by) => {
        const at = this.series.findIndex(({ uid }) => uid === this.active?.stack?.series.uid);
        const next = this.series[at + by];
        if (next) void this.open(next);
      },
      zoom: (factor) => this.active?.zoomBy(factor),
      markKeyImage: () => void this.markKeyImage(),
      removeMark: () => this.removeMarks(),
      undo: () => this.undo(),
      toggleMarks: () => this.toggleMarks(),
      toggleStrip: () => this.showStrip(this.strip.element.hidden === true),
      help: () => {
        const listed = this.commands.filter(({ id }) => !id.startsWith("layout-"));
        showKeys(this.root, listed);
      },
    };
  }

  private onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest("dialog") || target.matches("select, input:not([type=range])")) return;
    // Arrows belong to the slider and to buttons' own habits only while those have the focus.
    if (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(event.key)) return;
    const command = commandFor(this.commands, event);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    command.run();
  }

  private async askText(current: string): Promise<string | null> {
    const answer = await ask(this.root, {
      title: current ? t("Change the text") : t("Text of the arrow"),
      label: t("Text"),
      confirm: current ? t("Change") : t("Add"),
      value: current,
    });
    this.active?.focus();
    return answer || null;
  }

  private async markKeyImage(): Promise<void> {
    const pane = this.active;
    const frame = pane?.stack?.frames[pane.index];
    if (!pane || !frame || !this.keyImages || pane.file || !pane.stack) return;
    const series = pane.stack.series.uid;
    // Chosen marks have another colour on the screen; the report shows all alike.
    this.marks.deselect();
    utilities.triggerAnnotationRenderForViewportIds([pane.id]);
    await nextFrames();
    const png = await capture(pane);
    if (!png) return;
    const caption = await ask(this.root, {
      title: t("Key image for the report"),
      label: t("Caption"),
      confirm: t("Mark as key image"),
      optional: true,
      picture: png,
    });
    pane.focus();
    if (caption === null) return;
    try {
      await this.keyImages.add({ series_uid: series, instance_uid: frame.instance, frame: frame.frame, caption, png });
      this.say(t("Marked as key image. The report shows it."));
      await this.loadKeyImages();
      this.root.dispatchEvent(new CustomEvent("key-images-changed", { bubbles: true }));
    } catch (error) {
      this.say(t("The key image was not saved: {reason}", { reason: sentence(error) }));
    }
  }

  private async removeKeyImage(image: KeyImage): Promise<void> {
    try {
      await this.keyImages?.remove(image.id);
      this.say(t("Removed from the report."));
      await this.loadKeyImages();
      this.root.dispatchEvent(new CustomEvent("key-images-changed", { bubbles: true }));
    } catch (error) {
      this.say(t("The key image was not removed: {reason}", { reason: sentence(error) }));
    }
  }

  private removeMarks(): void {
    const removed = this.marks.selected().flatMap((uid) => this.marks.remove(uid) ?? []);
    if (removed.length === 0) {
      this.say(t("Choose a measurement or an arrow first, then delete it."));
      return;
    }
    this.removed = removed;
    this.redrawMarks();
    this.say(t("Deleted."), { label: t("Undo"), run: () => this.undo() });
  }

  private undo(): void {
    for (const mark of this.removed.splice(0)) this.marks.putBack(mark);
    this.redrawMarks();
    this.hush();
  }

  private toggleMarks(): void {
    const hidden = !this.root.hasAttribute("data-marks-hidden");
    this.root.toggleAttribute("data-marks-hidden", hidden);
    this.toolbar.press("marks", !hidden);
  }

  private redrawMarks(): void {
    utilities.triggerAnnotationRenderForViewportIds(this.panes.map(({ id }) => id));
  }

  private showStrip(shown: boolean): void {
    this.strip.element.hidden = !shown;
    this.toolbar.press("strip", shown);
  }

  private marksChanged(): void {
    this.listMarks();
    if (!this.settings.readonly) this.store?.marksChanged();
  }

  private viewChanged(): void {
    if (!this.restoring && !this.settings.readonly) this.store?.viewChanged();
  }

  private listMarks(): void {
    const list = this.marks.save();
    const key = JSON.stringify(list.map(({ annotationUID, words }) => [annotationUID, words]));
    if (key === this.listedMarks) return;
    this.listedMarks = key;
    this.strip.showMarks(list);
  }

  private adopt(annotations: SavedAnnotation[]): void {
    this.marks.restore(annotations);
    this.listMarks();
    this.redrawMarks();
  }

  private state(): ViewerState {
    return { layout: this.layout, panes: this.panes.map((pane) => pane.view) };
  }

  private saySaved(state: SaveState, words: string): void {
    if (state === "conflict") {
      this.say(words, { label: t("Understood"), run: () => this.hush() });
      return;
    }
    this.status.dataset.state = state;
    setText(this.status, words);
  }

  /** A line at the foot, with one thing to do about it. */
  private say(words: string, action?: { label: string; run: () => void }): void {
    clearTimeout(this.noticeTimer);
    this.notice.hidden = false;
    this.notice.replaceChildren(words);
    if (action) {
      const run = (): void => {
        this.hush();
        action.run();
      };
      this.notice.append(h("button", { type: "button", class: "iv-button iv-button--text", onclick: run }, action.label));
    }
    this.noticeTimer = window.setTimeout(() => this.hush(), action ? 20_000 : 6000);
  }

  private hush(): void {
    clearTimeout(this.noticeTimer);
    this.notice.hidden = true;
    this.notice.replaceChildren();
  }
}

/** The tools draw in the next animation frame; after two of them the picture is as it was asked for. */
function nextFrames(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}

/** Starts the viewer of an element inside its frame. */
export async function mountViewer(root: HTMLElement, frame: HTMLElement): Promise<void> {
  const viewer = new Viewer(root, frame);
  await viewer.start();
}

