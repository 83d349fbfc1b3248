import { DefaultHttpStack, DetailedError, Upload, type HttpRequest, type HttpResponse, type HttpStack } from "tus-js-client";
import { problemFrom, type Problem } from "../shared/http";
import { tooLargeWords, type Ended, type Item, type OpenTransfer } from "./items";
import { fingerprint, type ResumeStore } from "./resume";
import { takeTurn, type Turn } from "./alone";

/** Files below this go up in one request, larger ones in chunks that a broken line costs at most. */
const ONE_REQUEST_BELOW = 100_000_000;
const CHUNK = 16 * 1024 * 1024;
/** Slices and photographs go with the request that creates them; a larger file has an address first, to go on from. */
const WITH_CREATION_UP_TO = 4 * 1024 * 1024;
/** A digest needs its bytes in memory; three of these at a time are bearable on a tablet. */
const CHECKSUM_UP_TO = 32 * 1024 * 1024;

/** What the server says about itself in `OPTIONS` (tus 1.0 `Tus-Extension`, `Tus-Checksum-Algorithm`, `Tus-Max-Size`). */
export interface ServerAbilities {
  creationWithUpload: boolean;
  checksum: boolean;
  /** Of the largest file that is taken. */
  maxBytes: number;
}

/** Asks the endpoint once; a server that does not answer is used with the core protocol only. */
export async function abilitiesOf(endpoint: string): Promise<ServerAbilities> {
  try {
    const answer = await fetch(endpoint, { method: "OPTIONS", credentials: "same-origin", headers: { "Tus-Resumable": "1.0.0" } });
    const list = (name: string): string[] => (answer.headers.get(name) ?? "").split(",").map((word) => word.trim());
    const extensions = list("Tus-Extension");
    return {
      creationWithUpload: extensions.includes("creation-with-upload"),
      checksum:
        extensions.includes("checksum") &&
        list("Tus-Checksum-Algorithm").includes("sha256") &&
        globalThis.crypto?.subtle !== undefined,
      maxBytes: Number(answer.headers.get("Tus-Max-Size")) || Number.POSITIVE_INFINITY,
    };
  } catch {
    return { creationWithUpload: false, checksum: false, maxBytes: Number.POSITIVE_INFINITY };
  }
}

/** Adds `Upload-Checksum` (tus 1.0, extension "checksum") to every body that is small enough to be digested here. */
class ChecksumStack implements HttpStack {
  private readonly inner = new DefaultHttpStack({});

  getName(): string {
    return "ChecksumStack";
  }

  createRequest(method: string, url: string): HttpRequest {
    const request = this.inner.createRequest(method, url);
    const send = request.send.bind(request);
    const abort = request.abort.bind(request);
    let aborted = false;
    request.abort = () => {
      aborted = true;
      return abort();
    };
    request.send = async (body: unknown) => {
      if ((method === "PATCH" || method === "POST") && body instanceof Blob && body.size > 0 && body.size <= CHECKSUM_UP_TO) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await body.arrayBuffer()));
        // Aborted while digesting: an opened request that is sent now would race with the one that resumes.
        if (aborted) throw new DOMException("Aborted", "AbortError");
        request.setHeader("Upload-Checksum", `sha256 ${btoa(String.fromCharCode(...digest))}`);
      }
      return send(body as never);
    };
    return request;
  }
}

/** What the files are added to, by the name that the upload's metadata has for it. */
export interface Home {
  name: "case_id" | "patient_id";
  id: string;
}

export interface TusOptions {
  endpoint: string;
  home: Home;
  store: ResumeStore;
  abilities: () => Promise<ServerAbilities>;
}

/**
 * The question how much of a file is there was not answered, which says nothing of the file. tus-js-client would take any
 * answer but a success for "there is no such upload", forget its address, and send the file from its beginning.
 */
class NotTold extends Error {
  constructor(readonly status: number) {
    super(`The upload's offset was asked for, and answered with ${status}.`);
  }
}

function tellsNothing(request: HttpRequest, response: HttpResponse): boolean {
  const status = response.getStatus();
  return request.getMethod() === "HEAD" && (status === 401 || status === 408 || status === 429 || status >= 500);
}

function statusOf(error: Error | DetailedError): number {
  if (!(error instanceof DetailedError)) return 0;
  // An answer to HEAD has no words: behind 502 to 504 may be a server that starts, or its storage. It is waited for.
  if (error.causingError instanceof NotTold) return error.causingError.status > 500 ? 0 : error.causingError.status;
  return error.originalResponse?.getStatus() ?? 0;
}

