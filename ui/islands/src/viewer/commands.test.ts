import { expect, test } from "vitest";
import { commandFor, commandTable, type Actions } from "./commands";

const calls: unknown[][] = [];
const actions = new Proxy({} as Actions, {
  get: (_target, name) => (...given: unknown[]) => void calls.push([String(name), ...given]),
});
const press = (key: string, more: Partial<Record<"ctrlKey" | "altKey" | "metaKey", boolean>> = {}) => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...more,
});

test.each([
  ["l", ["setTool", "length"]],
  ["L", ["setTool", "length"]],
  ["ArrowDown", ["step", 1]],
  ["PageUp", ["step", -10]],
  ["End", ["ends", true]],
  ["G", ["nextLayout"]],
  ["]", ["series", 1]],
])("the key %s", (key, call) => {
  calls.length = 0;
  commandFor(commandTable(actions, false), press(key))?.run();
  expect(calls).toEqual([call]);
});

test("combinations that belong to the browser are left to it", () => {
  const table = commandTable(actions, false);
  expect(commandFor(table, press("r", { ctrlKey: true }))).toBeNull();
  expect(commandFor(table, press("ArrowLeft", { altKey: true }))).toBeNull();
  expect(commandFor(table, press("z", { ctrlKey: true }))?.id).toBe("undo");
});

test("no key means two things, but for the three layouts that G goes through", () => {
  const keys = commandTable(actions, false)
    .filter(({ id }) => !id.startsWith("layout-"))
    .flatMap(({ keys: own }) => own);
  expect(new Set(keys).size).toBe(keys.length);
});
