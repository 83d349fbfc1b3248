import { eventTarget } from "@cornerstonejs/core";
import { annotation as tools, Enums, type Types as ToolTypes } from "@cornerstonejs/tools";
import { t } from "../shared/words";
import { lengthText, TOOLS } from "./engine";
import type { SavedAnnotation } from "./merge";
import type { Stack } from "./series";

/** Which picture a mark is on. Saved in place of an image address, so that it survives another host, route or portal. */
export interface Reference {
  study: string;
  series: string;
  instance: string;
  frame: number;
}

/** A mark as it is saved. `words` is what is written beside it ("12.3 mm, uncalibrated"), for lists and reports. */
export interface SavedMark extends SavedAnnotation {
  tool: string;
  reference: Reference;
  words: string;
  metadata: Record<string, unknown>;
  data: Record<string, unknown>;
}

const { ChangeTypes, Events } = Enums;
const OURS: ReadonlySet<string> = new Set([TOOLS.length, TOOLS.arrow, TOOLS.probe]);

/** Plain JSON of a value: typed arrays, as the maths library makes them, become lists. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined && typeof inner !== "function")
        .map(([key, inner]) => [key, plain(inner)]),
    );
  }
  return value;
}

function isSaved(value: unknown): value is SavedMark {
  const mark = value as Partial<SavedMark> | null;
  return (
    typeof mark?.annotationUID === "string" &&
    typeof mark.tool === "string" &&
    typeof mark.reference?.instance === "string" &&
    typeof mark.data === "object"
  );
}

/** Everything drawn on the case's images, also on series that are not open: those wait here until their stack is loaded. */
export class Marks {
  private readonly byImageId = new Map<string, Reference>();
  private readonly imageIds = new Map<string, string>();
  /** Marks whose stack is not loaded yet. */
  private waiting = new Map<string, SavedMark>();
  /** As they were saved last: a mark that nobody touched is saved again unchanged, whatever drawing it added to it. */
  private origin = new Map<string, SavedMark>();
  private readonly touched = new Set<string>();

  constructor(
    private readonly locked: boolean,
    private readonly onChange: () => void,
  ) {
    this.listen(Events.ANNOTATION_COMPLETED, () => true);
    this.listen(Events.ANNOTATION_MODIFIED, (uid, change) => {
      // Statistics are also worked out when a mark comes into sight; only after a touch do they matter.
      if (change === ChangeTypes.StatsUpdated || change === ChangeTypes.InitialSetup) return this.touched.has(uid);
      return this.origin.has(uid) || this.touched.has(uid);
    });
    this.listen(Events.ANNOTATION_REMOVED, (uid) => this.origin.has(uid) || this.touched.has(uid));
  }

  private listen(name: string, counts: (uid: string, change: unknown) => boolean): void {
    eventTarget.addEventListener(name, (event: Event) => {
      const { annotation, changeType } = (event as CustomEvent<{ annotation: ToolTypes.Annotation; changeType?: unknown }>).detail;
      const uid = annotation.annotationUID ?? "";
      if (this.locked || !counts(uid, changeType)) return;
      this.touched.add(uid);
      this.onChange();
    });
  }

  /** Makes a stack's pictures known and draws the marks that waited for them. */
  addStack(stack: Stack): void {
    for (const { imageId, study, series, instance, frame } of stack.frames) {
      const reference = { study, series, instance, frame };
      this.byImageId.set(imageId, reference);
      this.imageIds.set(keyOf(reference), imageId);
    }
    for (const mark of [...this.waiting.values()]) this.draw(mark);
  }

  /** Replaces all marks by these. */
  restore(saved: unknown[]): void {
    this.origin.clear();
    this.touched.clear();
    for (const mark of this.drawn()) if (mark.annotationUID) tools.state.removeAnnotation(mark.annotationUID);
    const marks = saved.filter(isSaved);
    this.origin = new Map(marks.map((mark) => [mark.annotationUID, mark]));
    this.waiting = new Map(marks.map((mark) => [mark.annotationUID, mark]));
    for (const mark of marks) this.draw(mark);
  }

