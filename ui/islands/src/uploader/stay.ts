import { replaceContent } from "../live/regions";
import { sentToSignIn } from "../shared/http";
import { CONTENT_EVENT } from "../shared/mount";
import { t } from "../shared/words";

/** The answer to a form, as far as this page can show it. */
interface Answered {
  /** One sentence for the person; empty where the page speaks for itself. */
  words: string;
  fresh: Document | null;
}

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<Answered> {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) body.append(name, String(value));
  let response: Response;
  try {
    response = await fetch(form.action, { method: "POST", body, credentials: "same-origin", headers: { Accept: "text/html" } });
  } catch {
    return { words: t("There is no connection to the server."), fresh: null };
  }
  if (response.status === 401 || sentToSignIn(response)) {
    return { words: t("Your session has ended. Sign in again to go on."), fresh: null };
  }
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const said = fresh.querySelector(response.ok ? "[data-toast] p" : "main [role=alert], main .error-summary, main .field-error");
  const fallback = response.ok ? "" : t("The server could not do this. Please try again.");
  return { words: said?.textContent?.replace(/\s+/g, " ").trim() || fallback, fresh: response.ok ? fresh : null };
}

/** Puts the regions of a page that was answered into this one, which stays. */
function show(fresh: Document): void {
  for (const region of document.querySelectorAll<HTMLElement>("[data-live][id]")) {
    const same = fresh.getElementById(region.id);
    if (same) replaceContent(region, [...same.childNodes]);
  }
}

function empty(form: HTMLFormElement, fresh: Document): void {
  const action = form.getAttribute("action") ?? "";
  const same = fresh.querySelector<HTMLFormElement>(`form[action="${CSS.escape(action)}"]`);
  form.reset();
  for (const hidden of form.querySelectorAll<HTMLInputElement>("input[type=hidden][name]")) {
    const next = same?.querySelector<HTMLInputElement>(`input[type=hidden][name="${CSS.escape(hidden.name)}"]`);
    if (next) hidden.value = next.value;
  }
}

/** While files are on their way, leaving the page would stop them: its small steps are taken from where one is. */
function stayOnPage(isBusy: () => boolean, tell: (words: string) => void): void {
  // On the window: after every listener of the page's own, which may have taken the step already.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.method !== "post" || !isBusy()) return;
    const region = form.closest<HTMLElement>("[data-live], .composer");
    if (!region || form.closest(".actions")) return;
    event.preventDefault();
    const { submitter } = event;
    void send(form, submitter).then(({ words, fresh }) => {
      delete form.dataset.sent;
      submitter?.removeAttribute("aria-busy");
      tell(words);
      if (!fresh) return;
      const focused = region.contains(document.activeElement);
      show(fresh);
      if (form.isConnected) empty(form, fresh);
      if (focused && !region.contains(document.activeElement)) {
        // What was pressed is gone: a keyboard goes on from the place where it stood.
        region.tabIndex = -1;
        region.focus({ preventScroll: true });
      }
    });
  });
}

/** Steps that take the files with them wait, in words; also those that come into the page meanwhile. */
function showWaiting(isBusy: boolean): void {
  for (const step of document.querySelectorAll<HTMLElement>("[data-waits-for-files]")) {
    const words = step.querySelector<HTMLElement>("[data-while-uploading]");
    if (!words || words.hidden !== isBusy) continue;
    words.hidden = !isBusy;
    for (const other of step.querySelectorAll<HTMLElement>("[data-otherwise]")) other.hidden = isBusy;
    for (const button of step.querySelectorAll("button")) {
      if (isBusy && !button.disabled) {
        button.disabled = true;
        button.dataset.held = "";
      } else if (!isBusy && button.dataset.held !== undefined) {
        button.disabled = false;
        delete button.dataset.held;
      }
    }
  }
}

/** Keeps the rest of the page in step with an uploader; the answer is called whenever `isBusy` may have changed. */
export function keepPage(isBusy: () => boolean, tell: (words: string) => void): () => void {
  stayOnPage(isBusy, tell);
  document.addEventListener(CONTENT_EVENT, () => showWaiting(isBusy()));
  return () => showWaiting(isBusy());
}
