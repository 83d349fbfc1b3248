// Links to a <dialog> open it as a modal; without this module :target shows it in the page.

function open(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  dialog.querySelector("[data-focus], .input")?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link?.hasAttribute("data-close")) {
    event.preventDefault();
    link.closest("dialog")?.close();
    return;
  }
  const dialog = link && link.hash.length > 1 ? document.getElementById(link.hash.slice(1)) : null;
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    link.closest("details[data-menu]")?.removeAttribute("open");
    open(dialog);
    return;
  }
  // A click on the backdrop has the dialog itself as its target.
  if (event.target instanceof HTMLDialogElement) event.target.close();
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// A form that came back with errors is shown again where it was.
for (const dialog of document.querySelectorAll("dialog")) {
  if (dialog.querySelector(".error-summary")) open(dialog);
}
