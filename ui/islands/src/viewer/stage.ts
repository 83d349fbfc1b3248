import type { RenderingEngine } from "@cornerstonejs/core";
import { utilities, type Types as ToolTypes } from "@cornerstonejs/tools";
import { h } from "../shared/dom";
import type { Layout } from "./commands";
import { StackPane } from "./pane";

const PANES: Record<Layout, number> = { "1x1": 1, "1x2": 2, "2x2": 4 };
export const LAYOUTS = Object.keys(PANES) as Layout[];

export interface StageHooks {
  /** Another pane is active, or the layout changed. */
  onChange: () => void;
  onViewChange: () => void;
  onDrop: (pane: StackPane, series: string) => void;
}

/** The panes in their layout, one of them active. */
export class Stage {
  readonly element = h("div", { class: "iv-stage" });
  readonly panes: StackPane[] = [];
  layout: Layout = "1x1";
  private current: StackPane | null = null;

  constructor(
    private readonly engine: RenderingEngine,
    private readonly group: ToolTypes.IToolGroup,
    private readonly hooks: StageHooks,
  ) {
    let resizing = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(resizing);
      resizing = requestAnimationFrame(() => this.resize());
    }).observe(this.element);
  }

  /** The pane that the tools and keys mean. There is none only before the first layout. */
  get active(): StackPane | null {
    return this.current;
  }

  activate(pane: StackPane): void {
    if (this.current === pane) return;
    this.current = pane;
    for (const one of this.panes) one.setActive(one === pane);
    this.hooks.onChange();
  }

  /** Panes are made and taken away as needed; those that stay keep what they show. */
  setLayout(layout: Layout): void {
    this.layout = layout;
    const count = PANES[layout];
    for (const pane of this.panes.splice(count)) {
      pane.disable(this.group);
      pane.element.remove();
      if (this.current === pane) this.current = null;
    }
    this.element.dataset.layout = layout;
    while (this.panes.length < count) this.addPane();
    const [first] = this.panes;
    if (!this.current && first) this.activate(first);
    this.resize();
    this.hooks.onChange();
    this.hooks.onViewChange();
  }

  nextLayout(): void {
    this.setLayout(LAYOUTS[(LAYOUTS.indexOf(this.layout) + 1) % LAYOUTS.length] ?? "1x1");
  }

  redrawMarks(): void {
    utilities.triggerAnnotationRenderForViewportIds(this.panes.map(({ id }) => id));
  }

  /** A pane that fitted its image fits it again; one that was zoomed keeps its zoom and place. */
  private resize(): void {
    const views = this.panes.map((pane) => pane.viewport?.getViewPresentation());
    this.engine.resize(true, false);
    this.panes.forEach((pane, at) => {
      const view = views[at];
      if (view && pane.stack) pane.viewport?.setViewPresentation(view);
      pane.viewport?.render();
    });
  }

  private addPane(): void {
    const pane = new StackPane(`pane-${this.panes.length}`, {
      onActivate: (chosen) => this.activate(chosen),
      onViewChange: this.hooks.onViewChange,
      onDrop: this.hooks.onDrop,
    });
    this.panes.push(pane);
    this.element.append(pane.element);
    pane.enable(this.engine, this.group);
  }
}
