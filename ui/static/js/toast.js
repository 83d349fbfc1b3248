// Toasts leave by themselves after ten seconds, unless someone is at them.
const STAY_MS = 10_000;

function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), STAY_MS);
  else toast.remove();
}

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove());
for (const toast of document.querySelectorAll("[data-toast]")) setTimeout(() => leave(toast), STAY_MS);
