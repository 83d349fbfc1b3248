import type { Picked } from "./collect";
import type { Problem } from "../shared/http";
import { bytes, t } from "../shared/words";

export type ItemState = "waiting" | "sending" | "done" | "failed" | "cancelled";

/** One file on its way. `sent` counts bytes the server has taken. */
export interface Item {
  readonly id: number;
  readonly picked: Picked;
  readonly group: Group;
  state: ItemState;
  sent: number;
  /** One sentence, only while `failed`. */
  error: string | null;
  /** Answers of 5xx so far; a server that cannot take this one file is not asked for ever. */
  faults: number;
  /** Another tab of this browser sends this file; it is waited for. */
  elsewhere: boolean;
  /** The case had a file of this very content already; that one was kept. */
  wasThere: boolean;
  /** The server takes no file of this size: another try would end the same. */
  tooLarge: boolean;
  transfer: Transfer | null;
}

/** One row: a folder, or the loose files that were chosen together (then `folder` is empty). */
export interface Group {
  readonly id: number;
  readonly folder: string;
  readonly label: string;
  readonly items: Item[];
}

/** How a transfer ended: stored, refused for good, session over, the storage full or away, or the line or server failed for now. */
export type Ended =
  | { kind: "done"; wasThere?: boolean }
  | { kind: "refused"; problem: Problem }
  | { kind: "signed-out" }
  | { kind: "storage"; isFull: boolean }
  | { kind: "lost"; status: number };

/** A running transfer of one file. */
export interface Transfer {
  /** Stops, keeping what the server has. */
  stop(): Promise<void>;
  /** Stops and asks the server to forget the file. */
  terminate(): Promise<void>;
}

/** `onSent` is told how much the server has; `known` where that was not sent now, but before. */
export type OpenTransfer = (item: Item, onSent: (bytes: number, known?: boolean) => void, onEnd: (ended: Ended) => void) => Transfer;

/** Why nothing moves; `null` while it does. */
export type Halt = "paused" | "offline" | "signed-out" | "no-answer" | "storage-full" | "storage-away" | null;

/** Why a file of more than `most` bytes is not sent. */
export function tooLargeWords(most: number): string {
  return t("This file is larger than {size}, the most that is taken here.", { size: bytes(most) });
}
