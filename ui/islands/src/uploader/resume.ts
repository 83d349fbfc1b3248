import type { PreviousUpload, UrlStorage } from "tus-js-client";

const PREFIX = "odontoflow-upload:";
/** Longer than the server keeps an unfinished upload; older entries are only clutter. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

/** What is kept in this browser so that an interrupted upload goes on: no file name, no path, no content. */
interface Kept {
  url: string;
  size: number | null;
  at: number;
  home: string;
  done: boolean;
}

/** SHA-256 as lower-case hex; null where the page is not in a secure context and the browser offers no digest. */
export async function sha256Hex(text: string): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The same file of the same case or record, without telling which: its id, path, size and time of change, hashed. */
export function fingerprint(homeId: string, path: string, file: { size: number; lastModified: number }): Promise<string | null> {
  return sha256Hex([homeId, path, file.size, file.lastModified].join("|"));
}

/** tus-js-client's URL storage over `localStorage`, keeping addresses under hashed fingerprints only. */
export class ResumeStore implements UrlStorage {
  constructor(
    private readonly storage: Storage,
    private readonly homeId: string,
    private readonly now: () => number = Date.now,
  ) {
    this.sweep();
  }

  async findUploadsByFingerprint(hash: string): Promise<PreviousUpload[]> {
    const kept = this.read(PREFIX + hash);
    if (!kept) return [];
    return [
      {
        size: kept.size,
        metadata: {},
        creationTime: new Date(kept.at).toISOString(),
        urlStorageKey: PREFIX + hash,
        uploadUrl: kept.url,
        parallelUploadUrls: null,
      },
    ];
  }

  async findAllUploads(): Promise<PreviousUpload[]> {
    const found = await Promise.all(this.keys().map((key) => this.findUploadsByFingerprint(key.slice(PREFIX.length))));
    return found.flat();
  }

  async removeUpload(key: string): Promise<void> {
    this.storage.removeItem(key);
  }

  async addUpload(hash: string, upload: PreviousUpload): Promise<string> {
    const key = PREFIX + hash;
    if (upload.uploadUrl) {
      this.write(key, { url: upload.uploadUrl, size: upload.size, at: this.now(), home: this.homeId, done: false });
    }
    return key;
  }

  /** A finished upload is kept while its batch is not: an interrupted folder that is dropped again is not sent twice. */
  markDone(hash: string): void {
    const kept = this.read(PREFIX + hash);
    if (kept) this.write(PREFIX + hash, { ...kept, done: true });
  }

  /** The batch has ended: a file that is removed and brought again is a new one. */
  forgetDone(): void {
    for (const key of this.keys()) {
      const kept = this.read(key);
      if (kept?.done && kept.home === this.homeId) this.storage.removeItem(key);
    }
  }

  /** Uploads to this case or record that began in this browser and did not end, by their fingerprints' keys. */
  unfinished(): string[] {
    return this.keys().filter((key) => {
      const kept = this.read(key);
      return kept !== null && kept.home === this.homeId && !kept.done;
    });
  }

  private keys(): string[] {
    return Array.from({ length: this.storage.length }, (_, i) => this.storage.key(i) ?? "").filter((key) =>
      key.startsWith(PREFIX),
    );
  }

  private sweep(): void {
    for (const key of this.keys()) {
      const kept = this.read(key);
      if (!kept || kept.at < this.now() - KEEP_MS) this.storage.removeItem(key);
    }
  }

  private read(key: string): Kept | null {
    try {
      return JSON.parse(this.storage.getItem(key) ?? "null") as Kept | null;
    } catch {
      return null;
    }
  }

  private write(key: string, kept: Kept): void {
    try {
      this.storage.setItem(key, JSON.stringify(kept));
    } catch {
      // A full or forbidden storage only costs the resuming, never the upload.
    }
  }
}
