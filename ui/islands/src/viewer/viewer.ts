import "./viewer.css";

import { ensureStylesheet, h } from "../shared/dom";
import { t } from "../shared/words";

/**
 * The viewer: `<div data-island="viewer" data-case-id data-study data-root data-annotations data-csrf [data-readonly]>`,
 * optionally `data-files` and `data-key-images` (an empty value: none). The imaging libraries are a megabyte, so they are
 * loaded only here.
 */
async function mount(root: HTMLElement): Promise<void> {
  const words = h("p", { class: "iv-boot", role: "status" }, t("Loading the viewer"));
  root.classList.add("iv");
  root.replaceChildren(words);
  try {
    const { mountViewer } = await import("./app");
    await mountViewer(root);
  } catch (error) {
    console.error(error);
    const again = h("button", { type: "button", class: "iv-button iv-button--text", onclick: () => location.reload() }, t("Reload the page"));
    root.replaceChildren(h("p", { class: "iv-boot", role: "alert" }, t("The viewer could not be started in this browser."), " ", again));
  }
}

ensureStylesheet(import.meta.url, "viewer.css");
for (const root of document.querySelectorAll<HTMLElement>('[data-island="viewer"]')) void mount(root);
