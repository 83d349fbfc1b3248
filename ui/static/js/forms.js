// Forms: one command a click, errors in view, nothing typed is lost by leaving the page.

document.querySelector("main .error-summary")?.focus();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    // The nonce would make the second one harmless; not sending it spares the person a second answer.
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  form.removeAttribute("data-changed");
  event.submitter?.setAttribute("aria-busy", "true");
});

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
