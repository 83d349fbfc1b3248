import { expect, test } from "vitest";
import { concerns } from "./regions";
import { StreamParser } from "./sse";

test("events are read whole, wherever the pieces end", () => {
  const stream = ': hello\r\nid: 7\r\nevent: case\r\ndata: {"a":\r\ndata: 1}\r\n\r\nretry: 500\ndata: x\n\n';
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const parser = new StreamParser();
    const events = [...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))];
    expect(events).toEqual([
      { id: "7", type: "case", data: '{"a":\n1}' },
      { id: "7", type: "message", data: "x" },
    ]);
    expect(parser.retryMs).toBe(500);
  }
});

test("an event that was cut off is not handed out", () => {
  expect(new StreamParser().push("id: 8\ndata: half")).toEqual([]);
});

test("a region hears its topics and prefixes, and nothing else", () => {
  expect(concerns("worklist case:1", ["case:1"])).toBe(true);
  expect(concerns("case:1", ["case:11"])).toBe(false);
  expect(concerns("messages:*", ["messages:case_9"])).toBe(true);
  expect(concerns("", ["worklist"])).toBe(false);
});
