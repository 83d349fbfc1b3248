// tus-js-client under Node against a live server: `node tus_client.mjs ENDPOINT TOKEN CASE FILE WAY`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [endpoint, token, caseId, path, way] = process.argv.slice(2);
const { Upload } = createRequire(pathToFileURL(process.env.ISLANDS + "/package.json"))("tus-js-client");

const WAYS = {
  /** Three parts side by side, joined at the end. */
  parallel: { parallelUploads: 3, metadataForPartialUploads: { case_id: caseId } },
  /** How long it is, is told with the last part. */
  deferred: { uploadLengthDeferred: true, chunkSize: 400_000 },
};

const upload = new Upload(readFileSync(path), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { case_id: caseId, filename: `${way}.dcm`, filetype: "application/dicom" },
  chunkSize: 500_000,
  retryDelays: [50, 200, 500],
  ...WAYS[way],
  onSuccess: () => console.log(upload.url),
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
});
upload.start();
