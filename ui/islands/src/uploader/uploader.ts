import "./uploader.css";

import { ensureStylesheet, h } from "../shared/dom";
import { sendJson, sentence } from "../shared/http";
import { mountIslands } from "../shared/mount";
import { bytes, plural, t } from "../shared/words";
import { isSentElsewhere } from "./alone";
import { fromDrop, fromInput, type Collected } from "./collect";
import { UploadQueue } from "./queue";
import { RateMeter } from "./rate";
import { ResumeStore } from "./resume";
import { abilitiesOf, tusTransfers, type Home, type ServerAbilities } from "./transport";
import { keepPage } from "./stay";
import { thereWords, UploadView } from "./view";

/** How long a row says that its files are stored. The page's own list shows them meanwhile. */
const STORED_SHOWN_MS = 10_000;

/** What the page says of the files that are welcome here. */
interface Welcome {
  words: string;
  kinds: string;
  veil: string;
  folders: boolean;
  accept: string;
}

function welcomeOf(home: Home, maxBytes: number): Welcome {
  if (home.name === "case_id") {
    return {
      words: t("Drop files or folders anywhere on this page"),
      kinds: t("DICOM files, folders and ZIP archives, PDF, photographs (JPEG, PNG, TIFF, WebP, HEIC) or surface scans (STL, PLY)"),
      veil: t("Drop to upload to this case"),
      folders: true,
      accept: "",
    };
  }
  const kinds = t("PDF, or photographs: JPEG, PNG, TIFF, WebP or HEIC");
  return {
    words: t("Drop documents anywhere on this page"),
    kinds: Number.isFinite(maxBytes) ? t("{kinds}, up to {size} each", { kinds, size: bytes(maxBytes) }) : kinds,
    veil: t("Drop to add to this patient's record"),
    folders: false,
    accept: ".pdf,application/pdf,image/jpeg,image/png,image/tiff,image/webp,image/heic,.heic",
  };
}

/**
 * The uploader: `<div data-island="uploader" data-case-id data-endpoint data-max-bytes>`, or `data-patient-id` for a
 * patient's record; optional `data-settled-url` (of a case) and `data-sign-in-url`. It fires `uploads-finished`
 * (bubbling, `detail.stored`) when all that was queued has ended, after it told the server that a case's batch is complete.
 */
