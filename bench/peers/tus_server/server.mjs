// node server.mjs PORT FOLDER: @tus/server whose store answers for no byte before it is on the disk, as ours does.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';

const [port, directory] = process.argv.slice(2);

class DurableStore extends FileStore {
  async write(readable, id, offset) {
    const written = await super.write(readable, id, offset);
    const file = await open(join(this.directory, id), 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    return written;
  }
}

const server = new Server({ path: '/files', datastore: new DurableStore({ directory }) });
server.listen({ host: '127.0.0.1', port: Number(port) });
