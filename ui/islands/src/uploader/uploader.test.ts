import { expect, test, vi } from "vitest";
import { isClutter, type Picked } from "./collect";
import type { Ended, Item } from "./items";
import { UploadQueue } from "./queue";
import { RateMeter } from "./rate";
import { fingerprint, ResumeStore } from "./resume";

const picked = (path: string, size = 10): Picked => ({ path, file: new File([new Uint8Array(size)], path.split("/").at(-1) ?? "") });

/** A queue whose transfers the test ends by hand. */
function harness(parallel = 3) {
  const open = new Map<string, { item: Item; end: (ended: Ended) => void; sent: (bytes: number) => void }>();
  const stopped: string[] = [];
  const terminated: string[] = [];
  const settled: number[] = [];
  const queue = new UploadQueue({
    open: (item, sent, end) => {
      open.set(item.picked.path, { item, end, sent });
      const close = (list: string[]) => async () => {
        open.delete(item.picked.path);
        list.push(item.picked.path);
      };
      return { stop: close(stopped), terminate: close(terminated) };
    },
    onChange: () => undefined,
    onSettled: (stored) => settled.push(stored),
    maxBytes: 1000,
    parallel,
    backoff: () => 5000,
  });
  const end = (path: string, ended: Ended): void => {
    const transfer = open.get(path);
    open.delete(path);
    transfer?.end(ended);
  };
  return { queue, open, end, stopped, terminated, settled };
}

test("a folder is one row, loose files of one choice are one row, three go at a time", () => {
  const { queue, open } = harness();
  queue.add([picked("ct/a"), picked("ct/deep/b"), picked("x.jpg"), picked("y.jpg")]);
  expect(queue.groups.map(({ label, items }) => [label, items.length])).toEqual([
    ["ct", 2],
    ["2 single files", 2],
  ]);
  expect([...open.keys()]).toEqual(["ct/a", "ct/deep/b", "x.jpg"]);
});

test("files that are dropped one by one have a row each, named after them; a second look at one is no second upload", () => {
  const { queue } = harness();
  const first = picked("first.jpg");
  queue.add([first]);
  queue.add([picked("second.jpg"), first]);
  queue.add([picked("third.jpg"), picked("fourth.jpg")]);
  expect(queue.groups.map(({ label, items }) => [label, items.length])).toEqual([
    ["first.jpg", 1],
    ["second.jpg", 1],
    ["2 single files", 2],
  ]);
});

test("the batch is settled once, when its last file has ended", () => {
  const { queue, end, settled } = harness();
  queue.add([picked("a"), picked("b")]);
  end("a", { kind: "done" });
  expect(settled).toEqual([]);
  end("b", { kind: "refused", problem: { status: 415, code: "", title: "", detail: "Not an image." } });
  expect(settled).toEqual([1]);
  expect(queue.items.map(({ state, error }) => [state, error])).toEqual([
    ["done", null],
    ["failed", "Not an image."],
  ]);
});

test("stored files leave their rows, and what failed stays", () => {
  const { queue, end } = harness();
  queue.add([picked("ct/a"), picked("ct/b"), picked("px/c")]);
  end("ct/a", { kind: "done" });
  end("ct/b", { kind: "refused", problem: { status: 415, code: "", title: "", detail: "Not an image." } });
  end("px/c", { kind: "done" });
  queue.forgetStored();
  expect(queue.groups.map((group) => group.items.map(({ picked: { path } }) => path))).toEqual([["ct/b"]]);
});

test("an ended session stops everything and loses nothing", () => {
  const { queue, open, end, stopped } = harness();
  queue.add(["a", "b", "c", "d"].map((name) => picked(name)));
  end("a", { kind: "signed-out" });
  expect(queue.halt).toBe("signed-out");
  expect(stopped.sort()).toEqual(["b", "c"]);
  queue.online();
  expect(queue.halt).toBe("signed-out");
  queue.resume();
  expect([...open.keys()].sort()).toEqual(["a", "b", "c"]);
});

