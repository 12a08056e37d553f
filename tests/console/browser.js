// What the console's tests share: the browser, and pages that note what goes wrong in them.
'use strict';
const fs = require('node:fs');
const { chromium } = require('playwright-core');

const PATIENCE_MS = 20_000;
const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

exports.PATIENCE_MS = PATIENCE_MS;

exports.browserProgram = () => process.env.LAPSE_CHROMIUM
  ?? PROGRAMS.find((program) => fs.existsSync(program));

exports.openBrowser = () => chromium.launch({ executablePath: exports.browserProgram(),
  args: ['--no-sandbox', '--disable-dev-shm-usage'] });

// A page at the address, in a context of its own. `problems` of it are errors of scripts and of the
// content policy, but for answers with an error status, which tests provoke.
exports.openPage = async (browser, address,
  { width = 1280, height = 900, colorScheme = 'light' } = {}) => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme,
    locale: 'en-GB', timezoneId: 'Europe/Paris', reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/Failed to load resource/.test(text)) {
      page.problems.push(text);
    }
  });
  await page.goto(address);
  return page;
};

exports.signIn = async (page, user = 'operator', password = 'secret') => {
  await page.waitForSelector('#password');
  await page.fill('#user', user);
  await page.fill('#password', password);
  await page.click('button[type=submit]');
  await page.waitForSelector('nav a[aria-current]');
  await page.waitForSelector('.tile, .empty, .notice:not([hidden]), .plot path.line');
};
