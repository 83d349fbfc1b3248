import { t } from "../shared/words";
import type { ToolId } from "./engine";
import { presets, type Preset } from "./presets";

export type Layout = "1x1" | "1x2" | "2x2";

/** What the viewer can be asked to do; the toolbar, the keys and the list of keys all come from one table of these. */
export interface Actions {
  setTool: (tool: ToolId) => void;
  invert: () => void;
  rotate: () => void;
  flip: (axis: "horizontal" | "vertical") => void;
  reset: () => void;
  preset: (preset: Preset) => void;
  layout: (layout: Layout) => void;
  nextLayout: () => void;
  step: (by: number) => void;
  ends: (last: boolean) => void;
  series: (by: number) => void;
  zoom: (factor: number) => void;
  markKeyImage: () => void;
  removeMark: () => void;
  undo: () => void;
  toggleMarks: () => void;
  toggleStrip: () => void;
  help: () => void;
}

export interface Command {
  id: string;
  label: string;
  /** Longer words for the tooltip and the list of keys. */
  does: string;
  /** Keys as the list shows them; the first is the one in the tooltip. */
  keys: string[];
  icon?: string;
  /** Where it stands in the toolbar; none: keys only. */
  group?: "tools" | "marks" | "image" | "layout" | "case" | "view";
  /** Shows as pressed; changed by the viewer. */
  toggles?: boolean;
  /** Not offered when the viewer is read only. */
  writes?: boolean;
  run: () => void;
}

const ICONS = {
  window: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M10 6.5h5.6M10 10h7M10 13.5h5.6",
  zoom: "M9 3a6 6 0 1 0 0 12a6 6 0 1 0 0-12M13.4 13.4l4.1 4.1M9 6.5v5M6.5 9h5",
  pan: "M10 2v16M2 10h16M7.6 4.4L10 2l2.4 2.4M7.6 15.6L10 18l2.4-2.4M4.4 7.6L2 10l2.4 2.4M15.6 7.6L18 10l-2.4 2.4",
  scroll: "M3 6.5l7-3.5l7 3.5l-7 3.5zM3 10l7 3.5l7-3.5M3 13.5l7 3.5l7-3.5",
  length: "M4 16L16 4M2.2 14.2l3.6 3.6M14.2 2.2l3.6 3.6",
  arrow: "M17 3L4 16M4 10v6h6",
  probe: "M10 2v5.5M10 12.5V18M2 10h5.5M12.5 10H18M9.9 10h.2",
  invert: "M3 3h14v14H3zM3 17L17 3M8 17l9-9M13 17l4-4",
  rotate: "M16.5 10A6.5 6.5 0 1 1 14.4 5.2M15 1.8v3.7h-3.7",
  flip: "M10 2.5v15M7.5 5v10H2zM12.5 5v10H18z",
  reset: "M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5M10 9.9v.2",
  one: "M3 4h14v12H3z",
  two: "M3 4h14v12H3zM10 4v12",
  four: "M3 4h14v12H3zM10 4v12M3 10h14",
  key: "M10 2.6l2.3 4.7l5.2.8l-3.8 3.6l.9 5.2l-4.6-2.4l-4.6 2.4l.9-5.2l-3.8-3.6l5.2-.8z",
  remove: "M4 6h12M8 6V3.5h4V6M5.8 6l.8 11h6.8l.8-11M8.5 9v5M11.5 9v5",
  marks: "M2 10s3-5 8-5s8 5 8 5s-3 5-8 5s-8-5-8-5zM10 7.7a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 1 0 0-4.6",
  strip: "M3 4h14v12H3zM8 4v12M5 7h1M5 10h1",
  help: "M2.5 5.5h15v9h-15zM5.5 8.2h.2M8.4 8.2h.2M11.3 8.2h.2M14.2 8.2h.2M6.5 11.7h7",
} as const;

/** What someone who does not read images for a living needs of the toolbar. */
const FOR_PATIENTS = new Set(["scroll", "window", "zoom", "pan", "rotate", "reset", "strip", "previous", "next", "zoom-in", "zoom-out"]);

/** The table. `patient`: few tools, in plain words. */
export function commandTable(actions: Actions, patient: boolean): Command[] {
  const table = fullTable(actions, patient);
  return patient ? table.filter(({ id }) => FOR_PATIENTS.has(id)) : table;
}

