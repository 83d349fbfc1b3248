// Panels of the reading page fold to a strip; whether they are folded is kept on this device.
for (const toggle of document.querySelectorAll("[data-collapse]")) {
  const panel = document.getElementById(toggle.dataset.collapse);
  const key = `odontoflow.${panel.id}`;
  const set = (folded) => {
    panel.toggleAttribute("data-collapsed", folded);
    toggle.setAttribute("aria-expanded", String(!folded));
    // The viewer measures itself anew.
    dispatchEvent(new Event("resize"));
  };
  set(localStorage.getItem(key) === "folded");
  toggle.addEventListener("click", () => {
    const folded = !panel.hasAttribute("data-collapsed");
    localStorage.setItem(key, folded ? "folded" : "open");
    set(folded);
  });
}
