// The report is saved as it is typed: PUT of the whole content with If-Match, one request at a time, a second after the last
// key. Offline it waits in memory; a conflict is shown as a difference and never overwritten.

const QUIET_MS = 1000;
const RETRY_MS = 5000;

/** "regions.0.status" = "normal" → {regions: [{status: "normal"}]}; empty fields are left to the server's defaults. */
export function toContent(entries) {
  const root = {};
  for (const [path, value] of entries) {
    if (value === "" || path === "etag") continue;
    const parts = path.split(".");
    let at = root;
    parts.forEach((part, index) => {
      if (index === parts.length - 1) at[part] = part === "teeth" ? value.split(/[\s,]+/).filter(Boolean) : value;
      else at = at[part] ??= /^\d+$/.test(parts[index + 1]) ? [] : {};
    });
  }
  for (const [key, value] of Object.entries(root)) if (Array.isArray(value)) root[key] = value.filter(Boolean);
  return root;
}

/** What still stands between the draft and a signature, as the server counts it after each save. */
function showChecks(missing) {
  if (!Array.isArray(missing)) return;
  for (const place of document.querySelectorAll("[data-checks]")) {
    place.hidden = missing.length === 0;
    place.querySelector("ul").replaceChildren(...missing.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  }
  for (const form of document.querySelectorAll("[data-unless-checks]")) form.hidden = missing.length > 0;
}

class Autosave {
  constructor(form, word, conflict) {
    Object.assign(this, { form, word, conflict, etag: form.dataset.etag, timer: 0, busy: false, dirty: false });
    form.addEventListener("input", () => this.changed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    addEventListener("online", () => this.dirty && this.save());
    addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
    document.addEventListener("visibilitychange", () => document.hidden && this.dirty && this.save());
  }

  say(state, text) {
    this.word.dataset.state = state;
    this.word.textContent = text;
  }

  changed() {
    this.dirty = true;
    if (this.word.dataset.state !== "conflict") this.say("unsaved", "Not saved yet");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), QUIET_MS);
  }

  /** Resolves to true when everything typed is on the server. */
  async save() {
    clearTimeout(this.timer);
    if (this.busy || this.word.dataset.state === "conflict") return false;
    if (!this.dirty) return true;
    this.busy = true;
    this.dirty = false;
    try {
      const response = await fetch(this.form.dataset.autosave, {
        method: "PUT",
        headers: { "Content-Type": "application/json", "If-Match": this.etag },
        body: JSON.stringify(toContent(new FormData(this.form))),
      });
      if (response.ok) {
        this.etag = response.headers.get("ETag") ?? this.etag;
        showChecks((await response.json().catch(() => ({}))).missing);
        if (!this.dirty) this.say("saved", `Saved ${new Date().toLocaleTimeString(document.documentElement.lang, { hour12: false })}`);
      } else if (response.status === 409 || response.status === 412) {
        this.dirty = true;
        this.clash(await response.json().catch(() => ({})));
      } else {
        this.dirty = true;
        const problem = await response.json().catch(() => ({}));
        this.say("offline", response.status === 401 ? "Signed out: sign in in another tab, then go on" : problem.title ?? "Not saved: trying again");
        if (response.status >= 500 || response.status === 401) this.timer = setTimeout(() => this.save(), RETRY_MS);
      }
    } catch {
      this.dirty = true;
      this.say("offline", "Offline: kept here until the connection is back");
      this.timer = setTimeout(() => this.save(), RETRY_MS);
    } finally {
      this.busy = false;
    }
    return !this.dirty;
  }

  clash(theirs) {
    this.say("conflict", "Changed elsewhere");
    const box = document.createElement("div");
    box.className = "stack stack--tight";
    box.innerHTML = '<h3></h3><p class="quiet"></p><div class="diff"><del></del><ins></ins></div><div class="cluster"><a class="button button--small"></a></div>';
    const [title, text, diff, row] = box.children;
    title.textContent = "This draft was changed in another window";
    text.textContent = "Copy what you need from here, then load the newer draft. Yours is below, theirs above.";
    diff.children[0].textContent = theirs.current?.impression ?? theirs.detail ?? "";
    diff.children[1].textContent = this.form.elements.impression?.value ?? "";
    row.firstChild.textContent = "Load the newer draft";
    row.firstChild.href = location.pathname;
    row.firstChild.addEventListener("click", () => (this.dirty = false));
    this.conflict.replaceChildren(box);
    this.conflict.scrollIntoView({ block: "nearest" });
  }
}

const form = document.querySelector("form[data-autosave]");
if (form) {
  const autosave = new Autosave(form, document.querySelector("[data-saved]"), document.querySelector("[data-conflict]"));
  // A signature must cover what is on the screen: save first, then send.
  document.addEventListener("submit", (event) => {
    const after = event.target;
    if (!after.matches("[data-after-save]") || !autosave.dirty) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void autosave.save().then((done) => done && after.requestSubmit());
  }, true);
}
