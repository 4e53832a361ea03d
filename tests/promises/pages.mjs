// Tests the pages of the sandbox in a real browser, as a debtor uses them.
// pages.rs runs `node pages.mjs` with SANDBOX (the address), CHROMIUM (the program) and TOOLS (node_modules).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';

const { SANDBOX, CHROMIUM, TOOLS } = process.env;
const require = createRequire(`${TOOLS}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const DAY = 86400;
const safedebit = `http://${SANDBOX}/safedebit/ssp`;
const seqino = `http://${SANDBOX}/seqino/api`;

// The web site of the merchant, to which the debtor returns after a decision.
let merchant, site, visits, browser;

before(async () => {
  merchant = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      if (request.url !== '/favicon.ico') visits.push({ method: request.method, url: request.url, body: new URLSearchParams(body) });
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>merchant</title>');
    });
  });
  await new Promise((done) => merchant.listen(0, '127.0.0.1', done));
  site = `http://127.0.0.1:${merchant.address().port}`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  merchant?.closeAllConnections();
  merchant?.close();
});

beforeEach(async () => {
  visits = [];
  await control('POST', 'reset');
});

async function json(method, url, body, headers = {}) {
  const answer = await fetch(url, { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  return answer.json();
}

function control(method, path, body) {
  return json(method, `http://${SANDBOX}/_control/${path}`, body);
}

function atSafeDebit(operation, body) {
  const authorization = `Basic ${btoa('sandbox:sandbox-password')}`;
  return json('POST', `${safedebit}/${operation}`, body, { authorization });
}

async function mandate(umr, urls = {}) {
  const answer = await atSafeDebit('create_mandate', {
    safedebit_consumer_reference: 'XXXXXXXXXXXXX',
    url_ok: `${site}/ok?order=42`,
    url_ko: `${site}/ko`,
    url_cancel: `${site}/cancel?order=42`,
    umr,
    ...urls,
  });
  return answer.signature_url;
}

async function word(umr) {
  const all = await control('GET', 'mandates');
  return all.find((one) => one.mandate === `safedebit:${umr}`).word;
}

// Opens a page of the sandbox. Fails if a script runs, or if the page loads anything from another host.
async function open(url, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.on('dialog', () => assert.fail('the page ran a script'));
  page.on('request', (request) => assert.match(new URL(request.url()).host, /^127\.0\.0\.1:/));
  page.answer = await page.goto(url);
  return page;
}

const button = (page, name) => page.getByRole('button', { name, exact: true });

test('signing makes the mandate active and posts UMR, IBAN and BIC to url_ok', async () => {
  const page = await open(await mandate('RUM-1'));
  assert.equal(await page.title(), 'Sign a SEPA direct debit mandate');
  await button(page, 'Sign').click();
  assert.equal(page.url(), `${site}/ok?order=42&umr=RUM-1`);
  const [visit] = visits;
  assert.deepEqual([visits.length, visit.method, visit.body.get('umr')], [1, 'POST', 'RUM-1']);
  assert.ok(visit.body.get('iban') && visit.body.get('bic'));
  assert.equal(await word('RUM-1'), '1');
});

test('signing works without JavaScript', async () => {
  const page = await open(await mandate('RUM-1'), { javaScriptEnabled: false });
  await button(page, 'Sign').click();
  assert.equal(await word('RUM-1'), '1');
});

test('cancelling goes to url_cancel, signs nothing and keeps the link valid', async () => {
  const link = await mandate('RUM-1');
  const page = await open(link);
  await button(page, 'Cancel').click();
  assert.equal(page.url(), `${site}/cancel?order=42`);
  assert.equal(visits[0].method, 'GET');
  assert.equal(await word('RUM-1'), '5');
  await page.goto(link);
  await button(page, 'Sign').click();
  assert.equal(await word('RUM-1'), '1');
});

test('an expired link shows an error and leads to url_ko', async () => {
  const link = await mandate('RUM-1');
  await control('POST', 'clock', { advance_seconds: DAY - 60 });
  assert.equal((await open(link)).answer.status(), 200);
  await control('POST', 'clock', { advance_seconds: 60 });
  const page = await open(link);
  assert.equal(page.answer.status(), 410);
  assert.equal(await page.getByRole('alert').textContent(), 'This link has expired.');
  assert.equal(await page.getByRole('button').count(), 0);
  await page.getByRole('link', { name: 'Back' }).click();
  assert.equal(page.url(), `${site}/ko`);
  assert.equal(await word('RUM-1'), '5');
});

test('a link that expires on screen signs nothing', async () => {
  const page = await open(await mandate('RUM-1'));
  await control('POST', 'clock', { advance_seconds: DAY });
  await button(page, 'Sign').click();
  assert.equal(await page.getByRole('alert').textContent(), 'This link has expired.');
  assert.equal(await word('RUM-1'), '5');
});

test('a link allows one signature, even in two windows', async () => {
  const link = await mandate('RUM-1');
  const [one, other] = [await open(link), await open(link)];
  await button(one, 'Sign').click();
  await button(other, 'Sign').click();
  // The second click shows the result of the first.
  for (const page of [one, other]) assert.equal(page.url(), `${site}/ok?order=42&umr=RUM-1`);
  const page = await open(link);
  assert.equal(await page.getByRole('alert').textContent(), 'This link has already been used.');
  assert.equal(await page.getByRole('button').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Back' }).count(), 0);
});

test('markup in a name and an address is shown as text', async () => {
  const name = '<img src=x onerror=alert(1)>"\'&amp;';
  await control('PATCH', 'state/safedebit/consumers/XXXXXXXXXXXXX', { consumer_first_name: name, consumer_last_name: '</dd><script>alert(2)</script>' });
  const page = await open(await mandate('RUM-1', { url_ok: `${site}/ok?"><script>alert(4)</script>` }));
  const shown = await page.locator('dd').allTextContents();
  assert.equal(shown[0], `${name} </dd><script>alert(2)</script>`);
  assert.equal(await page.locator('img, script, b').count(), 0);
});

test('the debtor reads whom and what they allow, and the ends of their IBAN', async () => {
  for (const [language, kind] of [['en', 'recurring'], ['fr', 'récurrent']]) {
    const page = await open(`${await mandate(`RUM-${language}`)}?lang=${language}`);
    const shown = await page.locator('dd').allTextContents();
    assert.deepEqual(shown.slice(1), ['FR76 •••• 0185', 'Sandbox SAS, ICS FR72ZZZ123456', `RUM-${language}`, kind]);
  }
});

test('return URLs other than http are never linked or opened', async () => {
  for (const address of ['javascript:alert(1)', 'data:text/html,<script>alert(1)</script>', '//merchant']) {
    await control('POST', 'reset');
    const link = await mandate('RUM-1', { url_ok: address, url_ko: address, url_cancel: address });
    const page = await open(link);
    await button(page, 'Cancel').click();
    assert.equal(await page.getByRole('status').textContent(), 'Cancelled: nothing was done.');
    await page.goto(link);
    await button(page, 'Sign').click();
    assert.equal(await page.getByRole('status').textContent(), 'Done.');
    const used = await open(link);
    const hrefs = await used.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    assert.deepEqual(hrefs, ['?lang=fr']);
  }
});

test('pages are in French or English, by browser language or choice', async () => {
  const link = await mandate('RUM-1');
  for (const [locale, language, sign] of [['fr-FR', 'fr', 'Signer'], ['en-US', 'en', 'Sign'], ['de-DE', 'fr', 'Signer']]) {
    const page = await open(link, { locale });
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    assert.ok(await button(page, sign).isVisible());
  }
  const page = await open(link, { locale: 'en-US' });
  await page.getByRole('link', { name: 'Français' }).click();
  assert.equal(await page.title(), 'Signer un mandat de prélèvement SEPA');
  await control('POST', 'clock', { advance_seconds: DAY });
  // The page keeps the chosen language after the debtor submits the form.
  await button(page, 'Signer').click();
  assert.equal(await page.getByRole('alert').textContent(), 'Ce lien a expiré.');
});

test('pages work with the keyboard and show the focus', async () => {
  const page = await open(await mandate('RUM-1'));
  const seen = [];
  for (let presses = 0; presses < 3; presses += 1) {
    await page.keyboard.press('Tab');
    seen.push(
      await page.evaluate(() => [document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]),
    );
  }
  assert.deepEqual(seen, [['Français', 'solid'], ['Sign', 'solid'], ['Cancel', 'solid']]);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${site}/ok**`);
  assert.equal(await word('RUM-1'), '1');
});

test('transfer, beneficiary and onboarding links return as documented', async () => {
  const transfer = await atSafeDebit('initiate_transfer', {
    safedebit_consumer_reference: 'XXXXXXXXXXXXX', payment_reference: 'PAY-1', amount: '123456',
    url_ok: `${site}/paid`, url_ko: `${site}/ko`, url_cancel: `${site}/cancel`,
  });
  let page = await open(transfer.link);
  assert.deepEqual(await page.locator('dd').allTextContents(), ['€1,234.56']);
  await button(page, 'Pay').click();
  assert.equal(page.url(), `${site}/paid`);

  const beneficiary = await atSafeDebit('initiate_beneficiary', {
    social_reference: 'Acme', email: 'abc@abc.com', siren: '123456789', url_callback: `${site}/callback`,
  });
  page = await open(beneficiary.url);
  await button(page, 'Confirm').click();
  assert.equal(await page.getByRole('status').textContent(), 'Done.');

  const headers = { authorization: 'YOUR_API_KEY_HERE', 'x-pdp-client-id': 'client_abc123' };
  await json('POST', `${seqino}/mandates`, { start_date: '2024-01-15T00:00:00Z', directory_entry: { siren: '987654321', name: 'Acme' } }, headers);
  const onboarding = await json('POST', `${seqino}/clients/onboarding-link`, {
    include_kyc: true, include_signature: true, callback_url: `${site}/onboarded`,
  }, headers);
  page = await open(onboarding.onboarding_url);
  assert.deepEqual(await page.locator('dd').allTextContents(), ['Acme Corporation', 'yes', 'yes']);
  await button(page, 'Accept').click();
  assert.equal(page.url(), `${site}/onboarded`);
  const words = (await control('GET', 'mandates')).filter((one) => one.mandate.startsWith('seqino:')).map((one) => one.word);
  assert.deepEqual(words, ['active', 'active']);
});

test('pages pass the accessibility checks on a phone screen', async () => {
  const link = await mandate('RUM-1');
  const visit = async (language) => {
    const page = await open(`${link}?lang=${language}`, { viewport: { width: 320, height: 640 } });
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => axe.run());
    assert.deepEqual(violations.map((one) => [one.id, one.nodes.map((node) => node.html)]), []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.ok(!wide, 'the page scrolls sideways');
    return passes.map((one) => one.id);
  };
  for (const language of ['fr', 'en']) {
    const passed = await visit(language);
    for (const rule of ['button-name', 'link-name', 'color-contrast', 'html-has-lang']) assert.ok(passed.includes(rule), rule);
  }
  await control('POST', 'clock', { advance_seconds: DAY });
  for (const language of ['fr', 'en']) await visit(language);
});

async function desk(options = {}) {
  const page = await open(`http://${SANDBOX}/`, options);
  await page.locator('#mandates strong').first().waitFor();
  return page;
}

test('the page of the sandbox shows requests and records live, without personal data', async () => {
  const page = await desk();
  await mandate('RUM-LIVE');
  await page.getByText('RUM-LIVE', { exact: true }).waitFor();
  await page.locator('#journal').getByText('create_mandate').waitFor();
  await page.locator('#journal details').first().click();
  const text = await page.locator('body').innerText();
  assert.match(text, /FR76 •••• 0185/);
  assert.doesNotMatch(text, /30001007941234567890185|example\.com/);
  // A lost sandbox is shown, and the page continues afterwards.
  await page.route('**/_control/**', (route) => route.abort());
  await page.getByText('no connection to the sandbox').waitFor();
  await page.unroute('**/_control/**');
  await page.getByText('live', { exact: true }).waitFor();
});

test('a mandate and its debits can be led through their life by buttons alone', async () => {
  const page = await desk();
  const row = (list, text) => page.locator(`#${list} > li`, { hasText: text });
  const state = (list, text, words) => row(list, text).getByText(words, { exact: true }).first().waitFor();
  await button(page, 'New at SafeDebit').click();
  const umr = 'RUM-SANDBOX-000001';
  await state('mandates', umr, 'Awaiting signature');
  await row('mandates', umr).getByRole('link', { name: 'Open the signing page' }).click();
  await button(page, 'Sign').click();
  assert.equal(new URL(page.url()).pathname, '/_shop/ok');
  assert.deepEqual(await page.locator('dd').allTextContents(), ['CMCIFRPP', 'FR76 •••• 0185', umr]);
  await page.getByRole('link', { name: 'To the page of the sandbox' }).click();
  await state('mandates', umr, 'Active');
  await button(page, `Debit: safedebit:${umr}`).click();
  const sdd = 'SDD-SANDBOX-000002';
  await state('debits', sdd, 'Scheduled');
  await row('debits', sdd).getByRole('button', { name: 'To the bank' }).click();
  await state('debits', sdd, 'At the bank');
  await row('debits', sdd).getByRole('button', { name: 'Settle' }).click();
  await state('debits', sdd, 'Collected');
  await row('debits', sdd).getByRole('combobox').selectOption('AM04');
  await state('debits', sdd, 'Returned');
  await row('debits', sdd).getByText('reason AM04').waitFor();
  await button(page, `Revoke: safedebit:${umr}`).click();
  await state('mandates', umr, 'Revoked');
  await button(page, `More… safedebit:${umr}`).click();
  const more = page.getByRole('dialog');
  await more.getByLabel('Any word of the vendor').fill('on_holiday');
  await more.getByRole('button', { name: 'Set' }).last().click();
  await more.getByText('unknown word').waitFor();
  await more.getByLabel('Status').selectOption('Suspended');
  await more.getByRole('button', { name: 'Set' }).first().click();
  await more.getByText('suspended').first().waitFor();
  await more.getByRole('button', { name: 'Delete at the vendor' }).click();
  await row('mandates', umr).waitFor({ state: 'detached' });
  assert.equal(await more.isVisible(), false);
});

test('the second click of a double click does not press the button that the first one brings', async () => {
  const page = await desk();
  await button(page, 'New at SafeDebit').click();
  const umr = 'RUM-SANDBOX-000001';
  const sign = button(page, `Sign: safedebit:${umr}`);
  await sign.waitFor();
  const { x, y, width, height } = await sign.boundingBox();
  const click = async (clickCount) => {
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down({ clickCount });
    await page.mouse.up({ clickCount });
  };
  await click(1);
  await button(page, `Suspend: safedebit:${umr}`).waitFor();
  await click(2);
  // The page asks for the state each second, and after each step.
  for (let polls = 0; polls < 2; polls += 1) await page.waitForResponse(/overview/);
  assert.deepEqual([await word(umr), (await control('GET', 'debits')).length], ['1', 1]);
});

test('every kind of fault, scripts, the clock, records and the reset have a control', async () => {
  const page = await desk();
  const kinds = await page.locator('#fault select[name=fault] option').allTextContents();
  assert.equal(kinds.length, 17);
  for (const kind of kinds) {
    await page.locator('#fault select[name=fault]').selectOption(kind);
    await button(page, 'Add the fault').click();
    await page.locator('#faults').getByText(kind, { exact: true }).waitFor();
  }
  assert.equal((await control('GET', 'faults')).faults, 17);
  await page.locator('section', { hasText: 'Faults' }).getByRole('button', { name: 'Remove all' }).click();
  await page.getByText('No faults: each request gets its normal response.').waitFor();

  await page.getByText('Scripted responses', { exact: true }).click();
  await page.locator('#script select').selectOption('seqino/get_client');
  await page.getByLabel('Responses, as JSON').fill('[{"status": 418}]');
  await button(page, 'Add the responses').click();
  await page.locator('#scripts').getByText('get_client').waitFor();
  const headers = { authorization: 'YOUR_API_KEY_HERE' };
  assert.equal((await fetch(`${seqino}/clients/client_abc123`, { headers })).status, 418);
  await page.getByLabel('Responses, as JSON').fill('[');
  await button(page, 'Add the responses').click();
  await page.locator('#said .wrong').waitFor();

  const before = new Date((await control('GET', 'clock')).now);
  await button(page, '+1 week').click();
  await page.getByText('Done.').waitFor();
  assert.ok(new Date((await control('GET', 'clock')).now) - before >= 7 * DAY * 1000);
  const day = new Date(before.getTime() + 30 * DAY * 1000).toISOString().slice(0, 10);
  await page.locator('#until input').fill(day);
  await button(page, 'Advance').click();
  await page.waitForFunction(async (day) => (await (await fetch('/_control/clock')).json()).now.startsWith(day), day);

  await page.getByText('Records', { exact: true }).click();
  await page.locator('#record select').selectOption({ label: 'mdt_abc123' });
  await page.locator('#record textarea').fill('{"status": "expired"}');
  await button(page, 'Change the record').click();
  const expired = page.locator('#mandates .badge', { hasText: 'expired' });
  await expired.waitFor();
  await button(page, 'Reset the sandbox').click();
  await expired.waitFor({ state: 'detached' });
});

test('the focus stays on the button of a row that changes', async () => {
  const page = await desk();
  const suspend = button(page, 'Suspend: safedebit:XXXXXXXXXXXXX');
  await suspend.focus();
  await page.keyboard.press('Enter');
  await page.locator('#mandates').getByText('suspended').waitFor();
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? ''), /safedebit:XXXXXXXXXXXXX/);
});

test('the page of the sandbox passes the accessibility checks at two widths, in two schemes and two languages', async () => {
  const link = await mandate('FR7630001007941234567890185');
  assert.ok(link);
  await control('POST', 'samples', { debit_on: 'safedebit:XXXXXXXXXXXXX' });
  await control('POST', 'faults', { fault: 'reset', operation: 'get_client' });
  for (const [locale, colorScheme, width] of [['en-GB', 'light', 320], ['en-GB', 'dark', 1280], ['fr-FR', 'light', 1280], ['fr-FR', 'dark', 320]]) {
    const page = await desk({ locale, colorScheme, viewport: { width, height: 800 } });
    await page.locator('#debits > li').nth(1).waitFor();
    for (const details of await page.locator('details').all()) await details.evaluate((one) => { one.open = true; });
    await page.getByRole('button', { name: /^(More|Plus)… / }).first().click();
    for (const part of ['dialog', 'page']) {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run());
      assert.deepEqual(violations.map((one) => [one.id, one.nodes.map((node) => node.html)]), [], `${locale} ${colorScheme} ${width} ${part}`);
      await page.keyboard.press('Escape');
    }
    assert.ok(!(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)), `${locale} ${width}: the page scrolls sideways`);
    assert.doesNotMatch(await page.locator('body').innerText(), /30001007941/);
    await page.context().close();
  }
});
