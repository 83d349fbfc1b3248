import { afterAll, expect, test, vi } from "vitest";

afterAll(() => vi.unstubAllGlobals());

test("words are the page's, and a plural takes the form of its language", async () => {
  const words = { "Saved {time}": "Zapisano {time}", "{n} file": ["{n} plik", "{n} pliki", "{n} plików"] };
  vi.stubGlobal("document", {
    documentElement: { lang: "pl" },
    querySelector: () => ({ textContent: JSON.stringify(words) }),
  });
  const { plural, t } = await import("./words");
  expect(t("Saved {time}", { time: "12:04" })).toBe("Zapisano 12:04");
  expect(t("Not in the catalogue")).toBe("Not in the catalogue");
  expect([1, 3, 5, 22].map((n) => plural(n, "{n} file", "{n} files"))).toEqual(["1 plik", "3 pliki", "5 plików", "22 pliki"]);
  expect(plural(2, "{n} row", "{n} rows")).toBe("2 rows");
});
