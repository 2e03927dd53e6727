// Runs command lines of the bundle one after another in one process, which is warm after the first: node runner.mjs BUNDLE
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Chalk } from 'chalk';

const { runCli } = await import(pathToFileURL(process.argv[2]).href);

process.on('message', async ({ argv }) => {
  let output = '';
  const write = (text) => {
    output += text;
  };
  const stream = { write, isTTY: false, columns: undefined };
  const io = {
    stdout: stream,
    stderr: stream,
    paint: new Chalk({ level: 0 }),
    env: {},
    exitCode: 0,
  };
  try {
    const status = await runCli(argv, io);
    process.send({ status, output });
  } catch (error) {
    process.send({ status: 70, output: `${output}${error.stack}` });
  }
});
