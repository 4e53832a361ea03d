// Tests the page of `mandat report` in a real browser.
// report.rs runs `node report.mjs` with PAGE and LARGE (the pages), CHROMIUM (the program) and TOOLS (node_modules).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const { PAGE, LARGE, CHROMIUM, TOOLS } = process.env;
const require = createRequire(`${TOOLS}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});

after(() => browser?.close());

// Opens a page. Fails if a text of the file runs, if the page requests anything else, or if its script fails.
async function open(options = {}, path = PAGE) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const url = pathToFileURL(path).href;
  page.on('dialog', () => assert.fail('a text of the file ran'));
  page.on('pageerror', (error) => assert.fail(error));
  page.on('request', (request) => assert.equal(request.url(), url));
  await page.goto(url);
  await page.locator('html[data-ready]').waitFor();
  return page;
}

const button = (page, name) => page.getByRole('button', { name });
const references = (page) => page.locator('.mandates tbody th .reference').allTextContents();
const range = async (page) => (await page.locator('.range').textContent()).replace(/\s/g, ' ');
const press = (page, name) => page.locator('.mandates thead').getByRole('button', { name }).click();

// Waits until the table shows this number of mandates: a search waits for the end of the typing.
const shows = (page, text) => page.locator('.range', { hasText: new RegExp(`${text}$`) }).waitFor();

test('numbers of the summary are those of the file', async () => {
  const page = await open();
  const tiles = await page.locator('.tile').allInnerTexts();
  assert.deepEqual(tiles.map((text) => text.replace(/\s+/g, ' ')), [
    '8 Mandates', '1 May be used', '3 Must not be used', '4 Undetermined', '3 Changed', '3 Not read',
  ]);
  const cards = await page.locator('.card').allInnerTexts();
  assert.deepEqual(cards.map((text) => text.replace(/\s+/g, ' ')), [
    'Easytransac 1 mandate Active 1 100 %',
    'SafeDebit 5 mandates Active 2 40 % Awaiting signature 1 20 % Suspended 1 20 % Revoked 1 20 %',
    'Seqino PDP 1 mandate Active 1 100 %',
    'No reference 1 mandate Never read 1 100 %',
  ]);
  const why = await page.locator('section.why tbody tr').allInnerTexts();
  assert.deepEqual(why.map((text) => text.replace(/\s+/g, ' ')).sort(), [
    'A reason that this version of mandat does not know – 1', 'Dormant: no collection for 36 months 1 –', 'Not active: Awaiting signature 1 –',
    'Not active: Revoked 1 –', 'Not active: Suspended 1 –', 'Not known: one-off used 1 –', 'Not read in this run – 2',
    'The client could not be read – 1',
  ]);
  const causes = await page.locator('section.causes tbody tr').allInnerTexts();
  assert.equal(causes.length, 3);
  assert.match(causes.join(), /the vendor is unavailable \(HTTP 503\)/);
  const oldest = page.locator('section.oldest');
  assert.match(await oldest.locator('tbody tr').first().innerText(), /easytransac:abcabcabcabcabcabc12[\s\S]*3 days/);
  assert.match(await oldest.innerText(), /Never read: 1\./);
  assert.deepEqual(await page.locator('section.acts .line .name').allInnerTexts(), ['You', 'Not known', 'Nobody']);
});

test('table shows every reason of a mandate', async () => {
  const page = await open();
  const row = page.locator('.mandates tbody tr', { hasText: 'RUM-10' });
  assert.deepEqual(await row.locator('.reasons li').allTextContents(), [
    'Not active: Revoked (3)', 'Dormant: no collection for 36 months, since 15 Jan 2020',
  ]);
  assert.match(await page.locator('.mandates tbody tr').last().innerText(), /line 9: no reference/);
});

test('table searches, sorts and filters', async () => {
  const page = await open();
  assert.equal(await range(page), '1–8 of 8');
  const search = page.getByRole('searchbox');
  await search.fill('rum-1');
  await shows(page, 'of 2');
  assert.deepEqual(await references(page), ['safedebit:RUM-1', 'safedebit:RUM-10']);
  await search.fill('suspended');
  await shows(page, 'of 1');
  await search.fill('nothing of this kind');
  await shows(page, 'No mandate matches.');
  await button(page, 'Clear all filters').click();
  await shows(page, 'of 8');

  await press(page, 'Reference');
  const up = await references(page);
  assert.deepEqual(up, [...up].sort());
  const head = page.locator('.mandates').getByRole('columnheader', { name: 'Reference', exact: true });
  assert.equal(await head.getAttribute('aria-sort'), 'ascending');
  await press(page, 'Reference');
  assert.deepEqual(await references(page), [...up].reverse());
  assert.equal(await head.getAttribute('aria-sort'), 'descending');

  await page.getByLabel('Vendor', { exact: true }).selectOption('SafeDebit');
  await page.getByLabel('Verdict', { exact: true }).selectOption('Refused');
  assert.equal(await range(page), '1–3 of 3');
  await button(page, 'Clear all filters').click();

  await button(page, /^Not active: Suspended/).click();
  assert.deepEqual(await references(page), ['safedebit:RUM-2']);
  await button(page, 'Remove filter Not active: Suspended').click();
  await button(page, /Not read$/).first().click();
  assert.equal(await range(page), '1–3 of 3');
});

test('keyboard reaches the table, and the focus is visible', async () => {
  const page = await open();
  await page.locator('.mandates thead button').first().focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.mandates').getByRole('columnheader').first().getAttribute('aria-sort'), 'ascending');
  assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'solid');
  await page.locator('.tile').nth(2).focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'all');
});

test('language is that of the browser or of the switch', async () => {
  for (const [locale, language, title] of [['fr-FR', 'fr', 'État des mandats'], ['en-US', 'en', 'Mandate report'], ['de-DE', 'fr', 'État des mandats']]) {
    const page = await open({ locale });
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    assert.equal(await page.title(), `${title} – monday.csv`);
    const text = await page.locator('body').innerText();
    for (const word of ['undefined', 'AwaitingSignature', 'ResolveReasons', 'signed_on:', '{0}', '{s0}', '[object']) assert.ok(!text.includes(word), word);
  }
  const page = await open();
  await page.locator('.tile').nth(2).click();
  await button(page, 'Français').click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'État des mandats');
  assert.equal(await range(page), '1 à 3 sur 3', 'the filter stays');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'English');
  assert.deepEqual(await page.locator('.mandates tbody tr', { hasText: 'RUM-10' }).locator('.reasons li').allTextContents(), [
    'Non actif : Révoqué (3)', 'Caduc : aucun prélèvement depuis 36 mois, depuis le 15 janv. 2020',
  ]);
});

test('hostile texts of the file are shown and not run', async () => {
  const page = await open();
  assert.ok((await references(page)).includes('safedebit:<img src=x onerror=alert(1)>'));
  assert.equal(await page.locator('main img, main script, main b').count(), 0);
  // Other scripts are not allowed, even if a text could become one.
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "ran"';
    document.body.append(script);
    document.body.setAttribute('onclick', 'document.title = "ran"');
    document.body.click();
  });
  assert.notEqual(await page.title(), 'ran');
});

test('axe finds nothing, at desk and phone width, light and dark, in both languages', async () => {
  for (const [width, colorScheme, locale] of [[1280, 'light', 'en-GB'], [1280, 'dark', 'fr-FR'], [320, 'light', 'fr-FR'], [320, 'dark', 'en-GB']]) {
    const page = await open({ viewport: { width, height: 800 }, colorScheme, locale });
    // Show the filters that were chosen by a click, too.
    await page.locator('.tile').nth(4).click();
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => axe.run());
    assert.deepEqual(violations.map((one) => [one.id, one.nodes.map((node) => node.html)]), [], `${width} ${colorScheme}`);
    const passed = passes.map((one) => one.id);
    for (const rule of ['button-name', 'color-contrast', 'html-has-lang', 'label', 'select-name']) assert.ok(passed.includes(rule), rule);
    assert.ok(!(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)), 'the page scrolls sideways');
    await page.context().close();
  }
});

test('print shows the summary and the table without controls, also from a dark screen', async () => {
  const page = await open({ colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const hidden of ['.controls', '.language', '.pages']) assert.ok(!(await page.locator(hidden).isVisible()), hidden);
  for (const shown of ['.tiles', '.states', '.why', '.mandates']) assert.ok(await page.locator(shown).isVisible(), shown);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
});

test('print has every row that the filters leave, or says how many it has', async () => {
  const page = await open();
  await page.getByLabel('Rows per page').selectOption('25');
  const large = await open({}, LARGE);
  large.setDefaultTimeout(120_000);
  await large.getByLabel('State', { exact: true }).selectOption('Revoked');
  for (const [one, rows, text, after] of [[page, 8, '1–8 of 8', 8], [large, 2000, '1–2,000 of 10,000 Filter the table to print the others.', 50]]) {
    await one.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
    assert.equal(await one.locator('.mandates tbody tr').count(), rows);
    assert.equal(await range(one), text);
    await one.evaluate(() => window.dispatchEvent(new Event('afterprint')));
    assert.equal(await one.locator('.mandates tbody tr').count(), after);
  }
});

test('heads of the table stay on one line at 1280 px, in both languages', async () => {
  for (const locale of ['fr-FR', 'en-GB']) {
    const page = await open({ locale });
    const heights = await page.locator('.mandates thead button').evaluateAll((heads) => heads.map((head) => head.offsetHeight));
    assert.equal(new Set(heights).size, 1, `${locale}: ${heights}`);
  }
});

test('a hundred thousand rows are searched, sorted and paged', async () => {
  const page = await open({}, LARGE);
  page.setDefaultTimeout(120_000);
  assert.equal(await range(page), '1–50 of 100,000');
  assert.equal(await page.locator('.mandates tbody tr').count(), 50);
  await press(page, 'Reference');
  await press(page, 'Reference');
  assert.equal((await references(page))[0], 'safedebit:RUM-099999');
  await button(page, 'Next').click();
  assert.equal(await range(page), '51–100 of 100,000');
  assert.equal((await references(page))[0], 'safedebit:RUM-099949');
  await page.getByRole('searchbox').fill('RUM-012345');
  await shows(page, 'of 1');
  assert.deepEqual(await references(page), ['safedebit:RUM-012345']);
  await button(page, 'Clear all filters').click();
  await page.getByLabel('State', { exact: true }).selectOption('Revoked');
  assert.equal(await range(page), '1–50 of 10,000');
  await page.getByLabel('Rows per page').selectOption('1,000');
  assert.equal(await page.locator('.mandates tbody tr').count(), 1000);
});
