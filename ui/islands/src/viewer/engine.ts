import {
  cache,
  Enums,
  imageLoadPoolManager,
  imageRetrievalPoolManager,
  init as initCore,
  RenderingEngine,
} from "@cornerstonejs/core";
import { init as initLoader, wadors } from "@cornerstonejs/dicom-image-loader";
import {
  addTool,
  annotation,
  ArrowAnnotateTool,
  Enums as ToolEnums,
  init as initTools,
  LengthTool,
  PanTool,
  ProbeTool,
  StackScrollTool,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
  type Types as ToolTypes,
} from "@cornerstonejs/tools";
import { t } from "../shared/words";
import { Tag, text } from "./dicom_json";
import type { Stack } from "./series";
import { lengthWords, type Spacing } from "./spacing";

/** Tools of the primary button, by the name the rest of the viewer uses. */
export const TOOLS = {
  window: WindowLevelTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
  scroll: StackScrollTool.toolName,
  length: LengthTool.toolName,
  arrow: ArrowAnnotateTool.toolName,
  probe: ProbeTool.toolName,
} as const;
export type ToolId = keyof typeof TOOLS;

/** Tools that leave something on the image. */
const MARKING: readonly ToolId[] = ["length", "arrow", "probe"];

const GROUP = "viewer";
const MB = 1024 * 1024;
const { MouseBindings, KeyboardBindings } = ToolEnums;

/** What a tool needs to know about an image to write a number beside it. */
interface ImageFacts {
  spacing: Spacing;
  modality: string;
}
const facts = new Map<string, ImageFacts>();

/** Asks the person for a text; `null` when they gave none. */
export type AskText = (current: string) => Promise<string | null>;

/** Whether to be careful with memory: phones and tablets keep a window of the stack instead of all of it. */
export function isSmallDevice(): boolean {
  return matchMedia("(pointer: coarse)").matches && Math.min(screen.width, screen.height) < 900;
}

let engine: RenderingEngine | null = null;

/** Starts the libraries once a page and returns the one rendering engine; a second one would lose GPU memory. */
export function startEngine(): RenderingEngine {
  if (engine) return engine;
  initCore({ rendering: { webGlContextCount: isSmallDevice() ? 1 : 2 }, debug: { statsOverlay: false } });
  initLoader({ maxWebWorkers: Math.min(4, Math.max(1, (navigator.hardwareConcurrency || 2) - 1)) });
  initTools();
  cache.setMaxCacheSize((isSmallDevice() ? 256 : 1500) * MB);
  // The loader rejects a failed request twice: as an event, which the pane turns into a sentence, and once more unheard.
  addEventListener("unhandledrejection", (event) => {
    if (event.reason instanceof XMLHttpRequest) event.preventDefault();
  });
  // A browser opens six connections to one host and the page's event feed holds one: prefetching leaves room for what a
  // person asks for now.
  for (const pool of [imageLoadPoolManager, imageRetrievalPoolManager]) {
    pool.setMaxSimultaneousRequests(Enums.RequestType.Prefetch, 3);
  }
  engine = new RenderingEngine("viewer");
  return engine;
}

/** Registers the tools. `readonly`: marks are drawn and cannot be touched. */
export function startTools(readonly: boolean, askText: AskText): ToolTypes.IToolGroup {
  for (const tool of [
    WindowLevelTool,
    ZoomTool,
    PanTool,
    StackScrollTool,
    LengthTool,
    ArrowAnnotateTool,
    ProbeTool,
  ]) {
    addTool(tool);
  }
  styleMarks();
  const group = ToolGroupManager.getToolGroup(GROUP) ?? ToolGroupManager.createToolGroup(GROUP);
  if (!group) throw new Error("The tool group could not be made.");
  group.addTool(TOOLS.window);
  group.addTool(TOOLS.zoom, { zoomToCenter: false, pinchToZoom: true, pan: true });
  group.addTool(TOOLS.pan);
  group.addTool(TOOLS.scroll);
  group.addTool(TOOLS.length, { getTextLines: lengthLines });
  group.addTool(TOOLS.probe, { getTextLines: probeLines });
  group.addTool(TOOLS.arrow, {
    getTextCallback: (done: (label: string) => void) => void askText("").then((label) => done(label ?? "")),
    changeTextCallback: (mark: { data: { label?: string } }, _event: unknown, done: (label: string) => void) => {
      const current = mark.data.label ?? "";
      void askText(current).then((label) => done(label ?? current));
    },
  });
  for (const id of MARKING) {
    if (readonly) group.setToolEnabled(TOOLS[id]);
    else group.setToolPassive(TOOLS[id]);
  }
  setTool(group, readonly ? "scroll" : "window", readonly);
  return group;
}

