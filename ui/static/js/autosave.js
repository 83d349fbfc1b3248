// The report is saved as it is typed: PUT of the whole draft with If-Match, one request at a time, a second after the last
// key. Offline it waits in memory; a conflict is shown as a difference and never overwritten without a word.

import { differences, toDraft } from "./report-content.js";
import { language, plural, t } from "./words.js";

const QUIET_MS = 1000;
const RETRY_MS = 5000;
const SHOWN = 12;

/** What still stands between the draft and a signature, as the server counts it after each save. */
function showChecks(missing) {
  if (!Array.isArray(missing)) return;
  for (const place of document.querySelectorAll("[data-checks]")) {
    place.hidden = missing.length === 0;
    place.querySelector("ul").replaceChildren(...missing.map(({ message, label }) => Object.assign(document.createElement("li"), { textContent: t(message).replace("%(label)s", t(label)) })));
  }
  for (const form of document.querySelectorAll("[data-unless-checks]")) form.hidden = missing.length > 0;
}

/** How many regions the reader has not looked at yet, beside the section's title. */
function countRegions(form) {
  const note = form.querySelector(".regions")?.closest("details")?.querySelector("summary > .end");
  if (!note) return;
  const open = [...form.querySelectorAll(".region")].filter((region) => !region.querySelector(":checked")).length;
  note.textContent = open ? plural(open, "{n} region not marked", "{n} regions not marked") : "";
}

const element = (tag, className, ...children) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

