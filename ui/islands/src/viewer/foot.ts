import { h, setText } from "../shared/dom";

/** The line under the images: what has just happened, with one thing to do about it, and whether marks are saved. */
export class Foot {
  readonly element: HTMLElement;
  private readonly notice = h("div", { class: "iv-notice", role: "status", hidden: true });
  private readonly status = h("span", { class: "iv-status", role: "status" });
  private timer = 0;

  constructor() {
    this.element = h("div", { class: "iv-foot" }, this.notice, this.status);
  }

  /** Says a sentence for some seconds; longer when there is something to do about it. */
  say(words: string, action?: { label: string; run: () => void }): void {
    clearTimeout(this.timer);
    this.notice.hidden = false;
    this.notice.replaceChildren(words);
    if (action) {
      const run = (): void => {
        this.hush();
        action.run();
      };
      this.notice.append(h("button", { type: "button", class: "iv-button iv-button--text", onclick: run }, action.label));
    }
    this.timer = window.setTimeout(() => this.hush(), action ? 20_000 : 6000);
  }

  hush(): void {
    clearTimeout(this.timer);
    this.notice.hidden = true;
    this.notice.replaceChildren();
  }

  /** The state of saving stays until the next one. */
  showSaving(state: string, words: string): void {
    this.status.dataset.state = state;
    setText(this.status, words);
  }
}
