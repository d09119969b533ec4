// Opens Swagger UI in a real Chromium, signs in, once with a code and once as a client, and tries an operation each time. Reads { chromium, issuer, login,
// password, clientId, clientSecret, organizationId, folder } from stdin and prints, as JSON, what Swagger UI showed and what the browser complained of.
// Leaves a picture of each step in the folder.
import { chromium } from 'playwright-core';
import { json } from 'node:stream/consumers';

const input = await json(process.stdin);
const browser = await chromium.launch({
  executablePath: input.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});
const complaints = [];

/** A window of its own: nothing of the other sign-in is left in it. */
async function open(name) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const asked = [];
  const watch = page => {
    page.on('console', message => { if (['error', 'warning'].includes(message.type())) complaints.push(`${name}: ${message.text()}`); });
    page.on('pageerror', error => complaints.push(`${name}: ${error.message}`));
    page.on('requestfailed', request => complaints.push(`${name}: ${request.url()} ${request.failure()?.errorText}`));
    page.on('response', response => { if (response.status() >= 400) complaints.push(`${name}: ${response.url()} ${response.status()}`); });
  };
  context.on('page', watch);
  context.on('request', request => { if (request.url().includes('/connect/token')) asked.push(Object.fromEntries(new URLSearchParams(request.postData()))); });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${input.issuer}swagger`);
  await page.locator('#operations-Me-getMe').waitFor();
  const picture = step => page.screenshot({ path: `${input.folder}/swagger-${name}-${step}.png` });
  await picture('opened');
  await page.click('button.authorize');
  const form = page.locator('.auth-container', { hasText: name });
  return { context, page, form, asked, picture };
}

/** Tries an operation as a person does: opens it, fills in what it needs, executes it. */
async function attempt({ page, picture }, id, parameters) {
  await page.click('button.btn-done');
  const operation = page.locator(`#operations-${id}`);
  // Swagger UI draws what is near: go down as a person does.
  await page.mouse.move(640, 450);
  for (let screens = 0; await operation.count() === 0 && screens < 200; screens++) {
    await page.mouse.wheel(0, 600);
    await page.waitForTimeout(100);
  }
  await operation.locator('button.opblock-summary-control').click();
  await operation.locator('button.try-out__btn').click();
  for (const [name, value] of Object.entries(parameters)) await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
  await operation.locator('button.execute').click();
  const answer = operation.locator('.live-responses-table tr.response').first();
  const [status, body] = [await answer.locator('td.response-col_status').innerText(), await answer.locator('.highlight-code, .microlight').first().innerText()];
  await operation.locator('.live-responses-table').scrollIntoViewIfNeeded();
  await picture('answered');
  return { status: parseInt(status), body };
}

// A person.
const person = await open('authorizationCode');
const clientId = await person.form.locator('#client_id_authorizationCode').inputValue();
await person.form.locator('input[type=checkbox]').first().check({ force: true });
const opened = person.context.waitForEvent('page');
await person.form.locator('button.authorize').click();
const window = await opened;
await window.waitForSelector('#login');
await window.screenshot({ path: `${input.folder}/swagger-sign-in.png` });
await window.fill('#login', input.login);
await window.fill('#password', input.password);
await window.keyboard.press('Enter');
await person.form.locator('button', { hasText: 'Logout' }).waitFor();
await person.picture('signed-in');
const me = await attempt(person, 'Me-getMe', {});

// A system.
const system = await open('clientCredentials');
await system.form.locator('#client_id_clientCredentials').fill(input.clientId);
await system.form.locator('#client_secret_clientCredentials').fill(input.clientSecret);
await system.form.locator('label[for^="roster.read"]').click();
await system.form.locator('button.authorize').click();
await system.form.locator('button', { hasText: 'Logout' }).waitFor();
await system.picture('signed-in');
const teams = await attempt(system, 'Teams-listTeams', { organizationId: input.organizationId });

await browser.close();
console.log(JSON.stringify({ clientId, person: person.asked, system: system.asked, me, teams, complaints }));
