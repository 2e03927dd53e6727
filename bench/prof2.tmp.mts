import { boot, scenario } from '../test/helpers.js';
const n = 6;
for (let round=0; round<n; round++) {
const c0=process.cpuUsage(); const b = boot({scenario: scenario('epyc-efi'), stage:18}); const ctor=process.cpuUsage(c0).user/1000;
const rows: [string, number][] = [];
while (b.outcome===null) { const l=b.ahead[0]!; const t=process.cpuUsage(); b.step(); rows.push([l, process.cpuUsage(t).user/1000]); }
const t=process.cpuUsage(); b.finish(); const fin=process.cpuUsage(t).user/1000;
if (round===n-1) { console.log('ctor',ctor,'finish',fin,'total',process.cpuUsage(c0).user/1000, b.outcome); for (const r of rows) if (r[1]>4) console.log(r[0].padEnd(34), r[1].toFixed(1)); }
}