class Autosave {
  constructor(form, word, conflict) {
    Object.assign(this, { form, word, conflict, etag: form.dataset.etag, timer: 0, busy: null, dirty: false, clashed: false });
    form.addEventListener("input", () => this.changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    addEventListener("online", () => this.dirty && this.save());
    addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
    document.addEventListener("visibilitychange", () => document.hidden && this.dirty && this.save());
    document.addEventListener("odonto:event", () => void this.recount());
  }

  say(state, text) {
    this.word.dataset.state = state;
    this.word.textContent = text;
    const note = document.querySelector("[data-offline-note]");
    if (note) note.hidden = state !== "offline";
  }

  changed() {
    this.dirty = true;
    countRegions(this.form);
    if (!this.clashed) this.say("unsaved", t("Not saved yet"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), QUIET_MS);
  }

  /** Resolves to true when everything typed is on the server. */
  async save() {
    clearTimeout(this.timer);
    if (this.busy) await this.busy;
    if (this.clashed) return false;
    if (!this.dirty) return true;
    this.busy = this.send();
    try {
      await this.busy;
    } finally {
      this.busy = null;
    }
    return !this.dirty;
  }

  async send() {
    this.dirty = false;
    const draft = toDraft(this.form.elements);
    let response;
    try {
      response = await fetch(this.form.dataset.autosave, {
        method: "PUT",
        headers: { "Content-Type": "application/json", "If-Match": this.etag },
        body: JSON.stringify(draft),
      });
    } catch {
      this.again("offline", t("Offline: kept here until the connection is back"));
      return;
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) {
      this.saved(response.headers.get("ETag"), answer);
    } else if (response.status === 412 && answer.current) {
      this.dirty = true;
      this.clash(answer.current, response.headers.get("ETag"), draft);
    } else if (response.status === 401) {
      this.again("unsaved", t("Signed out: sign in in another tab, then go on"));
    } else if (response.status === 403 || response.status === 404) {
      this.dirty = true;
      this.say("conflict", response.status === 403 ? t("Not saved: the report cannot be changed now") : t("Not saved: the case is with someone else now"));
    } else if (response.status >= 500 || response.status === 429) {
      this.again("unsaved", t("Not saved: trying again"));
    } else {
      this.dirty = true;
      this.point(answer);
    }
  }

  again(state, text) {
    this.dirty = true;
    this.say(state, text);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), RETRY_MS);
  }

  saved(etag, answer) {
    this.etag = etag ?? this.etag;
    for (const field of this.form.querySelectorAll("[data-refused]")) {
      field.removeAttribute("aria-invalid");
      delete field.dataset.refused;
    }
    for (const hash of document.querySelectorAll('input[name="draft_hash"]')) hash.value = answer.draft_hash;
    this.form.elements.etag.value = this.etag;
    showChecks(answer.missing);
    if (!this.dirty) this.say("saved", t("Saved {time}", { time: new Date().toLocaleTimeString(language(), { hour12: false }) }));
  }

  /** Questions are asked and answered beside the report, and stand between it and a signature. */
  async recount() {
    const response = await fetch(this.form.dataset.autosave.replace(/draft$/, "missing")).catch(() => null);
    if (response?.ok) showChecks((await response.json()).items);
  }

  /** The server cannot read a field: it is marked, and named by its label. */
  point(problem) {
    const path = (problem.errors?.[0]?.field ?? "").replace(/^content\./, "");
    const parts = path.split(".");
    let field = null;
    while (parts.length && !(field = this.form.elements[parts.join(".")])) parts.pop();
    if (field instanceof RadioNodeList) field = field[0];
    if (field) {
      field.setAttribute("aria-invalid", "true");
      field.dataset.refused = "";
      field.closest("details")?.setAttribute("open", "");
    }
    this.say("conflict", field ? t("Not saved: check “{field}”", { field: this.label(field.name) }) : t(problem.detail ?? problem.title ?? t("Not saved")));
  }

  label(path) {
    const field = [...this.form.elements].find((each) => each.name === path);
    const name = field?.labels?.[0]?.closest("[role=radiogroup]")?.getAttribute("aria-label") ?? field?.labels?.[0]?.textContent ?? field?.getAttribute("aria-label");
    const section = field?.closest("details.report-section")?.querySelector("summary")?.firstChild?.nextSibling?.textContent?.trim();
    return [section, name?.trim()].filter((word, index, all) => word && all.indexOf(word) === index).join(", ") || path;
  }

  clash(theirs, etag, mine) {
    this.clashed = true;
    this.say("conflict", t("Changed elsewhere"));
    const different = differences(theirs, mine);
    const rows = different.slice(0, SHOWN).map(({ path, theirs: a, mine: b }) =>
      element("div", "", element("p", "fine", this.label(path)), element("div", "diff", ...(a ? [element("del", "", t("Theirs: {text}", { text: a }))] : []), ...(b ? [element("ins", "", t("Yours: {text}", { text: b }))] : []))),
    );
    const keep = element("button", "button button--small button--primary", t("Keep mine"));
    const load = element("button", "button button--small", t("Load theirs"));
    keep.type = load.type = "button";
    keep.addEventListener("click", () => {
      this.etag = etag ?? this.etag;
      this.clashed = false;
      this.conflict.replaceChildren();
      void this.save();
    });
    load.addEventListener("click", () => {
      this.dirty = false;
      location.assign(location.pathname);
    });
    this.conflict.replaceChildren(
      element(
        "div",
        "stack stack--tight",
        element("h3", "", t("This draft was changed in another window")),
        element("p", "quiet", different.length ? t("Nothing of yours is lost: it is all in the form below. Where the two differ:") : t("Nothing of yours is lost. The two say the same.")),
        element("div", "conflicts", ...rows),
        ...(different.length > SHOWN ? [element("p", "fine", plural(different.length - SHOWN, "And {n} more.", "And {n} more."))] : []),
        element("div", "cluster", keep, load),
      ),
    );
    this.conflict.scrollIntoView({ block: "nearest" });
  }
}

const form = document.querySelector("form[data-autosave]");
if (form) {
  const autosave = new Autosave(form, document.querySelector("[data-saved]"), document.querySelector("[data-conflict]"));
  // A signature must cover what is on the screen: save first, then send.
  document.addEventListener("submit", (event) => {
    const after = event.target;
    if (!after.matches("[data-after-save]") || !(autosave.dirty || autosave.busy)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void autosave.save().then((done) => done && after.requestSubmit());
  }, true);
}
