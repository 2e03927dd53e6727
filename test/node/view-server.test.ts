/** The server of the viewer's page. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InputError } from '../../src/base/errors.js';
import { serveView } from '../../src/node/view-server.js';

let dir: string;
let file: string;
let url: string;
let controller: AbortController;
let ended: Promise<void>;
let page: () => string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-server-'));
  file = join(dir, 'mine.yaml');
  writeFileSync(file, 'one');
  page = () => '<p>page</p>';
  controller = new AbortController();
  url = await new Promise<string>((resolve, reject) => {
    ended = serveView({
      port: 0,
      page: () => page(),
      errorPage: (error) => `<p>${error.format()}</p>`,
      files: [file],
      signal: controller.signal,
      onListening: resolve,
    });
    ended.catch(reject);
  });
});
afterEach(async () => {
  controller.abort();
  await ended;
  rmSync(dir, { recursive: true, force: true });
});

/** Status and text of a request with a host of its own. */
function withHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the server', () => {
  test('has the page, made anew each time', async () => {
    expect(await (await fetch(url)).text()).toBe('<p>page</p>');
    page = () => '<p>changed</p>';
    const response = await fetch(url);
    expect(await response.text()).toBe('<p>changed</p>');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  });

  test('has nothing else', async () => {
    expect((await fetch(`${url}other`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test('answers this machine only, by its own name', async () => {
    expect(await withHost('evil.example')).toBe(403);
    expect(await withHost(new URL(url).host)).toBe(200);
  });

  test('says why there is no page, and has it again later', async () => {
    page = () => {
      throw new InputError({ code: 'E_SCENARIO', reason: 'half written' });
    };
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringMatching(/^<p>[^]*half written/),
    ]);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    page = () => 'again';
    expect(await (await fetch(url)).text()).toBe('again');
  });

  test('tells an open page that the file has changed', async () => {
    const response = await fetch(`${url}events`);
    const reader = response.body?.getReader();
    const next = async (): Promise<string> =>
      new TextDecoder().decode((await reader?.read())?.value as Uint8Array | undefined);
    expect(await next()).toContain('connected');
    writeFileSync(file, 'two, longer');
    expect(await next()).toBe('data: changed\n\n');
    await reader?.cancel();
  });

  test('refuses a port that another has', async () => {
    const port = Number(new URL(url).port);
    const second = serveView({
      port,
      page,
      errorPage: String,
      files: [],
      signal: controller.signal,
      onListening: () => undefined,
    });
    await expect(second).rejects.toMatchObject({
      code: 'E_PORT',
      reason: 'another program uses the port',
    });
  });
});
