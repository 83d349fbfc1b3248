/** An annotation as it travels: plain JSON with an id. */
export interface SavedAnnotation {
  annotationUID: string;
  [key: string]: unknown;
}

export interface Merged {
  annotations: SavedAnnotation[];
  /** How many came in from the other window. */
  theirs: number;
  /** Both changed these; ours stayed. */
  bothChanged: number;
}

/**
 * Three-way merge after a refused save: everything that either side added or changed stays, what one side removed and the
 * other left alone goes. Where both changed the same annotation ours is kept, and counted, so that the person is told.
 */
export function merge(base: SavedAnnotation[], mine: SavedAnnotation[], theirs: SavedAnnotation[]): Merged {
  const before = byId(base);
  const ours = byId(mine);
  const others = byId(theirs);
  const annotations: SavedAnnotation[] = [];
  let fromThem = 0;
  let bothChanged = 0;
  for (const id of new Set([...others.keys(), ...ours.keys()])) {
    const [was, we, they] = [before.get(id), ours.get(id), others.get(id)];
    const weChanged = !same(was, we);
    const theyChanged = !same(was, they);
    if (weChanged && theyChanged && !same(we, they)) bothChanged += 1;
    const kept = weChanged ? (we ?? (theyChanged ? they : undefined)) : they;
    if (kept) annotations.push(kept);
    if (kept && kept === they && !same(we, they)) fromThem += 1;
  }
  return { annotations, theirs: fromThem, bothChanged };
}

function byId(list: SavedAnnotation[]): Map<string, SavedAnnotation> {
  return new Map(list.map((annotation) => [annotation.annotationUID, annotation]));
}

/** Whether two annotations say the same, whatever the order of their keys. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(x), ...Object.keys(y)]);
  return [...keys].every((key) => same(x[key], y[key]));
}
