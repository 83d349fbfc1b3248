const LETS_GO_MS = 1000;
const PREFIX = "odontoflow-upload:";

/** A file's place in the queue of all tabs of this browser: one tab at a time sends it. */
export interface Turn {
  /** Lets the next tab have it; stops waiting where it has not come yet. */
  end(): void;
}

/** Whether a tab of this browser sends one of these files at this moment. */
export async function isSentElsewhere(keys: readonly string[]): Promise<boolean> {
  const isHeld = async (): Promise<boolean> => {
    const locks = await navigator.locks?.query();
    return locks?.held?.some(({ name }) => name !== undefined && keys.includes(name)) ?? false;
  };
  if (!(await isHeld())) return false;
  // The page that was here before a reload lets go of its own a moment later.
  await new Promise((resolve) => setTimeout(resolve, LETS_GO_MS));
  return isHeld();
}

/**
 * Waits until no other tab of this browser sends the file with this fingerprint, then calls `go`; `onWait` first, where one
 * does. Where the browser has no locks (no secure context) it goes at once.
 */
export function takeTurn(fingerprint: string | null, onWait: () => void, go: () => Promise<void>): Turn {
  if (fingerprint === null || !navigator.locks) {
    void go();
    return { end: () => undefined };
  }
  const name = PREFIX + fingerprint;
  const waiting = new AbortController();
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const hold = async (): Promise<void> => {
    await go();
    await ended;
  };
  const whenFree = async (): Promise<void> => {
    const taken = await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock && !waiting.signal.aborted) await hold();
      return lock !== null;
    });
    if (taken || waiting.signal.aborted) return;
    onWait();
    await navigator.locks.request(name, { signal: waiting.signal }, hold);
  };
  whenFree().catch(() => undefined); // only the end of a wait is thrown here
  return {
    end: () => {
      waiting.abort();
      end();
    },
  };
}
