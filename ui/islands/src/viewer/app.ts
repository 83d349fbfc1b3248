import type { Types as ToolTypes } from "@cornerstonejs/tools";
import { h } from "../shared/dom";
import { t } from "../shared/words";
import { Catalog } from "./catalog";
import { commandFor, commandTable, type Actions, type Command } from "./commands";
import { ask, showKeys } from "./dialogs";
import { setTool, startEngine, startTools, TOOLS, type ToolId } from "./engine";
import { listFiles } from "./files";
import { Foot } from "./foot";
import { KeyImageDesk } from "./key_image_desk";
import { KeyImages, type KeyImage } from "./key_images";
import { MarkDesk } from "./mark_desk";
import type { Preset } from "./presets";
import { keyOf } from "./series";
import { settingsOf, type Settings } from "./settings";
import { LAYOUTS, Stage } from "./stage";
import { Strip } from "./strip";
import { Toolbar } from "./toolbar";

/** Tools that mean nothing on a photograph or a document. */
const FOR_IMAGES = ["length", "arrow", "probe", "window", "invert", "flip", "key-image"];

/** The viewer of one element: joins panes, tools, marks, key images and lists. */
class Viewer {
  private readonly settings: Settings;
  private readonly group: ToolTypes.IToolGroup;
  private readonly commands: Command[];
  private readonly toolbar: Toolbar;
  private readonly strip: Strip;
  private readonly stage: Stage;
  private readonly foot = new Foot();
  private readonly marks: MarkDesk;
  private readonly keyImages: KeyImageDesk | null;
  private readonly catalog: Catalog;

  constructor(
    mountedOn: HTMLElement,
    private readonly root: HTMLElement,
  ) {
    const settings = (this.settings = settingsOf(mountedOn));
    const engine = startEngine();
    this.group = startTools(settings.readonly, (current) => this.askText(current));
    this.commands = commandTable(this.actions(), settings.patient).filter(({ writes }) => !(settings.readonly && writes));
    this.toolbar = new Toolbar(this.commands, settings.patient ? null : (preset) => this.preset(preset));
    this.stage = new Stage(engine, this.group, {
      onChange: () => this.reflect(),
      onViewChange: () => this.marks.viewChanged(),
      onDrop: (pane, uid) => {
        this.stage.activate(pane);
        const series = this.catalog.find(uid);
        if (series) void this.catalog.open(series);
      },
    });
    this.strip = new Strip({
      onSeries: (series) => void this.catalog.open(series),
      onFile: (file) => {
        this.stage.active?.showFile(file);
        this.reflect();
      },
      onMark: ({ reference }) => void this.catalog.goTo(reference),
      onKeyImage: (image) =>
        void this.catalog.goTo({ series: image.series_uid, instance: image.instance_uid, frame: image.frame }),
      ...(settings.readonly ? {} : { onRemoveKeyImage: (image: KeyImage) => void this.keyImages?.remove(image) }),
    });
    this.marks = new MarkDesk(settings, this.stage, this.strip, this.foot);
    this.catalog = new Catalog(settings, this.stage, this.strip, this.marks.marks, () => this.reflect());
    this.keyImages = settings.keyImages
      ? new KeyImageDesk(root, new KeyImages(settings.keyImages), this.stage, this.marks.marks, this.strip, this.foot)
      : null;

    root.toggleAttribute("data-patient", settings.patient);
    const body = h("div", { class: "iv-body" }, this.strip.element, this.stage.element);
    root.replaceChildren(this.toolbar.element, body, this.foot.element);
    root.addEventListener("keydown", (event) => this.onKey(event));
    this.stage.setLayout("1x1");
    this.chooseTool(settings.readonly ? "scroll" : "window");
    this.toolbar.press("marks", true);
    this.showStrip(root.clientWidth >= 640);
  }

  /** Loads the lists, what was saved, and the first images. */
  async start(): Promise<void> {
    void this.loadFiles();
    void this.keyImages?.list();
    await this.open();
  }

  private async open(): Promise<void> {
    if (!(await this.catalog.list(() => void this.open()))) return;
    const state = await this.marks.load();
    if (state.layout && LAYOUTS.includes(state.layout)) this.stage.setLayout(state.layout);
    await this.catalog.restore(state.panes ?? []);
    this.marks.restored();
  }

  private async loadFiles(): Promise<void> {
    // With the order of the series come the files, too.
    if (!this.settings.files || this.settings.series) return;
    try {
      this.strip.showFiles(await listFiles(this.settings.files));
    } catch {
      // Photographs and documents are an addition; the images are there without them.
    }
  }

  /** Brings toolbar and list in step with the active pane. */
  private reflect(): void {
    const { active, layout } = this.stage;
    const file = active?.file ?? null;
    const series = active?.stack ? keyOf(active.stack.series) : null;
    this.strip.setCurrent(file ? "file" : "series", file ? file.id : series);
    this.toolbar.offerPresets((preset) => !file && (active?.presetFits(preset) ?? false));
    for (const id of LAYOUTS) this.toolbar.press(`layout-${id}`, id === layout);
    for (const id of FOR_IMAGES) this.toolbar.enable(id, !file && active?.stack !== null);
  }

  private chooseTool(tool: ToolId): void {
    setTool(this.group, tool, this.settings.readonly);
    for (const id of Object.keys(TOOLS)) this.toolbar.press(id, id === tool);
    this.root.dataset.tool = tool;
  }

  private preset(preset: Preset): void {
    this.stage.active?.applyPreset(preset);
    this.stage.active?.focus();
  }

  private actions(): Actions {
    return {
      setTool: (tool) => this.chooseTool(tool),
      invert: () => this.stage.active?.invert(),
      rotate: () => this.stage.active?.rotate(90),
      flip: (axis) => this.stage.active?.flip(axis),
      reset: () => this.stage.active?.reset(),
      preset: (preset) => this.preset(preset),
      layout: (layout) => this.stage.setLayout(layout),
      nextLayout: () => this.stage.nextLayout(),
      step: (by) => this.stage.active?.step(by),
      ends: (last) => this.stage.active?.goTo(last ? Number.MAX_SAFE_INTEGER : 0),
      series: (by) => this.catalog.openNeighbour(by),
      zoom: (factor) => this.stage.active?.zoomBy(factor),
      markKeyImage: () => void this.keyImages?.mark(),
      removeMark: () => this.marks.removeSelected(),
      undo: () => this.marks.undo(),
      toggleMarks: () => this.toggleMarks(),
      toggleStrip: () => this.showStrip(this.strip.element.hidden === true),
      help: () => showKeys(this.root, this.commands.filter(({ id }) => !id.startsWith("layout-"))),
    };
  }

  private onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest("dialog") || target.matches("select, input:not([type=range])")) return;
    // The slider keeps the keys that move it.
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
    this.stage.active?.focus();
    return answer || null;
  }

  private toggleMarks(): void {
    const hidden = !this.root.hasAttribute("data-marks-hidden");
    this.root.toggleAttribute("data-marks-hidden", hidden);
    this.toolbar.press("marks", !hidden);
  }

  private showStrip(shown: boolean): void {
    this.strip.element.hidden = !shown;
    this.toolbar.press("strip", shown);
  }
}

/** Starts the viewer of an element inside its frame. */
export async function mountViewer(root: HTMLElement, frame: HTMLElement): Promise<void> {
  const viewer = new Viewer(root, frame);
  await viewer.start();
}
