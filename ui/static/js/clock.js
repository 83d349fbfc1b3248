// Clocks tick without a reload: the words, the ring, and the level at its thresholds. One timer for all of them; it runs
// each second only while some clock has less than an hour left, and never in a hidden tab.

import { t } from "./words.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function span(ms, fine = false) {
  const length = Math.abs(ms);
  if (length >= DAY) {
    const [days, hours] = [Math.floor(length / DAY), Math.floor((length % DAY) / HOUR)];
    return hours ? t("{days} d {hours} h", { days, hours }) : t("{days} d", { days });
  }
  if (length >= HOUR) {
    const [hours, minutes] = [Math.floor(length / HOUR), Math.floor((length % HOUR) / MINUTE)];
    return minutes ? t("{hours} h {minutes} min", { hours, minutes: String(minutes).padStart(2, "0") }) : t("{hours} h", { hours });
  }
  if (fine && length < 10 * MINUTE) {
    const [minutes, seconds] = [Math.floor(length / MINUTE), Math.floor((length % MINUTE) / 1000)];
    return t("{minutes} min {seconds} s", { minutes, seconds: String(seconds).padStart(2, "0") });
  }
  return t("{minutes} min", { minutes: Math.floor(length / MINUTE) });
}

export function levelAt(now, { due, amber, red }) {
  if (now >= (red || due)) return "red";
  return amber && now >= amber ? "amber" : "ok";
}

function tick(clock, now) {
  const at = (name) => (clock.dataset[name] ? Date.parse(clock.dataset[name]) : 0);
  const due = at("due");
  const left = due - now;
  const words = clock.querySelector(".clock-left");
  const text = (left < 0 ? clock.dataset.wordsOver : clock.dataset.wordsLeft).replace("{}", span(left, true));
  if (words.textContent !== text) words.textContent = text;
  clock.dataset.level = levelAt(now, { due, amber: at("amber"), red: at("red") });
  const started = at("started");
  if (started) {
    const share = Math.min(100, Math.max(0, Math.round((100 * (now - started)) / (due - started))));
    clock.querySelector(".clock-used")?.setAttribute("stroke-dasharray", `${share} 100`);
  }
  return Math.abs(left);
}

const skew = Date.parse(document.documentElement.dataset.now ?? "") - Date.now() || 0;

function run() {
  if (document.hidden) return;
  const now = Date.now() + skew;
  let nearest = DAY;
  for (const clock of document.querySelectorAll(".clock[data-due]")) nearest = Math.min(nearest, tick(clock, now));
  setTimeout(run, nearest < 10 * MINUTE ? 1000 : 15_000);
}

document.addEventListener("visibilitychange", () => !document.hidden && run());
run();
