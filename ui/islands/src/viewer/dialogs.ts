import { h } from "../shared/dom";
import { t } from "../shared/words";

/** Opens a modal dialog in the viewer's own colours; removed from the page when it closes. */
function open(root: HTMLElement, title: string, ...content: Node[]): HTMLDialogElement {
  const dialog = h("dialog", { class: "iv-dialog", "aria-label": title }, h("h2", {}, title), ...content);
  // The viewer's keys must not act on the image while a person types here.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => dialog.remove());
  root.append(dialog);
  dialog.showModal();
  return dialog;
}

export interface AskOptions {
  title: string;
  label: string;
  confirm: string;
  value?: string;
  optional?: boolean;
  picture?: string;
}

/** Asks for one line of text. Resolves to the text, or to null when the person turns back. */
export function ask(root: HTMLElement, options: AskOptions): Promise<string | null> {
  return new Promise((resolve) => {
    const input = h("input", { type: "text", name: "text", maxlength: 200, autocomplete: "off", required: !options.optional });
    input.value = options.value ?? "";
    const form = h(
      "form",
      { method: "dialog" },
      options.picture !== undefined && h("img", { class: "iv-dialog-picture", src: options.picture, alt: "" }),
      h("label", {}, options.label, input),
      h(
        "div",
        { class: "iv-dialog-actions" },
        h("button", { type: "button", class: "iv-button iv-button--text", onclick: () => dialog.close() }, t("Cancel")),
        h("button", { type: "submit", class: "iv-button iv-button--text iv-button--primary" }, options.confirm),
      ),
    );
    let answer: string | null = null;
    form.addEventListener("submit", () => (answer = input.value.trim()));
    const dialog = open(root, options.title, form);
    dialog.addEventListener("close", () => resolve(answer));
    input.focus();
    input.select();
  });
}

const SYMBOLS: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "Page ↑", PageDown: "Page ↓" };

/** Lists the keyboard shortcuts. */
export function showKeys(root: HTMLElement, keys: { keys: string[]; does: string }[]): void {
  const rows = keys.map(({ keys: alternatives, does }) =>
    h("div", {}, h("dt", {}, ...alternatives.map((key) => h("kbd", {}, SYMBOLS[key] ?? key))), h("dd", {}, does)),
  );
  const close = h(
    "form",
    { method: "dialog", class: "iv-dialog-actions" },
    h("button", { type: "submit", class: "iv-button iv-button--text iv-button--primary" }, t("Close")),
  );
  const note = h("p", {}, t("Keys work while the viewer has the focus. The wheel scrolls, the right button zooms, the middle button moves the image."));
  const dialog = open(root, t("Keyboard shortcuts"), h("dl", { class: "iv-keys" }, ...rows), note, close);
  dialog.classList.add("iv-dialog--wide");
}
