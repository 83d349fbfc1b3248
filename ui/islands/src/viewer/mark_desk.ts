import { sentence } from "../shared/http";
import { t } from "../shared/words";
import { AnnotationStore, type SaveState } from "./annotation_store";
import type { Layout } from "./commands";
import type { Foot } from "./foot";
import { Marks, type SavedMark } from "./marks";
import type { SavedAnnotation } from "./merge";
import type { Settings } from "./settings";
import type { StackView } from "./stack_view";
import type { Stage } from "./stage";
import type { Strip } from "./strip";

/** What is remembered about the viewer itself. */
export interface ViewerState {
  layout?: Layout;
  panes?: (StackView | null)[];
}

/** Marks on the images: listed, saved, merged with another window's, deleted and brought back. */
export class MarkDesk {
  readonly marks: Marks;
  private readonly store: AnnotationStore | null;
  private removed: SavedMark[] = [];
  private listed = "";
  private restoring = true;

  constructor(
    private readonly settings: Settings,
    private readonly stage: Stage,
    private readonly strip: Strip,
    private readonly foot: Foot,
  ) {
    this.marks = new Marks(settings.readonly, () => {
      this.list();
      if (!settings.readonly) this.store?.marksChanged();
    });
    this.store = settings.annotations
      ? new AnnotationStore(settings.annotations, {
          collect: () => ({ annotations: this.marks.save(), viewer_state: { ...this.state() } }),
          adopt: (annotations) => this.adopt(annotations),
          say: (state, words) => this.saySaving(state, words),
        })
      : null;
  }

  /** Draws what is kept and returns the view it was left in; a reader's view is theirs, so read-only viewers get none. */
  async load(): Promise<ViewerState> {
    if (!this.store) return {};
    try {
      const { annotations, viewer_state: state } = await this.store.load();
      this.marks.restore(annotations);
      this.list();
      return this.settings.readonly ? {} : (state as ViewerState);
    } catch (error) {
      this.foot.say(t("Saved measurements could not be loaded: {reason}", { reason: sentence(error) }), {
        label: t("Try again"),
        run: () => void this.load(),
      });
      return {};
    }
  }

  /** From now on a change of view is a person's. */
  restored(): void {
    this.restoring = false;
  }

  viewChanged(): void {
    if (!this.restoring && !this.settings.readonly) this.store?.viewChanged();
  }

  removeSelected(): void {
    const removed = this.marks.selected().flatMap((uid) => this.marks.remove(uid) ?? []);
    if (removed.length === 0) {
      this.foot.say(t("Choose a measurement or an arrow first, then delete it."));
      return;
    }
    this.removed = removed;
    this.stage.redrawMarks();
    this.foot.say(t("Deleted."), { label: t("Undo"), run: () => this.undo() });
  }

  undo(): void {
    for (const mark of this.removed.splice(0)) this.marks.putBack(mark);
    this.stage.redrawMarks();
    this.foot.hush();
  }

  private state(): ViewerState {
    return { layout: this.stage.layout, panes: this.stage.panes.map((pane) => pane.view) };
  }

  private list(): void {
    const list = this.marks.save();
    const key = JSON.stringify(list.map(({ annotationUID, words }) => [annotationUID, words]));
    if (key === this.listed) return;
    this.listed = key;
    this.strip.showMarks(list);
  }

  private adopt(annotations: SavedAnnotation[]): void {
    this.marks.restore(annotations);
    this.list();
    this.stage.redrawMarks();
  }

  private saySaving(state: SaveState, words: string): void {
    if (state === "conflict") this.foot.say(words, { label: t("Understood"), run: () => undefined });
    else this.foot.showSaving(state, words);
  }
}