/** Gives the primary button to a tool; wheel, right and middle button and two fingers keep theirs. */
export function setTool(group: ToolTypes.IToolGroup, tool: ToolId, readonly: boolean): void {
  for (const id of Object.keys(TOOLS) as ToolId[]) {
    if (!MARKING.includes(id)) group.setToolDisabled(TOOLS[id]);
    else if (!readonly) group.setToolPassive(TOOLS[id], { removeAllBindings: true });
  }
  const bindings = new Map<ToolId, { mouseButton?: number; modifierKey?: number; numTouchPoints?: number }[]>([
    ["scroll", [{ mouseButton: MouseBindings.Wheel }]],
    [
      "zoom",
      [
        { mouseButton: MouseBindings.Secondary },
        { mouseButton: MouseBindings.Wheel, modifierKey: KeyboardBindings.Ctrl },
        { numTouchPoints: 2 },
      ],
    ],
    ["pan", [{ mouseButton: MouseBindings.Auxiliary }, { mouseButton: MouseBindings.Primary, modifierKey: KeyboardBindings.Shift }]],
  ]);
  const own = bindings.get(tool) ?? [];
  bindings.set(tool, [...own, { mouseButton: MouseBindings.Primary }]);
  for (const [id, list] of bindings) group.setToolActive(TOOLS[id], { bindings: list });
}

/** Makes a stack's metadata known to the image library. */
export function registerStack(stack: Stack): void {
  for (const { imageId, instance } of stack.frames) {
    const data = stack.metadata.get(instance);
    if (!data || facts.has(imageId)) continue;
    facts.set(imageId, { spacing: stack.spacing(instance), modality: text(data, Tag.Modality) });
    wadors.metaDataManager.add(imageId, data as never);
  }
}

/** "12.3 mm" of a length mark, with the doubt that its image carries. */
export function lengthText(imageId: string, length: number | null | undefined): string {
  const known = facts.get(imageId);
  return known ? lengthWords(length, known.spacing, known.modality) : "";
}

type Stats = Record<string, { length?: number | null; value?: unknown } | undefined>;

function statsOf(data: { cachedStats?: Stats }, targetId: string): { length?: number | null; value?: unknown } {
  return data.cachedStats?.[targetId] ?? {};
}

function lengthLines(data: { cachedStats?: Stats }, targetId: string): string[] | undefined {
  const line = lengthText(targetId.replace(/^imageId:/, ""), statsOf(data, targetId).length);
  return line ? [line] : undefined;
}

function probeLines(data: { cachedStats?: Stats }, targetId: string): string[] | undefined {
  const { value } = statsOf(data, targetId);
  if (Array.isArray(value)) return [t("Colour {value}", { value: value.join(" / ") })];
  return typeof value === "number" ? [t("Grey value {value}", { value: Math.round(value) })] : undefined;
}

function styleMarks(): void {
  const line = "rgb(255, 214, 64)";
  const chosen = "rgb(120, 230, 255)";
  annotation.config.style.setDefaultToolStyles({
    global: {
      color: line,
      colorHighlighted: chosen,
      colorSelected: chosen,
      colorLocked: line,
      lineWidth: "1.75",
      lineDash: "",
      shadow: true,
      textBoxVisibility: true,
      textBoxFontFamily: 'system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif',
      textBoxFontSize: "14px",
      textBoxColor: line,
      textBoxColorHighlighted: chosen,
      textBoxColorSelected: chosen,
      textBoxColorLocked: line,
      textBoxBackground: "rgba(0, 0, 0, 0.65)",
      textBoxLinkLineDash: "2,3",
      textBoxLinkLineWidth: "1",
      textBoxShadow: true,
      markerSize: "8",
      angleArcLineDash: "",
    },
  } as never);
}
