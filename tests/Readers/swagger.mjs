// Signs in to Swagger UI in a real Chromium and tries an operation. Reads { chromium, issuer, login, password, folder } from stdin and prints, as JSON,
// what Swagger UI showed.
import { chromium } from 'playwright-core';
import { json } from 'node:stream/consumers';

const input = await json(process.stdin);
const browser = await chromium.launch({
  executablePath: input.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
const asked = [];
context.on('request', request => { if (request.url().includes('/connect/token')) asked.push(request.postData()); });

await page.goto(`${input.issuer}swagger`);
await page.click('button.authorize');
const flow = page.locator('.auth-container', { hasText: 'authorizationCode' });
const clientId = await flow.locator('input[data-name=clientId], #client_id_authorizationCode').first().inputValue();
await flow.locator('input[type=checkbox]').first().check({ force: true });
const opened = context.waitForEvent('page');
await flow.locator('button.authorize').click();
const window = await opened;
await window.waitForSelector('#login');
await window.fill('#login', input.login);
await window.fill('#password', input.password);
await window.keyboard.press('Enter');
await flow.locator('button', { hasText: 'Logout' }).waitFor();
if (input.folder) await page.screenshot({ path: `${input.folder}/swagger.png` });
await page.click('button.btn-done');
const operation = page.locator('#operations-Me-getMe');
await operation.locator('button.opblock-summary-control').click();
await operation.locator('button.try-out__btn').click();
await operation.locator('button.execute').click();
const status = await operation.locator('.live-responses-table tr.response td.response-col_status').first().innerText();
await browser.close();
console.log(JSON.stringify({ clientId, grant: new URLSearchParams(asked[0]).get('grant_type'), verifier: new URLSearchParams(asked[0]).has('code_verifier'), status: parseInt(status) }));
