// J/K through rows, / to search, ? for the list of keys, Ctrl-K for the palette. Single keys can be switched off (WCAG 2.1.4).

const KEY = "odontoflow.single-keys";
const isOn = () => localStorage.getItem(KEY) !== "off";
const isTyping = (element) => element?.closest?.("input, textarea, select, [contenteditable], [data-island]");

function step(by) {
  const links = [...document.querySelectorAll("[data-row] .case-link, [data-row] .row-link")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const palette = document.getElementById("palette");
const field = palette?.querySelector("input");
const list = palette?.querySelector("[role='listbox']");

/** Pages of the navigation and cases of the list on screen; nothing is kept. */
function places() {
  const pages = [...document.querySelectorAll("[data-go]")].map((a) => ({ word: a.dataset.go, url: a.href, kind: "" }));
  const rows = [...document.querySelectorAll("[data-row]")].map((row) => {
    const link = row.querySelector(".case-link, .row-link");
    return link && { word: link.textContent.trim(), url: link.href, kind: row.querySelector(".chip")?.textContent.trim() ?? "" };
  });
  return [...pages, ...rows.filter(Boolean)];
}

function fill() {
  const wanted = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = places().filter(({ word, kind }) => wanted.every((part) => `${word} ${kind}`.toLowerCase().includes(part)));
  list.replaceChildren(
    ...found.slice(0, 12).map(({ word, url, kind }, index) => {
      const item = document.createElement("a");
      item.className = "palette-item";
      item.href = url;
      item.id = `palette-${index}`;
      item.tabIndex = -1;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === 0));
      const note = document.createElement("span");
      note.className = "fine";
      note.textContent = kind;
      item.append(word, note);
      return item;
    }),
  );
  palette.querySelector("[data-palette-none]").hidden = found.length > 0;
  mark(0);
}

function mark(index) {
  const items = [...list.children];
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
  if (items[index]) field.setAttribute("aria-activedescendant", items[index].id);
  else field.removeAttribute("aria-activedescendant");
  items[index]?.scrollIntoView({ block: "nearest" });
}

function openPalette() {
  if (!palette || palette.open) return;
  palette.showModal();
  field.value = "";
  fill();
  field.focus();
}

field?.addEventListener("input", fill);
field?.addEventListener("keydown", (event) => {
  const items = [...list.children];
  const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") mark(Math.min(items.length - 1, at + 1));
  else if (event.key === "ArrowUp") mark(Math.max(0, at - 1));
  else if (event.key === "Enter") items[at]?.click();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-palette]")) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !isOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const act = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => document.getElementById("shortcuts")?.showModal(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const toggle = document.querySelector("[data-single-keys]");
if (toggle) {
  toggle.checked = isOn();
  toggle.addEventListener("change", () => localStorage.setItem(KEY, toggle.checked ? "on" : "off"));
}
