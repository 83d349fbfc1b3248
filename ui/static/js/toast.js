// What was just done is said to a screen reader, too, and leaves by itself after ten seconds, unless someone is at it. A toast
// that offers something to do, or tells of a failure, stays until it is dismissed.
const STAY_MS = 10_000;

function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), STAY_MS);
  else toast.remove();
}

document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove());
for (const toast of document.querySelectorAll("[data-toast]")) {
  // A live region speaks of what changes in it, not of what came with the page.
  const words = toast.querySelector("p");
  if (words) setTimeout(() => words.replaceChildren(words.textContent), 100);
  if (!toast.querySelector("form") && !toast.matches(".toast--bad")) setTimeout(() => leave(toast), STAY_MS);
}