/** tus 1.0: 409 offset mismatch, 423 locked, 460 checksum mismatch are cured by asking for the offset again. */
function passes(status: number): boolean {
  return status === 0 || status === 408 || status === 409 || status === 423 || status === 429 || status === 460 || status >= 500;
}

function problemOf(error: Error | DetailedError): Problem {
  const body = error instanceof DetailedError ? (error.originalResponse?.getBody() ?? "") : "";
  return problemFrom(statusOf(error), body);
}

/** The trouble is not this file's but the storage's: no other file would fare better. */
function isOfStorage(error: Error | DetailedError): boolean {
  return statusOf(error) === 507 || problemOf(error).code === "storage_failed";
}

function endOf(error: Error | DetailedError): Ended {
  const status = statusOf(error);
  if (status === 401) return { kind: "signed-out" };
  if (isOfStorage(error)) return { kind: "storage", isFull: status === 507 };
  return passes(status) ? { kind: "lost", status } : { kind: "refused", problem: problemOf(error) };
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Transfers over tus 1.0: creation, checksum, resuming by stored address, termination. */
export function tusTransfers(options: TusOptions): OpenTransfer {
  const keys = new WeakMap<Item, string>();
  return (item: Item, onSent, onEnd) => {
    // The same for every try at this file: when the answer to its creation is lost, the next one continues that upload.
    const key = keys.get(item) ?? randomKey();
    keys.set(item, key);
    let stopped = false;
    let wasThere = false;
    let upload: Upload | null = null;
    let turn: Turn | null = null;
    const finish = (ended: Ended): void => {
      turn?.end();
      onEnd(ended);
    };
    const lose = (): void => finish({ kind: "lost", status: 0 });

    const open = async (): Promise<void> => {
      const { file, path } = item.picked;
      const [abilities, hash] = await Promise.all([options.abilities(), fingerprint(options.home.id, path, file)]);
      if (file.size > abilities.maxBytes) {
        const detail = tooLargeWords(abilities.maxBytes);
        onEnd({ kind: "refused", problem: { status: 413, code: "upload_too_large", title: detail, detail } });
        return;
      }
      if (stopped) return;
      const isElsewhere = (yes: boolean): void => {
        item.elsewhere = yes;
        onSent(item.sent);
      };
      turn = takeTurn(
        hash,
        () => isElsewhere(true),
        () => {
          isElsewhere(false);
          return send(abilities, hash).catch(lose);
        },
      );
    };

    const send = async (abilities: ServerAbilities, hash: string | null): Promise<void> => {
      const { file, path } = item.picked;
      const whole = file.size < ONE_REQUEST_BELOW;
      upload = new Upload(file, {
        endpoint: options.endpoint,
        headers: { "Idempotency-Key": key },
        metadata: {
          [options.home.name]: options.home.id,
          filename: file.name,
          filetype: file.type || "application/octet-stream",
          relative_path: path,
        },
        chunkSize: whole ? Number.POSITIVE_INFINITY : CHUNK,
        uploadDataDuringCreation: file.size <= WITH_CREATION_UP_TO && abilities.creationWithUpload,
        ...(abilities.checksum ? { httpStack: new ChecksumStack() } : {}),
        urlStorage: options.store,
        fingerprint: async () => hash ?? "",
        storeFingerprintForResuming: hash !== null,
        removeFingerprintOnSuccess: false,
        retryDelays: [300, 1500, 4000],
        onShouldRetry: (error) => navigator.onLine && passes(statusOf(error)) && !isOfStorage(error),
        onAfterResponse: (request, response) => {
          if (tellsNothing(request, response)) throw new NotTold(response.getStatus());
          if (request.getMethod() === "HEAD") onSent(Number(response.getHeader("Upload-Offset")) || 0, true);
          wasThere ||= Boolean(response.getHeader("Upload-Duplicate-Of"));
        },
        onProgress: (sent) => onSent(sent),
        onSuccess: () => {
          if (hash) options.store.markDone(hash);
          finish({ kind: "done", wasThere });
        },
        onError: (error) => finish(endOf(error)),
      });
      const previous = hash ? await upload.findPreviousUploads() : [];
      if (previous[0]) upload.resumeFromPreviousUpload(previous[0]);
      if (!stopped) upload.start();
    };

    open().catch(lose);
    return {
      async stop() {
        stopped = true;
        await upload?.abort(false);
        turn?.end();
      },
      async terminate() {
        stopped = true;
        try {
          await upload?.abort(true);
        } catch {
          // The server forgets an unfinished upload by itself when it expires.
        }
        turn?.end();
      },
    };
  };
}
