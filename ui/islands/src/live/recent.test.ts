import { expect, test } from "vitest";
import { later, Recent } from "./recent";

const event = (id: string) => ({ id, type: "case", data: "{}" });

test("a tab that opens later hears what came after its own place, and is told when that is too long ago", () => {
  const recent = new Recent("9", 3);
  for (const id of ["10", "11", "12"]) recent.add(event(id));
  expect(recent.after("10")?.map(({ id }) => id)).toEqual(["11", "12"]);
  expect(recent.after("12")).toEqual([]);
  expect(recent.after("9")).toHaveLength(3);
  expect(recent.after("8")).toBeNull();
  recent.add(event("13"));
  expect(recent.after("9")).toBeNull();
  expect(recent.after("10")?.map(({ id }) => id)).toEqual(["11", "12", "13"]);
});

test("a page without a place counts from the first event it hears", () => {
  const recent = new Recent("");
  expect(recent.after("3")).toBeNull();
  recent.add(event("5"));
  recent.add(event("6"));
  expect(recent.after("5")?.map(({ id }) => id)).toEqual(["6"]);
  expect(recent.after("4")).toBeNull();
});

test("a place never goes back", () => {
  expect(later("10", "9")).toBe("10");
  expect(later("9", "10")).toBe("10");
  expect(later("", "4")).toBe("4");
});
