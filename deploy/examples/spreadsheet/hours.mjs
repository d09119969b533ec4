// Draws an hour report into a spreadsheet: teams down, months across, hours in the cells.
//   VOLUNTEERS=… ORGANIZATION=… CLIENT_ID=… CLIENT_SECRET=… node hours.mjs 2026-01-01 2026-12-31 hours.xlsx
// The client needs the scope reports.read and no other.
import writeExcelFile from 'write-excel-file/node';

const { VOLUNTEERS: service = 'http://localhost:5080', ORGANIZATION: organization, CLIENT_ID: id, CLIENT_SECRET: secret } = process.env;
const [from, to, file] = process.argv.slice(2);
if (!organization || !id || !secret || !file) throw new Error('Set ORGANIZATION, CLIENT_ID and CLIENT_SECRET, and name the first day, the last day and the file.');

const { access_token: token } = await asked('/connect/token', {
  method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret, scope: 'reports.read' }),
});
const report = await asked(`/v1/organizations/${organization}/reports/hours?${new URLSearchParams({ from, to, groupBy: 'team,month' })}`, {
  headers: { Authorization: `Bearer ${token}` },
});

const months = [...new Set(report.rows.map(row => row.month))].sort();
const teams = report.rows.reduce((groups, row) => groups.set(row.team.id, [...groups.get(row.team.id) ?? [], row]), new Map());
// Minutes are added, hours are shown: rounded hours do not add up.
const minutes = rows => rows.reduce((sum, row) => sum + row.minutes, 0);
const hours = rows => ({ value: Math.round(minutes(rows) * 100 / 60) / 100, type: Number, format: '#,##0.00' });
const bold = cell => ({ ...(typeof cell === 'object' ? cell : { value: cell }), fontWeight: 'bold' });
const line = (name, rows) => [name, ...months.map(month => hours(rows.filter(row => row.month === month))), hours(rows)];

await writeExcelFile([
  ['服务队', ...months, '合计（小时）'].map(bold),
  ...[...teams.values()].map(rows => line(rows[0].team.name, rows)),
  line('合计', report.rows).map(bold),
  [],
  // Whoever has this number can draw the very same report again: …&asOf=
  [`${from} 至 ${to}，账本第 ${report.asOf.position} 号`],
], { sheet: '服务时长', columns: [{ width: 32 }, ...months.map(() => ({ width: 12 })), { width: 14 }], stickyRowsCount: 1 }).toFile(file);
console.log(`${file}: ${teams.size} teams, ${months.length} months, ${minutes(report.rows)} minutes, ledger position ${report.asOf.position}`);

/** The answer; where there is none to use, what was wrong, by its code. */
async function asked(path, request) {
  const answer = await fetch(new URL(path, service), request);
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status} ${body.code ?? body.error}: ${body.detail ?? body.error_description}`);
  return body;
}
