import { h, icon } from "../shared/dom";
import { t } from "../shared/words";
import type { Command } from "./commands";
import { presets, type Preset } from "./presets";

const GROUPS: { id: NonNullable<Command["group"]>; label: () => string }[] = [
  { id: "tools", label: () => t("Pointer") },
  { id: "marks", label: () => t("Measure") },
  { id: "image", label: () => t("Image") },
  { id: "layout", label: () => t("Layout") },
  { id: "case", label: () => t("Report") },
  { id: "view", label: () => t("View") },
];

/** The tools at the edge: an icon with its word, the key in the tooltip, grouped for screen readers. */
export class Toolbar {
  readonly element: HTMLElement;
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private readonly window: HTMLSelectElement;

  /** `onPreset`: null where no window presets are offered. */
  constructor(commands: readonly Command[], onPreset: ((preset: Preset) => void) | null) {
    const choices = presets();
    this.window = h(
      "select",
      { class: "iv-select", "aria-label": t("Window preset"), title: t("Window preset (keys 1 to 4)") },
      h("option", { value: "", hidden: true }, t("Presets")),
      ...choices.map((preset) => h("option", { value: preset.id }, preset.label)),
    );
    this.window.addEventListener("change", () => {
      const chosen = choices.find(({ id }) => id === this.window.value);
      this.window.value = "";
      if (chosen) onPreset?.(chosen);
    });
    this.element = h("div", { class: "iv-toolbar", role: "toolbar", "aria-label": t("Viewer tools") });
    for (const group of GROUPS) {
      const members = commands.filter((command) => command.group === group.id);
      if (members.length === 0) continue;
      const box = h("div", { class: `iv-group iv-group--${group.id}`, role: "group", "aria-label": group.label() });
      box.append(...members.map((command) => this.button(command)));
      if (group.id === "image" && onPreset) box.append(this.window);
      this.element.append(box);
    }
  }

  press(id: string, pressed: boolean): void {
    this.buttons.get(id)?.setAttribute("aria-pressed", String(pressed));
  }

  enable(id: string, enabled: boolean): void {
    const button = this.buttons.get(id);
    if (button) button.disabled = !enabled;
  }

  /** Presets that mean nothing on this image are not offered. */
  offerPresets(fits: (preset: Preset) => boolean): void {
    for (const preset of presets()) {
      const option = this.window.querySelector<HTMLOptionElement>(`option[value="${preset.id}"]`);
      if (option) option.disabled = !fits(preset);
    }
  }

  private button(command: Command): HTMLButtonElement {
    const button = h(
      "button",
      {
        type: "button",
        class: "iv-button",
        title: `${command.does} (${command.keys[0] ?? ""})`,
        "data-command": command.id,
        "aria-keyshortcuts": command.keys[0],
        onclick: command.run,
      },
      command.icon && icon(command.icon),
      h("span", { class: "iv-button-word" }, command.label),
    );
    if (command.toggles) button.setAttribute("aria-pressed", "false");
    this.buttons.set(command.id, button);
    return button;
  }
}
