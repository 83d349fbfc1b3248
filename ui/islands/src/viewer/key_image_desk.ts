import { sentence, RequestFailed } from "../shared/http";
import { t } from "../shared/words";
import { ask } from "./dialogs";
import type { Foot } from "./foot";
import { capture, KeyImages, type KeyImage } from "./key_images";
import type { Marks } from "./marks";
import type { Stage } from "./stage";
import type { Strip } from "./strip";

/** Marking, listing and removing key images, with what is said about it. */
export class KeyImageDesk {
  constructor(
    private readonly root: HTMLElement,
    private readonly images: KeyImages,
    private readonly stage: Stage,
    private readonly marks: Marks,
    private readonly strip: Strip,
    private readonly foot: Foot,
  ) {}

  async list(): Promise<void> {
    try {
      this.strip.showKeyImages(await this.images.list());
    } catch (error) {
      if (!(error instanceof RequestFailed && error.status === 404)) this.foot.say(sentence(error));
    }
  }

  /** Takes the active pane's picture and asks for its caption. */
  async mark(): Promise<void> {
    const pane = this.stage.active;
    const frame = pane?.stack?.frames[pane.index];
    if (!pane?.stack || !frame || pane.file) return;
    const { series } = frame;
    // Chosen marks have another colour on the screen; the report shows all alike.
    this.marks.deselect();
    this.stage.redrawMarks();
    await nextFrames();
    const png = await capture(pane);
    if (!png) return;
    const caption = await ask(this.root, {
      title: t("Key image for the report"),
      label: t("Caption"),
      confirm: t("Mark as key image"),
      optional: true,
      picture: png,
    });
    pane.focus();
    if (caption === null) return;
    try {
      await this.images.add({ series_uid: series, instance_uid: frame.instance, frame: frame.frame, caption, png });
      this.foot.say(t("Marked as key image. The report shows it."));
      await this.changed();
    } catch (error) {
      this.foot.say(t("The key image was not saved: {reason}", { reason: sentence(error) }));
    }
  }

  async remove(image: KeyImage): Promise<void> {
    try {
      await this.images.remove(image.id);
      this.foot.say(t("Removed from the report."));
      await this.changed();
    } catch (error) {
      this.foot.say(t("The key image was not removed: {reason}", { reason: sentence(error) }));
    }
  }

  private async changed(): Promise<void> {
    await this.list();
    this.root.dispatchEvent(new CustomEvent("key-images-changed", { bubbles: true }));
  }
}

/** The tools draw in the next animation frame; after two of them the picture is as it was asked for. */
function nextFrames(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}