  /** All marks as plain JSON, in a stable order. */
  save(): SavedMark[] {
    const drawn = this.drawn().flatMap((mark) => this.saved(mark) ?? []);
    return [...drawn, ...this.waiting.values()].sort((a, b) => a.annotationUID.localeCompare(b.annotationUID));
  }

  /** Puts one mark back, as it was when it was removed. */
  putBack(mark: SavedMark): void {
    this.origin.set(mark.annotationUID, mark);
    this.touched.delete(mark.annotationUID);
    this.waiting.set(mark.annotationUID, mark);
    this.draw(mark);
    this.onChange();
  }

  /** Removes one mark and returns it. */
  remove(uid: string): SavedMark | null {
    const mark = this.save().find((one) => one.annotationUID === uid) ?? null;
    this.waiting.delete(uid);
    tools.state.removeAnnotation(uid);
    this.origin.delete(uid);
    this.onChange();
    return mark;
  }

  /** The ids of the marks a person has chosen. */
  selected(): string[] {
    return tools.selection.getAnnotationsSelected();
  }

  /** Draws all marks alike from the next frame on. */
  deselect(): void {
    tools.selection.deselectAnnotation();
    for (const mark of this.drawn()) mark.highlighted = false;
  }

  private drawn(): ToolTypes.Annotation[] {
    return tools.state.getAllAnnotations().filter((mark) => OURS.has(mark.metadata?.toolName ?? ""));
  }

  private draw(mark: SavedMark): void {
    const imageId = this.imageIds.get(keyOf(mark.reference));
    if (!imageId) return;
    this.waiting.delete(mark.annotationUID);
    tools.state.addAnnotation(
      {
        annotationUID: mark.annotationUID,
        highlighted: false,
        isSelected: false,
        invalidated: true,
        isLocked: this.locked,
        isVisible: true,
        metadata: { ...mark.metadata, toolName: mark.tool, referencedImageId: imageId },
        // Statistics are worked out anew, so that they always follow the image and its spacing.
        data: { ...structuredClone(mark.data), cachedStats: {} },
      } as unknown as ToolTypes.Annotation,
      String(mark.metadata.FrameOfReferenceUID ?? mark.reference.series),
    );
  }

  private saved(mark: ToolTypes.Annotation): SavedMark | null {
    const uid = mark.annotationUID ?? "";
    if (!this.touched.has(uid)) return this.origin.get(uid) ?? null;
    const imageId = mark.metadata?.referencedImageId ?? "";
    const reference = this.byImageId.get(imageId);
    if (!reference || !mark.metadata) return null;
    const { toolName, referencedImageId: _id, referencedImageURI: _uri, ...metadata } = mark.metadata as unknown as Record<string, unknown>;
    const { cachedStats: _stats, ...data } = mark.data;
    // An arrow exists only once its text does.
    if (toolName === TOOLS.arrow && !mark.data.label) return null;
    return {
      annotationUID: uid,
      tool: String(toolName),
      reference,
      words: this.words(mark, imageId),
      metadata: plain(metadata) as Record<string, unknown>,
      data: plain({ ...data, handles: { ...mark.data.handles, activeHandleIndex: null } }) as Record<string, unknown>,
    };
  }

  private words(mark: ToolTypes.Annotation, imageId: string): string {
    const stats = (mark.data.cachedStats as Record<string, { length?: number | null; value?: unknown }> | undefined)?.[`imageId:${imageId}`];
    switch (mark.metadata?.toolName) {
      case TOOLS.length:
        return lengthText(imageId, stats?.length) || (this.origin.get(mark.annotationUID ?? "")?.words ?? "");
      case TOOLS.probe:
        return typeof stats?.value === "number" ? t("Grey value {value}", { value: Math.round(stats.value) }) : "";
      default:
        return mark.data.label ?? "";
    }
  }
}

function keyOf(reference: Reference): string {
  return `${reference.instance}/${reference.frame}`;
}
