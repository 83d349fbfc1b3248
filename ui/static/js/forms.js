// Forms: one command a click, errors in view, nothing typed is lost by leaving the page or by a server that is away.

import { t } from "./words.js";

document.querySelector("main .error-summary")?.focus();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    // The nonce would make the second one harmless; not sending it spares the person a second answer.
    event.preventDefault();
    return;
  }
  if (form.querySelector("textarea") && form.dataset.reached === undefined) {
    event.preventDefault();
    void sendWhereAnswered(form, event.submitter);
    return;
  }
  delete form.dataset.reached;
  form.dataset.sent = "true";
  form.removeAttribute("data-changed");
  event.submitter?.setAttribute("aria-busy", "true");
});

// What took a while to write is sent only where somebody answers: the browser's own page about a server that does not
// answer would take its place, and going back does not bring it back.
async function sendWhereAnswered(form, submitter) {
  if (form.dataset.asking) return;
  form.dataset.asking = "true";
  submitter?.setAttribute("aria-busy", "true");
  form.querySelector(":scope > [data-unsent]")?.remove();
  const reached = await answers();
  delete form.dataset.asking;
  submitter?.removeAttribute("aria-busy");
  if (reached) {
    form.dataset.reached = "";
    form.requestSubmit(submitter);
    return;
  }
  const note = document.createElement("p");
  note.className = "field-error";
  note.dataset.unsent = "";
  note.setAttribute("role", "alert");
  note.textContent = t("The server cannot be reached. What you typed is still here; please send it again in a moment.");
  form.append(note);
}

async function answers() {
  try {
    return (await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(8000) })).ok;
  } catch {
    return false;
  }
}

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

document.addEventListener("input", (event) => event.target.closest("form[data-guard]")?.setAttribute("data-changed", ""));

addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-guard][data-changed]")) event.preventDefault();
});

// A field is checked when it is left, by the browser's own rules and words.
document.addEventListener("focusout", (event) => {
  const field = event.target;
  if (!field.matches?.(".field .input") || field.type === "search") return;
  const own = field.closest(".field").querySelector(":scope > .field-error[data-own]");
  if (field.value === "" || field.validity.valid) {
    own?.remove();
    if (own) field.removeAttribute("aria-invalid");
    return;
  }
  if (own || field.getAttribute("aria-invalid") === "true") return;
  const error = document.createElement("p");
  error.className = "field-error";
  error.dataset.own = "";
  error.id = `${field.id}-own-error`;
  error.textContent = field.validationMessage;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${error.id} ${field.getAttribute("aria-describedby") ?? ""}`.trim());
  field.before(error);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

// Ctrl-Enter sends a message from its field.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.closest?.(".composer")?.requestSubmit();
});
