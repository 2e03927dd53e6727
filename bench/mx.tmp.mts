import { boot, scenario } from '../test/helpers.js';
import { Matrix } from '../src/review/matrix.js';
const name = process.argv[2] ?? 'epyc-efi';
const mk = () => ({ ...(boot({scenario: scenario(name), stage: 18}).options) });
const cpu = (f: () => void) => { const t=process.cpuUsage(); f(); const d=process.cpuUsage(t); return (d.user+d.system)/1000; };
for (let i=0;i<3;i++) boot({scenario: scenario(name), stage: 18}).run();
const one = cpu(() => { boot({scenario: scenario(name), stage: 18}).run(); });
let total=0; let m!: Matrix; total += cpu(() => { m = new Matrix(mk()); }); console.log('whole', total/one);
const times: [string, number, string][] = [];
for (const h of m.hunks) { let row!: any; const t=cpu(() => { row = m.row(h); }); total+=t; times.push([h.hunk.id, t/one, `${row.how}|${row.firstUse ?? '-'}|${row.outcome.kind}|${row.same}|${row.wrong?.name ?? ''}|lost ${row.lost.join(',')}|gained ${row.gained.join(',')}| ${row.mechanism}`]); }
for (const [a,b,c] of times) console.log(a.padEnd(28), b.toFixed(2), c.slice(0,420));
console.log('one', one, 'total', total/one);