function mount(root: HTMLElement): void {
  const { caseId = "", patientId } = root.dataset;
  const home: Home = patientId ? { name: "patient_id", id: patientId } : { name: "case_id", id: caseId };
  const endpoint = root.dataset.endpoint ?? "/api/v1/uploads";
  const settledUrl = root.dataset.settledUrl ?? `/api/v1/cases/${encodeURIComponent(caseId)}/files/settled`;
  const signInUrl = root.dataset.signInUrl ?? "/sign-in";
  const maxBytes = Number(root.dataset.maxBytes) || Number.POSITIVE_INFINITY;

  const meter = new RateMeter();
  const store = new ResumeStore(localStorage, home.id);
  let abilities: Promise<ServerAbilities> | null = null;
  const queue = new UploadQueue({
    open: tusTransfers({ endpoint, home, store, abilities: () => (abilities ??= abilitiesOf(endpoint)) }),
    onChange: () => {
      view.changed();
      rest();
    },
    onBytes: (n) => meter.add(n, performance.now()),
    onSettled: (stored) => void settle(stored),
    maxBytes,
  });
  const view = new UploadView({ queue, signInUrl, bytesPerSecond: () => meter.perSecond(performance.now()) });

  let settling = false;
  const rest = keepPage(
    () => queue.busy || settling,
    (words) => {
      hint.textContent = words;
    },
  );

  async function settle(stored: number): Promise<void> {
    settling = true;
    rest();
    meter.reset();
    store.forgetDone();
    view.say(plural(stored, "{n} file stored.", "{n} files stored."));
    const there = queue.items.filter((item) => item.wasThere).length;
    known.textContent = there > 0 ? `${thereWords(there)}.` : "";
    try {
      // A treatment document is checked when it arrives, a case's files together.
      if (home.name === "case_id") await sendJson("POST", settledUrl, {});
    } catch (error) {
      // The files are stored; only the server's next look at them waits.
      hint.textContent = t("The files are stored, but their check has not begun: {reason}", { reason: sentence(error) });
    }
    const topic = home.name === "case_id" ? `files:${home.id}` : "";
    root.dispatchEvent(new CustomEvent("uploads-finished", { bubbles: true, detail: { stored, topic } }));
    settling = false;
    rest();
    setTimeout(() => {
      if (!queue.busy) queue.forgetStored();
    }, STORED_SHOWN_MS);
  }

  const hint = h("p", { class: "dropzone-hint", role: "status" });
  const known = h("p", { class: "dropzone-known", role: "status" });
  const begun = store.unfinished();
  if (begun.length > 0) {
    void isSentElsewhere(begun).then((elsewhere) => {
      if (queue.groups.length > 0) return;
      hint.textContent ||= elsewhere
        ? t("Files are being sent in another tab of this browser.")
        : t("An upload was interrupted. Choose the same files or folder again: it goes on where it stopped.");
    });
  }

  function take(collected: Collected): void {
    const { picked, leftOut } = collected;
    hint.textContent =
      picked.length === 0 && leftOut === 0
        ? t("There was no file in it.")
        : leftOut > 0
          ? plural(leftOut, "{n} file was left out: a system file or a program.", "{n} files were left out: system files or programs.")
          : "";
    if (picked.length > 0) queue.add(picked);
  }

  root.classList.add("uploader");
  const welcome = welcomeOf(home, maxBytes);
  root.replaceChildren(dropZone(welcome, take), hint, known, view.element);
  dropAnywhere(root, welcome.veil, take);

  addEventListener("online", () => queue.online());
  addEventListener("offline", () => queue.offline());
  addEventListener("beforeunload", (event) => {
    if (queue.busy) event.preventDefault();
  });
  setInterval(() => {
    if (queue.busy) view.changed();
  }, 1000);
}

function dropZone(welcome: Welcome, take: (collected: Collected) => void): HTMLElement {
  const picker = (directory: boolean): HTMLInputElement => {
    const input = h("input", { type: "file", multiple: true, hidden: true, webkitdirectory: directory, tabindex: -1 });
    if (welcome.accept) input.accept = welcome.accept;
    input.addEventListener("change", () => {
      if (input.files) take(fromInput(input.files));
      input.value = "";
    });
    return input;
  };
  const files = picker(false);
  const folder = picker(true);
  files.className = "upload-files";
  folder.className = "upload-folder";
  const canPickFolders = welcome.folders && "webkitdirectory" in folder && matchMedia("(pointer: fine)").matches;
  return h(
    "div",
    { class: "dropzone" },
    h("p", { class: "dropzone-words" }, welcome.words),
    h(
      "div",
      { class: "dropzone-actions" },
      h("button", { type: "button", class: "button", onclick: () => files.click() }, t("Choose files")),
      canPickFolders && h("button", { type: "button", class: "button", onclick: () => folder.click() }, t("Choose a folder")),
    ),
    h("p", { class: "dropzone-kinds" }, welcome.kinds),
    files,
    folder,
  );
}

/** The whole page takes a drop, and says so while something is dragged over it. */
function dropAnywhere(root: HTMLElement, words: string, take: (collected: Collected) => void): void {
  const veil = h("div", { class: "dropzone-veil", hidden: true }, h("p", {}, words));
  root.append(veil);
  const bringsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  let depth = 0;
  const show = (on: boolean): void => {
    veil.hidden = !on;
    document.documentElement.classList.toggle("dropzone-active", on);
  };
  addEventListener("dragenter", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!bringsFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    if (!bringsFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    depth = 0;
    show(false);
    void fromDrop(event.dataTransfer).then(take);
  });
}

ensureStylesheet(import.meta.url, "uploader.css");
mountIslands("uploader", mount);