function fullTable(actions: Actions, patient: boolean): Command[] {
  const tool = (id: ToolId, label: string, does: string, key: string, group: "tools" | "marks", writes = false): Command => ({
    id,
    label,
    does,
    keys: [key],
    icon: ICONS[id],
    group,
    toggles: true,
    writes,
    run: () => actions.setTool(id),
  });
  const layout = (id: Layout, label: string, icon: string): Command => ({
    id: `layout-${id}`,
    label,
    does: t("Show {layout} images", { layout: label }),
    keys: ["G"],
    icon,
    group: "layout",
    toggles: true,
    run: () => actions.layout(id),
  });
  return [
    tool("scroll", t("Scroll"), t("Drag to go through the images"), "S", "tools"),
    patient
      ? tool("window", t("Brightness"), t("Drag to change brightness and contrast"), "W", "tools")
      : tool("window", t("Window"), t("Drag to change window width and level"), "W", "tools"),
    tool("zoom", t("Zoom"), t("Drag to zoom"), "Z", "tools"),
    tool("pan", patient ? t("Move") : t("Pan"), t("Drag to move the image"), "P", "tools"),
    tool("length", t("Length"), t("Measure a length"), "L", "marks", true),
    tool("arrow", t("Arrow"), t("Point at something, with a text"), "A", "marks", true),
    tool("probe", t("Value"), t("Read a grey value"), "V", "marks", true),
    {
      id: "remove-mark",
      label: t("Delete"),
      does: t("Delete the chosen measurement"),
      keys: ["Delete", "Backspace"],
      icon: ICONS.remove,
      group: "marks",
      writes: true,
      run: actions.removeMark,
    },
    { id: "invert", label: t("Invert"), does: t("Swap black and white"), keys: ["I"], icon: ICONS.invert, group: "image", run: actions.invert },
    { id: "rotate", label: t("Rotate"), does: t("Rotate by 90°"), keys: ["R"], icon: ICONS.rotate, group: "image", run: actions.rotate },
    {
      id: "flip",
      label: t("Flip"),
      does: t("Mirror left and right"),
      keys: ["H"],
      icon: ICONS.flip,
      group: "image",
      run: () => actions.flip("horizontal"),
    },
    { id: "flip-vertical", label: t("Flip"), does: t("Mirror top and bottom"), keys: ["F"], run: () => actions.flip("vertical") },
    { id: "reset", label: t("Reset"), does: t("Back to the image as stored"), keys: ["0"], icon: ICONS.reset, group: "image", run: actions.reset },
    layout("1x1", "1 × 1", ICONS.one),
    layout("1x2", "1 × 2", ICONS.two),
    layout("2x2", "2 × 2", ICONS.four),
    {
      id: "key-image",
      label: t("Key image"),
      does: t("Mark as key image for the report"),
      keys: ["K"],
      icon: ICONS.key,
      group: "case",
      writes: true,
      run: actions.markKeyImage,
    },
    {
      id: "marks",
      label: t("Marks"),
      does: t("Show or hide measurements and arrows"),
      keys: ["T"],
      icon: ICONS.marks,
      group: "view",
      toggles: true,
      run: actions.toggleMarks,
    },
    {
      id: "strip",
      label: patient ? t("Images") : t("Series"),
      does: t("Show or hide the list of series"),
      keys: ["B"],
      icon: ICONS.strip,
      group: "view",
      toggles: true,
      run: actions.toggleStrip,
    },
    { id: "help", label: t("Keys"), does: t("List the keyboard shortcuts"), keys: ["?"], icon: ICONS.help, group: "view", run: actions.help },
    ...presets().map((preset) => ({
      id: `preset-${preset.id}`,
      label: preset.label,
      does: t("Window: {name}", { name: preset.label }),
      keys: [preset.key],
      run: () => actions.preset(preset),
    })),
    { id: "previous", label: t("Previous image"), does: t("Previous image"), keys: ["ArrowUp", "ArrowLeft"], run: () => actions.step(-1) },
    { id: "next", label: t("Next image"), does: t("Next image"), keys: ["ArrowDown", "ArrowRight"], run: () => actions.step(1) },
    { id: "back-ten", label: t("Ten images back"), does: t("Ten images back"), keys: ["PageUp"], run: () => actions.step(-10) },
    { id: "on-ten", label: t("Ten images on"), does: t("Ten images on"), keys: ["PageDown"], run: () => actions.step(10) },
    { id: "first", label: t("First image"), does: t("First image"), keys: ["Home"], run: () => actions.ends(false) },
    { id: "last", label: t("Last image"), does: t("Last image"), keys: ["End"], run: () => actions.ends(true) },
    { id: "previous-series", label: t("Previous series"), does: t("Previous series"), keys: ["["], run: () => actions.series(-1) },
    { id: "next-series", label: t("Next series"), does: t("Next series"), keys: ["]"], run: () => actions.series(1) },
    { id: "zoom-in", label: t("Larger"), does: t("Larger"), keys: ["+", "="], run: () => actions.zoom(1.2) },
    { id: "zoom-out", label: t("Smaller"), does: t("Smaller"), keys: ["-"], run: () => actions.zoom(1 / 1.2) },
    { id: "next-layout", label: t("Layout"), does: t("Next layout"), keys: ["G"], run: actions.nextLayout },
    { id: "undo", label: t("Undo"), does: t("Bring back what was deleted"), keys: ["Ctrl+Z"], writes: true, run: actions.undo },
  ];
}

/** The command of a key press, or null. Letters count in both cases; combinations with Alt or Meta are the browser's. */
export function commandFor(
  table: readonly Command[],
  press: { key: string; ctrlKey: boolean; altKey: boolean; metaKey: boolean },
): Command | null {
  if (press.altKey) return null;
  const name = press.key.length === 1 ? press.key.toUpperCase() : press.key;
  const combination = press.ctrlKey || press.metaKey ? `Ctrl+${name}` : name;
  return table.findLast((command) => command.keys.includes(combination)) ?? null;
}
