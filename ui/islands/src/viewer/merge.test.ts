import { expect, test } from "vitest";
import { merge, same } from "./merge";

const mark = (annotationUID: string, value = 0): { annotationUID: string; value: number } => ({ annotationUID, value });
const ids = (list: { annotationUID: string }[]): string[] => list.map(({ annotationUID }) => annotationUID).sort();

test("what either side added stays", () => {
  const merged = merge([mark("a")], [mark("a"), mark("mine")], [mark("a"), mark("theirs")]);
  expect(ids(merged.annotations)).toEqual(["a", "mine", "theirs"]);
  expect(merged).toMatchObject({ theirs: 1, bothChanged: 0 });
});

test("what one side removed and the other left alone goes", () => {
  expect(merge([mark("a"), mark("b")], [mark("a")], [mark("a"), mark("b")]).annotations).toEqual([mark("a")]);
  expect(merge([mark("a"), mark("b")], [mark("a"), mark("b")], [mark("b")]).annotations).toEqual([mark("b")]);
});

test("a removal never takes away what the other side was working on", () => {
  expect(merge([mark("a")], [], [mark("a", 2)]).annotations).toEqual([mark("a", 2)]);
  expect(merge([mark("a")], [mark("a", 3)], []).annotations).toEqual([mark("a", 3)]);
});

test("where both changed the same mark, mine is kept and counted", () => {
  const merged = merge([mark("a")], [mark("a", 1)], [mark("a", 2)]);
  expect(merged.annotations).toEqual([mark("a", 1)]);
  expect(merged.bothChanged).toBe(1);
});

test("the order of keys makes no difference", () => {
  expect(same({ a: 1, b: [1, { c: 2, d: 3 }] }, { b: [1, { d: 3, c: 2 }], a: 1 })).toBe(true);
  expect(same([1, 2], { 0: 1, 1: 2 })).toBe(false);
  expect(same({ a: undefined }, {})).toBe(true);
});
