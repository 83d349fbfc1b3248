import "./viewer.css";

import { ensureStylesheet, h } from "../shared/dom";
import { mountIslands } from "../shared/mount";
import { t } from "../shared/words";

/**
 * The viewer: `<div data-island="viewer" data-case-id data-study data-root data-annotations data-csrf [data-readonly]>`,
 * optionally `data-files` and `data-key-images` (an empty value: none). A list of series that the page has itself
 * (`data-series="<uid>"` on its links) takes the place of the viewer's own. The imaging libraries are a megabyte, so they are
 * loaded only here.
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