test("a lost line waits for the line, not for the person; a person's pause stays", () => {
  const { queue, open, end } = harness();
  queue.add([picked("a")]);
  queue.offline();
  expect(open.size).toBe(0);
  queue.online();
  expect(open.size).toBe(1);
  void queue.pause();
  queue.offline();
  queue.online();
  expect(queue.halt).toBe("paused");
  queue.resume();
  end("a", { kind: "done" });
  expect(queue.busy).toBe(false);
});

test("a silent server is asked again by itself; a file it cannot take ends in a sentence", () => {
  vi.useFakeTimers();
  const { queue, open, end } = harness();
  queue.add([picked("a")]);
  for (const halted of [true, true, false]) {
    end("a", { kind: "lost", status: 500 });
    expect(queue.halt).toBe(halted ? "no-answer" : null);
    vi.advanceTimersByTime(5000);
    expect(open.size).toBe(halted ? 1 : 0);
  }
  expect(queue.items[0]?.state).toBe("failed");
  expect(queue.canRetry(queue.groups[0]!)).toBe(true);
  queue.retry(queue.groups[0]!);
  expect(open.size).toBe(1);
  vi.useRealTimers();
});

test("cancelling a row ends its files on the server and lets the others go on", async () => {
  const { queue, open, terminated } = harness(1);
  queue.add([picked("ct/a"), picked("ct/b"), picked("px/c")]);
  await queue.cancel(queue.groups[0]!);
  expect(terminated).toEqual(["ct/a"]);
  expect([...open.keys()]).toEqual(["px/c"]);
});

test("empty and oversized files are refused here; the same file is not queued twice", () => {
  const { queue } = harness();
  const twice = picked("d/a");
  queue.add([picked("d/none", 0), picked("d/big", 1001), twice]);
  queue.add([twice]);
  expect(queue.items.map(({ state }) => state)).toEqual(["failed", "failed", "sending"]);
  expect(queue.canRetry(queue.groups[0]!), "trying again would end the same").toBe(false);
});

test("a file that comes again after the batch has ended is sent again: it may have been removed from the case", () => {
  const { queue, open, end } = harness();
  const file = picked("d/a");
  queue.add([file]);
  end("d/a", { kind: "done" });
  queue.add([file]);
  expect(open.size).toBe(1);
  expect(queue.groups).toHaveLength(1);
});

test("system files and the programs of a patient CD are left out, images are not", () => {
  for (const path of ["cd/viewer.exe", "cd/AUTORUN.INF", "a/.DS_Store", "__MACOSX/a.dcm", "Thumbs.db"]) {
    expect(isClutter(path)).toBe(true);
  }
  for (const path of ["cd/IMG0001", "a/b.dcm", "photo.JPG", "letter.pdf", "scan.tiff"]) expect(isClutter(path)).toBe(false);
});

test("the rate follows the last seconds only", () => {
  const meter = new RateMeter(8000);
  meter.add(100_000, 0);
  expect(meter.perSecond(500)).toBe(0);
  meter.reset();
  meter.add(8_000_000, 0);
  for (let at = 10_000; at <= 18_000; at += 1000) meter.add(1_000_000, at);
  expect(meter.perSecond(18_000)).toBeCloseTo(1_125_000, -3);
  expect(meter.perSecond(40_000)).toBe(0);
});

test("what the server had before is no speed", () => {
  const moved: number[] = [];
  let tell: (bytes: number, known?: boolean) => void = () => undefined;
  const queue = new UploadQueue({
    open: (_item, sent) => {
      tell = sent;
      return { stop: async () => undefined, terminate: async () => undefined };
    },
    onChange: () => undefined,
    onSettled: () => undefined,
    onBytes: (bytes) => moved.push(bytes),
    maxBytes: 1000,
  });
  queue.add([picked("volume.dcm", 500)]);
  tell(400, true);
  tell(450);
  expect(queue.items[0]?.sent).toBe(450);
  expect(moved).toEqual([50]);
});

