/** Serves the viewer's page on a TCP port of the loopback interface, and tells the page when a file has changed. */
import { watchFile, unwatchFile } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { InputError } from '../base/errors.js';

export interface ViewServerOptions {
  /** The port; 0: any that is free. */
  readonly port: number;
  /** Makes the page; called for each request, so that a file that was changed is read again. */
  readonly page: () => string;
  /** Makes the page for an error of `page`. */
  readonly errorPage: (error: InputError) => string;
  /** Files whose change makes open pages load again. */
  readonly files: readonly string[];
  /** Called once a browser can connect, with the address. */
  readonly onListening: (url: string) => void;
  /** Ends the server. */
  readonly signal: AbortSignal;
}

const LOOPBACK = '127.0.0.1';
/** Milliseconds between two looks at a file (our choice): polling also sees files that an editor replaces. */
const INTERVAL = 300;

/** Why a port cannot be had, by the system's code. */
const REASONS = new Map([
  ['EADDRINUSE', 'another program uses the port'],
  ['EACCES', 'permission denied'],
]);

const reasonOf = ({ code = '', message }: NodeJS.ErrnoException): string =>
  REASONS.get(code) ?? (code === '' ? message : code);

/** Whether a request is for this server, and not from a page of another site that has made a name for its address. */
function isLocal(host: string | undefined, port: number): boolean {
  return host === `${LOOPBACK}:${String(port)}` || host === `localhost:${String(port)}`;
}

/** Serves until the signal comes. Rejects with E_PORT if the port cannot be had. */
export function serveView(options: ViewServerOptions): Promise<void> {
  const { port, page, errorPage, files, onListening, signal } = options;
  const open = new Set<ServerResponse>();
  const changed = (): void => {
    for (const response of open) response.write('data: changed\n\n');
  };
  let bound = port;
  const server = createServer(({ url, method, headers }, response) => {
    const answer = (status: number, type: string, text: string): void => {
      response.writeHead(status, {
        'content-type': `${type}; charset=utf-8`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(method === 'HEAD' ? undefined : text);
    };
    if (!isLocal(headers.host, bound)) answer(403, 'text/plain', 'only for this machine\n');
    else if (method !== 'GET' && method !== 'HEAD') answer(405, 'text/plain', 'only GET\n');
    else if (url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(': connected\n\n');
      open.add(response);
      response.on('close', () => open.delete(response));
    } else if (url === '/') {
      try {
        answer(200, 'text/html', page());
      } catch (error) {
        // The page comes back with the next change that makes the file valid.
        if (!(error instanceof InputError)) throw error;
        answer(500, 'text/html', errorPage(error));
      }
    } else answer(404, 'text/plain', 'not found\n');
  });
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      const details = { code: 'E_PORT', reason: reasonOf(error), found: String(port) };
      reject(new InputError(details));
    });
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) bound = address.port;
      for (const file of files) watchFile(file, { interval: INTERVAL }, changed);
      onListening(`http://${LOOPBACK}:${String(bound)}/`);
    });
    const stop = (): void => {
      for (const file of files) unwatchFile(file, changed);
      for (const response of open) response.end();
      server.close(() => resolve());
      server.closeAllConnections();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
