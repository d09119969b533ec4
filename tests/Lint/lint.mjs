// Spectral (spectral.yaml) and Redocly (redocly.yaml) on the OpenAPI documents that are named. Prints a line for each thing that one of them has to say,
// and ends with 1 where there is any: errors, warnings and hints alike.
import { spawnSync } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const environment = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' };

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(here, 'node_modules', ...program), ...args], { encoding: 'utf8', env: environment, maxBuffer: 1 << 28 });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`${program.at(-1)} ended with ${status}: ${stderr || stdout}`);
  }
}

let said = 0;
function say(file, rule, where, message) {
  said++;
  console.log(`${relative(process.cwd(), file)} ${where}\n    ${rule}: ${message}`);
}

for (const file of process.argv.slice(2)) {
  const spectral = run(['@stoplight', 'spectral-cli', 'dist', 'index.js'], 'lint', file, '--ruleset', join(here, 'spectral.yaml'), '--format', 'json', '--quiet', '--fail-severity', 'hint');
  for (const { code, path, message } of spectral) say(file, code, `#/${path.map(part => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`, message);

  const redocly = run(['@redocly', 'cli', 'bin', 'cli.js'], 'lint', file, '--config', join(here, 'redocly.yaml'), '--format', 'json', '--max-problems', '10000');
  for (const { ruleId, location, message } of redocly.problems) say(file, ruleId, location[0]?.pointer ?? '#/', message);
  console.log(`${relative(process.cwd(), file)}: ${said} ${said === 1 ? 'problem' : 'problems'}`);
}
process.exitCode = said === 0 ? 0 : 1;
