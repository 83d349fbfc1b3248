import "./viewer.css";

import { ensureStylesheet, h } from "../shared/dom";
import { mountIslands } from "../shared/mount";
import { t } from "../shared/words";

/**
 * The viewer: `<div data-island="viewer" data-case-id data-study data-root data-annotations>`; README.md lists all
 * attributes. The imaging libraries are a megabyte, so they are loaded only here.
 */
async function mount(root: HTMLElement): Promise<void> {
  const frame = h("div", { class: "iv", "data-scene": "reading" }, h("p", { class: "iv-boot", role: "status" }, t("Loading the viewer")));
  root.replaceChildren(frame);
  try {
    const { mountViewer } = await import("./app");
    await mountViewer(root, frame);
  } catch (error) {
    console.error(error);
    const again = h("button", { type: "button", class: "iv-button iv-button--text", onclick: () => location.reload() }, t("Reload the page"));
    frame.replaceChildren(h("p", { class: "iv-boot", role: "alert" }, t("The viewer could not be started in this browser."), " ", again));
  }
}

ensureStylesheet(import.meta.url, "viewer.css");
mountIslands("viewer", (root) => void mount(root));
