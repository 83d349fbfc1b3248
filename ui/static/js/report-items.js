// Findings, areas, recommendations and communications are added and removed in place; key images follow the viewer.

const form = document.getElementById("report-form");
const changed = () => form.dispatchEvent(new Event("input", { bubbles: true }));

/** Names, ids and labels of a list's items by their place, so that the server's errors name the right one. */
function number(list) {
  const kind = list.dataset.items;
  [...list.children].forEach((item, index) => {
    for (const element of item.querySelectorAll("[name], [id], [for]")) {
      for (const attribute of ["name", "id", "for"]) {
        const value = element.getAttribute(attribute);
        if (value?.startsWith(`${kind}.`)) element.setAttribute(attribute, value.replace(/^([^.]+)\.[^.]+/, `$1.${index}`));
      }
    }
  });
}

function add(kind) {
  const list = form.querySelector(`[data-items="${kind}"]`);
  const item = document.querySelector(`template[data-item-of="${kind}"]`).content.cloneNode(true);
  for (const id of item.querySelectorAll("[data-new-id]")) id.value = `f${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  for (const element of item.querySelectorAll("[data-script]")) element.hidden = false;
  list.append(item);
  number(list);
  list.lastElementChild.querySelector("textarea, input:not([type=hidden])").focus();
}

function remove(item) {
  const list = item.parentElement;
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  number(list);
  (next?.querySelector("[data-remove-item]") ?? form.querySelector(`[data-add-item="${list.dataset.items}"]`)).focus();
  changed();
}

/** The viewer took or removed a key image: the list is fetched, what was typed stays, a new one goes into the report. */
async function refreshKeyImages(region) {
  const known = new Map([...region.querySelectorAll("[data-key-image]")].map((row) => [row.dataset.keyImage, row]));
  const response = await fetch(region.dataset.keyImages, { headers: { Accept: "text/html", "X-Live-Region": "key-images" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
  for (const row of fresh.querySelectorAll("[data-key-image]")) {
    const before = known.get(row.dataset.keyImage);
    const box = row.querySelector("[type=checkbox]");
    if (before) {
      box.checked = before.querySelector("[type=checkbox]").checked;
      row.querySelector(".input").value = before.querySelector(".input").value;
    } else box.checked = true;
  }
  const checks = [...fresh.querySelectorAll("[type=checkbox]")].map((box) => box.checked);
  region.replaceChildren(...fresh.childNodes);
  [...region.querySelectorAll("[type=checkbox]")].forEach((box, index) => (box.checked = checks[index]));
  const section = region.closest("details");
  if (section) section.open = true;
  changed();
}

if (form?.dataset.autosave) {
  for (const element of form.querySelectorAll("[data-script]")) element.hidden = false;
  // A moment is shown in the zone in which this browser will read it back.
  for (const field of form.querySelectorAll("[data-moment]")) {
    const moment = new Date(field.dataset.moment);
    field.value = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }
  form.addEventListener("click", (event) => {
    const adds = event.target.closest("[data-add-item]");
    const removes = event.target.closest("[data-remove-item]");
    if (adds) add(adds.dataset.addItem);
    else if (removes) remove(removes.closest("[data-item]"));
  });
  const region = form.querySelector("[data-key-images]");
  if (region) document.addEventListener("key-images-changed", () => void refreshKeyImages(region));
}