test("nothing that is kept for resuming tells a name; old entries go", async () => {
  const kept = new Map<string, string>();
  const storage = {
    get length() {
      return kept.size;
    },
    key: (at: number) => [...kept.keys()][at] ?? null,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    clear: () => kept.clear(),
  } satisfies Storage;
  const store = new ResumeStore(storage, "case_1", () => 0);
  const hash = await fingerprint("case_1", "Smith^John/IMG1", { size: 5, lastModified: 6 });
  await store.addUpload(hash ?? "", { uploadUrl: "/api/v1/uploads/u1", size: 5, metadata: { filename: "Smith" } } as never);
  expect(JSON.stringify([...kept])).not.toMatch(/Smith|IMG1/);
  expect((await store.findUploadsByFingerprint(hash ?? ""))[0]?.uploadUrl).toBe("/api/v1/uploads/u1");
  expect(store.unfinished()).toHaveLength(1);
  store.markDone(hash ?? "");
  expect(store.unfinished()).toHaveLength(0);
  store.forgetDone();
  expect(kept.size).toBe(0);
  await store.addUpload(hash ?? "", { uploadUrl: "/api/v1/uploads/u2", size: 5 } as never);
  new ResumeStore(storage, "case_1", () => 8 * 24 * 3600 * 1000);
  expect(kept.size).toBe(0);
});

test("a file that the server finds too large is not offered again", () => {
  const { queue, end } = harness();
  queue.add([picked("a")]);
  end("a", { kind: "refused", problem: { status: 413, code: "", title: "", detail: "Too large." } });
  expect(queue.canRetry(queue.groups[0]!)).toBe(false);
});

test("a storage that is full stops everything, is asked by one file, and nothing is lost", () => {
  vi.useFakeTimers();
  const { queue, open, end, stopped, settled } = harness();
  queue.add([picked("a", 30), picked("b", 20), picked("c", 10), picked("d", 40)]);
  end("a", { kind: "storage", isFull: true });
  expect(queue.halt).toBe("storage-full");
  expect(stopped.sort()).toEqual(["b", "c"]);
  vi.advanceTimersByTime(29_000);
  expect(open.size).toBe(0);
  vi.advanceTimersByTime(1000);
  expect([...open.keys()], "the smallest asks").toEqual(["c"]);
  end("c", { kind: "storage", isFull: false });
  expect(queue.halt).toBe("storage-away");
  vi.advanceTimersByTime(30_000);
  end("c", { kind: "lost", status: 503 });
  expect(queue.halt, "an answer without a word is no reason to say something else").toBe("storage-away");
  vi.advanceTimersByTime(30_000);
  end("c", { kind: "done" });
  expect(queue.halt).toBe(null);
  expect([...open.keys()].sort()).toEqual(["a", "b", "d"]);
  for (const path of ["a", "b", "d"]) end(path, { kind: "done" });
  expect(queue.items.every(({ state }) => state === "done")).toBe(true);
  expect(settled).toEqual([4]);
  vi.useRealTimers();
});

test("while a storage is waited for, a cancelled row does not end the asking, and a person may ask at once", async () => {
  vi.useFakeTimers();
  const { queue, open, end } = harness();
  queue.add([picked("ct/a", 10), picked("px/b", 20)]);
  end("ct/a", { kind: "storage", isFull: true });
  vi.advanceTimersByTime(30_000);
  await queue.cancel(queue.groups[0]!);
  vi.advanceTimersByTime(30_000);
  expect([...open.keys()]).toEqual(["px/b"]);
  end("px/b", { kind: "storage", isFull: true });
  queue.resume();
  expect([...open.keys()]).toEqual(["px/b"]);
  vi.useRealTimers();
});
