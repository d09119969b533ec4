// Walks the sign-in pages in a real Chromium, wide and at 320 CSS pixels, in two languages, and looks at each with axe-core. Reads
// { chromium, issuer, clientId, redirectUri, login, password, folder } from stdin and prints, as JSON, the pages seen with what is wrong on them,
// and where the forms led. With a folder it leaves a picture of every page there.
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { json } from 'node:stream/consumers';
import { createHash, randomBytes } from 'node:crypto';

const input = await json(process.stdin);
const browser = await chromium.launch({
  executablePath: input.chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});
const [pages, led, blocked] = [[], [], []];

async function look(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const { overflow, focused, language, text } = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth, focused: document.activeElement.id, language: document.documentElement.lang,
    // What OAuth says to developers is English, and marked so.
    text: [...document.querySelectorAll('main *:not([lang])')].flatMap(element => [...element.childNodes]).filter(node => node.nodeType === 3).map(node => node.data.trim()).filter(Boolean).join('\n'),
  }));
  pages.push({ name, title: await page.title(), language, overflow, focused, text, wrong: violations.map(found => `${found.id}: ${found.nodes.map(node => node.html).join(' ')}`) });
  if (input.folder) await page.screenshot({ path: `${input.folder}/${name}.png`, fullPage: true });
}

const request = (extra = {}) => `${input.issuer}connect/authorize?` + new URLSearchParams({
  response_type: 'code', client_id: input.clientId, redirect_uri: input.redirectUri, scope: 'openid profile api offline_access', state: 'a-state',
  code_challenge: createHash('sha256').update(randomBytes(32).toString('base64url')).digest('base64url'), code_challenge_method: 'S256', ...extra,
});

for (const [locale, width] of [['en', 1280], ['zh-CN', 1280], ['en', 320], ['zh-CN', 320]]) {
  const context = await browser.newContext({ locale, viewport: { width, height: 640 } });
  // The application itself is not there; what counts is that the browser goes to it.
  await context.route(address => !address.href.startsWith(input.issuer), route => route.fulfill({ contentType: 'text/html', body: '<title>the application</title>' }));
  const page = await context.newPage();
  page.on('console', message => { if (/Content Security Policy/i.test(message.text())) blocked.push(message.text()); });
  const named = name => `${name}-${locale}-${width}`;

  await page.goto(request({ prompt: 'consent' }));
  await look(page, named('sign-in'));
  await page.fill('#login', input.login);
  await page.fill('#password', 'not-the-password');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  await look(page, named('refused'));
  await page.fill('#password', input.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('button[value=allow]');
  await look(page, named('consent'));
  await page.click('button[value=allow]');
  await page.waitForURL(address => address.href.startsWith(input.redirectUri));
  led.push(page.url());

  // With consent given, the form of the sign-in page itself leads to the application, by two redirects.
  await page.goto(request({ prompt: 'login' }));
  await page.fill('#login', input.login);
  await page.fill('#password', input.password);
  await page.click('button');
  await page.waitForURL(address => address.href.startsWith(input.redirectUri));
  led.push(page.url());

  await page.goto(`${input.issuer}sign-in`);
  await look(page, named('signed-in'));
  await page.click('a');
  await page.waitForSelector('button[value=signOut]');
  await look(page, named('sign-out'));
  await page.click('button');
  await page.waitForLoadState();
  await look(page, named('signed-out'));
  await page.goto(request({ redirect_uri: 'https://evil.example.org/' }));
  await look(page, named('stopped'));
  await context.close();
}

await browser.close();
console.log(JSON.stringify({ pages, led, blocked }));
