import { sentence } from "../shared/http";
import { t } from "../shared/words";
import type { Marks, Reference } from "./marks";
import type { StackPane } from "./pane";
import { listReading, seriesIn } from "./reading";
import { holds, keyOf, listSeries, loadStack, nameOf, type Series, type Stack } from "./series";
import type { Settings } from "./settings";
import type { StackView } from "./stack_view";
import type { Stage } from "./stage";
import type { Strip } from "./strip";

/** The case's series: listed once, loaded when they are opened, and found again for marks and key images. */
export class Catalog {
  private series: Series[] = [];
  private readonly stacks = new Map<string, Promise<Stack>>();

  constructor(
    private readonly settings: Settings,
    private readonly stage: Stage,
    private readonly strip: Strip,
    private readonly marks: Marks,
    private readonly onOpened: () => void,
  ) {}

  /** Lists the series; whether that worked. A failure is said in the strip and the pane, with `retry` as the way out. */
  async list(retry: () => void): Promise<boolean> {
    const words = t("Loading the list of series");
    this.strip.say(words);
    this.stage.active?.say(words);
    try {
      if (this.settings.series) {
        const groups = await listReading(this.settings.series);
        this.series = seriesIn(groups);
        this.strip.showGroups(groups);
        return true;
      }
      this.series = await listSeries(this.settings.root, this.settings.studies);
    } catch (error) {
      this.strip.say(sentence(error), retry);
      this.stage.active?.fail(sentence(error), retry);
      return false;
    }
    this.strip.showSeries(this.series);
    return true;
  }

  /** Opens what was open; else the first series. */
  async restore(views: readonly (StackView | null)[]): Promise<void> {
    const opened = await Promise.all(
      this.stage.panes.map(async (pane, at) => {
        const view = views[at];
        const series = view && this.find(view.series);
        if (series) await this.openIn(pane, series, { view });
        return Boolean(series);
      }),
    );
    const first = this.find(this.settings.first) ?? this.series[0];
    const [pane] = this.stage.panes;
    if (!first) this.stage.active?.say(t("There are no images yet."));
    else if (pane && !opened.includes(true)) await this.openIn(pane, first);
  }

  find(key: string): Series | undefined {
    return this.series.find((one) => keyOf(one) === key);
  }

  /** Opens a series in the active pane. */
  async open(series: Series): Promise<void> {
    const { active } = this.stage;
    if (active) await this.openIn(active, series);
    active?.focus();
  }

  /** The series before or after the one in the active pane. */
  openNeighbour(by: number): void {
    const current = this.stage.active?.stack?.series;
    const next = this.series[this.series.findIndex((one) => current && keyOf(one) === keyOf(current)) + by];
    if (next) void this.open(next);
  }

  /** Shows one picture in the active pane. */
  async goTo(reference: Omit<Reference, "study">): Promise<void> {
    const series = this.series.find((one) => holds(one, reference));
    const { active } = this.stage;
    if (!series || !active) return;
    const stack = await this.stackOf(series).catch(() => null);
    const index = stack?.frames.findIndex((one) => one.instance === reference.instance && one.frame === reference.frame) ?? -1;
    if (index < 0) return;
    if (active.stack === stack && !active.file) active.goTo(index);
    else await this.openIn(active, series, { index });
  }

  private async openIn(pane: StackPane, series: Series, start: { view?: StackView; index?: number } = {}): Promise<void> {
    pane.say(t("Loading “{name}”", { name: nameOf(series) }));
    try {
      const stack = await this.stackOf(series);
      this.marks.addStack(stack);
      await pane.show(stack, start);
    } catch (error) {
      pane.fail(sentence(error), () => void this.openIn(pane, series, start));
    }
    this.onOpened();
  }

  private stackOf(series: Series): Promise<Stack> {
    const key = keyOf(series);
    const known = this.stacks.get(key);
    if (known) return known;
    const loading = loadStack(this.settings.root, series);
    this.stacks.set(key, loading);
    loading.catch(() => this.stacks.delete(key));
    return loading;
  }
}
