// The console in a real browser, against made-up numbers: every part of the page, on a wide screen
// and on a phone, with the keyboard alone, and for users who may do little.
'use strict';
const assert = require('node:assert/strict');
const { after, before, beforeEach, afterEach, describe, test } = require('node:test');
const { Mock } = require('./mock.js');
const { PATIENCE_MS, openBrowser, openPage, signIn } = require('./browser.js');

const bounded = { timeout: 180_000 };  // a group of tests, on a machine that is busy
let browser;
let mock;
let address;
let page;

before(async () => { browser = await openBrowser(); });
after(async () => { await browser?.close(); });

async function begin(options = {}, size = {}) {
  mock = new Mock(options);
  address = await mock.start();
  page = await openPage(browser, address, size);
}

afterEach(async () => {
  assert.deepEqual(page.problems, [], 'errors in the page');
  await page.context().close();
  mock.stop();
});

const requested = (method, route) =>
  mock.requests.filter((one) => one.method === method && one.route === route);

async function go(view) {
  await page.click(`nav a[data-view="${view}"]`);
}

describe('signing in', bounded, () => {
  beforeEach(() => begin());

  test('takes the user whom the server takes', async () => {
    await page.fill('#user', 'operator');
    await page.fill('#password', 'wrong');
    await page.click('button[type=submit]');
    await page.getByText('This user name and password do not go together.').waitFor();
    await signIn(page);
    assert.equal(await page.textContent('.who'), 'operator');
    // It lasts for a reload, and ends with signing out.
    await page.reload();
    await page.waitForSelector('.tiles .tile');
    await page.click('[aria-label="Sign out"]');
    await page.waitForSelector('#password');
    await page.reload();
    await page.waitForSelector('#password');
  });

  test('is asked for again when the password has changed', async () => {
    await signIn(page);
    mock.password = 'another';
    await page.getByText('You have been signed out').waitFor();
  });
});

describe('the overview', bounded, () => {
  beforeEach(async () => {
    await begin();
    await signIn(page);
  });

  test('shows the numbers of the moment', async () => {
    const tiles = await page.locator('.tile').allTextContents();
    assert.equal(tiles.length, 6);
    assert.match(tiles[0], /Memory used.*MiB.*of 1.25 GiB/);
    assert.match(tiles[3], /Hit rate.*9\d\.\d %/);
  });

  test('marks flush runs on the memory plot, with what they reclaimed', async () => {
    await page.click('[data-range="24h"]');
    const memory = page.locator('.plot-card', { has: page.locator('h3', { hasText: /^Memory$/ }) });
    await memory.locator('.mark').nth(3).waitFor({ state: 'attached' });
    const labels = await memory.locator('.mark text').allTextContents();
    assert.ok(labels.includes('−431 MiB'), String(labels));
    assert.match(await memory.locator('.mark title').first().textContent(),
      /Flush \d+ by operator.*keys, .* MiB given back/);
    // No other plot has marks, and every plot has a line.
    assert.equal(await page.locator('.mark').count(), 4);
    for (const plot of await page.locator('.plot').all()) {
      assert.ok(await plot.locator('path.line').count() > 0);
    }
  });

  test('leaves a gap where there were no samples', async () => {
    await page.click('[data-range="24h"]');
    await page.waitForFunction(() =>
      document.querySelector('.plot .series.one').querySelectorAll('path.line').length === 2);
  });

  test('asks for as much as a range needs', async () => {
    for (const id of ['1h', '6h', '24h']) await page.click(`[data-range="${id}"]`);
    assert.equal(await page.getAttribute('[data-range="24h"]', 'aria-pressed'), 'true');
    assert.ok(requested('GET', 'metrics/history').length >= 4);
  });

  test('reads values at the pointer, on all plots at once', async () => {
    const plot = page.locator('.plot').first();
    const box = await plot.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const readout = page.locator('.readout:visible');
    await readout.waitFor();
    assert.equal(await readout.count(), 1);
    assert.match(await readout.textContent(), /\d\d:\d\d:\d\d.*Used.*MiB.*Resident.*MiB/);
    assert.match(await page.locator('.legend em').nth(2).textContent(), /\d/);
  });

  test('reads values with the keyboard', async () => {
    await page.locator('.plot').first().focus();
    await page.keyboard.press('End');
    const first = await page.locator('.plot-box .unseen').first().textContent();
    assert.match(first, /Used .* MiB, Resident .* MiB/);
    await page.keyboard.press('ArrowLeft');
    assert.notEqual(await page.locator('.plot-box .unseen').first().textContent(), first);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.readout:visible').count(), 0);
  });

  test('tells what comes next, and of the latest flush', async () => {
    await page.getByText('in 2 h 59 min').waitFor();
    const text = await page.textContent('#last-flush');
    assert.match(text, /Success.*1\.28 M keys reclaimed.*960 MiB → 792 MiB/);
  });
});

describe('flush now', bounded, () => {
  beforeEach(async () => {
    await begin();
    await signIn(page);
    await page.click('#flush-now');
  });

  test('shows the progress and the result', async () => {
    await page.fill('#flush-db', '0');
    await page.locator('#maxcpu').fill('40');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.waitForSelector('[role=progressbar]');
    await page.locator('dialog .status.succeeded').waitFor();
    assert.match(await page.textContent('dialog'), /Keys reclaimed.?412.000/u);
    assert.deepEqual(requested('POST', 'flushes')[0].body,
      { maxcpu: 40, scan: 'exhaustive', dry_run: false, db: 0 });
    await page.locator('#announce', { hasText: 'Flush done: 412' }).waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');
    await page.getByText('412 k').first().waitFor();
  });

  test('can be cancelled', async () => {
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.locator('dialog .status.cancelled').waitFor();
    assert.equal(mock.runs[0].state, 'cancelled');
  });
});

describe('tasks', bounded, () => {
  beforeEach(async () => {
    await begin();
    await signIn(page);
    await go('tasks');
    await page.waitForSelector('[data-task]');
  });

  test('are listed with their schedules in words and both times', async () => {
    const text = await page.textContent('[data-task=nightly]');
    assert.match(text, /Active/);
    assert.match(text, /At 04:00 and 16:00 every day/);
    assert.match(text, /0 4,16 \* \* \* · Europe\/Berlin/);
    assert.match(text, /in 2 h 59 min · \d\d:\d\d in Europe\/Berlin/);
    assert.match(await page.textContent('[data-task=memory-alert]'),
      /When memory averages 90 % over 1 min.*on alert/);
    assert.match(await page.textContent('[data-task=fleet]'), /Failed/);
  });

  test('are paused, resumed, triggered', async () => {
    await page.click('[aria-label="Pause: nightly"]');
    await page.locator('[data-task=nightly] .status.paused').waitFor();
    await page.click('[aria-label="Resume: nightly"]');
    await page.locator('[data-task=nightly] .status.active').waitFor();
    await page.click('[aria-label="Run now: nightly"]');
    await page.getByText('nightly has been triggered').first().waitFor();
    assert.equal(requested('POST', 'tasks/nightly/trigger').length, 1);
  });

  test('are deleted only after a question', async () => {
    await page.click('[aria-label="Delete: migration"]');
    await page.getByRole('button', { name: 'Keep it as it is' }).click();
    assert.equal(requested('DELETE', 'tasks/migration').length, 0);
    await page.click('[aria-label="Delete: migration"]');
    await page.getByRole('button', { name: 'Delete the task' }).click();
    await page.locator('[data-task=migration]').waitFor({ state: 'detached' });
  });

  test('are created after a look at what the expression means', async () => {
    await page.getByRole('button', { name: 'New task' }).click();
    await page.getByLabel('Name').fill('early');
    const expression = page.getByLabel('Expression');
    await expression.fill('30 4 * * 1-5');
    await page.getByLabel('Time zone').fill('Asia/Tokyo');
    await page.getByText('At 04:30 from Monday to Friday').waitFor();
    assert.equal(await page.locator('.preview .next-runs li').count(), 5);
    assert.match(await page.locator('.preview .next-runs li').first().textContent(),
      /04:30 in Asia\/Tokyo/);
    await expression.fill('61 4 * * *');
    await page.getByText('minute: “61” is not a number from 0 to 59').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Create task' }).isDisabled());
    await expression.fill('30 4 * * 1-5');
    await page.getByText('Guards, limits and targets').click();
    await page.getByLabel('Most CPU').fill('40');
    await page.getByLabel('Databases').fill('0 3');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.waitForSelector('[data-task=early]');
    assert.deepEqual(requested('POST', 'tasks')[0].body, { name: 'early', kind: 'cron',
      timezone: 'Asia/Tokyo', missed: 'once', when: '30 4 * * 1-5', maxcpu: 40,
      db: [0, 3] });
  });

  test('that cannot be created say why and keep what was typed', async () => {
    await page.getByRole('button', { name: 'New task' }).click();
    await page.getByLabel('Name').fill('nightly');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.getByText("there is a task 'nightly' already").waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'nightly');
  });

  test('watch memory', async () => {
    await page.getByRole('button', { name: 'New task' }).click();
    await page.getByLabel('Name').fill('full');
    await page.click('[data-kind=memory]');
    await page.getByLabel('Memory use, % of maxmemory').fill('85');
    await page.getByText('When memory use averages 85 % of maxmemory over 1 min').waitFor();
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.waitForSelector('[data-task=full]');
    const { body } = requested('POST', 'tasks')[0];
    assert.equal(body.kind, 'memory');
    assert.equal(body.when, '85');
    assert.equal(body.for, '60s');
  });

  test('are changed by what was touched alone', async () => {
    await page.click('[aria-label="Change: nightly"]');
    await page.getByLabel('Expression').fill('0 5 * * *');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('nightly is changed').first().waitFor();
    assert.deepEqual(requested('PATCH', 'tasks/nightly')[0].body,
      { kind: 'cron', when: '0 5 * * *' });
  });

  test('give back what was set', async () => {
    await page.click('[aria-label="Change: fleet"]');
    await page.getByText('Guards, limits and targets').click();
    await page.getByLabel('Wait until machine CPU').fill('');
    await page.getByLabel('Timeout').fill('');
    await page.getByLabel('Targets').fill('');
    await page.getByLabel('Most CPU').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('fleet is changed').first().waitFor();
    assert.deepEqual(requested('PATCH', 'tasks/fleet')[0].body,
      { maxcpu: 100, offpeak_cpu: null, timeout: '0s', targets: ['local'] });
  });

  test('show their details and latest runs', async () => {
    await page.click('[data-task=fleet] a');
    const drawer = page.locator('dialog.drawer');
    await drawer.getByText('Latest runs').waitFor();
    const text = await drawer.textContent();
    assert.match(text, /waits up to 2 h until the machine’s CPU is at most 30 %/);
    assert.match(text, /FLUSHTASK CREATE fleet EVERY 6h/);
    assert.equal(await drawer.locator('.runs li').count(), 8);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
  });
});

describe('the history', bounded, () => {
  beforeEach(async () => {
    await begin();
    await signIn(page);
    await go('history');
    await page.waitForSelector('[data-execution]');
  });

  test('has pages', async () => {
    assert.equal(await page.locator('[data-execution]').count(), 20);
    await page.getByText('1 to 20 of 57').waitFor();
    assert.ok(await page.getByLabel('Newer runs').isDisabled());
    await page.getByLabel('Older runs').click();
    await page.getByText('21 to 40 of 57').waitFor();
    await page.getByLabel('Older runs').click();
    await page.getByText('41 to 57 of 57').waitFor();
    assert.ok(await page.getByLabel('Older runs').isDisabled());
  });

  test('is narrowed to one task', async () => {
    await page.waitForSelector('#of-task option[value=fleet]', { state: 'attached' });
    await page.selectOption('#of-task', 'fleet');
    await page.locator('[data-execution="57"]').waitFor();
    await page.locator('[data-execution="56"]').waitFor({ state: 'detached' });
  });

  test('tells all of one run', async () => {
    await page.click('[data-execution="54"] .link');
    const drawer = page.locator('dialog.drawer');
    await drawer.getByText('Keys reclaimed').waitFor();
    const text = await drawer.textContent();
    assert.match(text, /Failed.*redis:\/\/cache-1:6379: connection refused/);
    assert.match(text, /Resident memory/);
    assert.equal(await drawer.locator('tbody tr').count(), 2);
  });
});

describe('settings', bounded, () => {
  beforeEach(async () => {
    await begin();
    await signIn(page);
    await go('settings');
    await page.waitForSelector('.choices');
  });

  test('are saved as what has changed', async () => {
    assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled());
    assert.ok(await page.getByLabel('Effort').isHidden());
    await page.getByText('Sampled').click();
    await page.getByLabel('Effort').fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').first().waitFor();
    assert.deepEqual(requested('PATCH', 'config')[0].body,
      { active_expire_strategy: 'sampled', active_expire_effort: '7' });
  });

  test('can be undone', async () => {
    await page.getByLabel('Behind').fill('80');
    await page.getByRole('button', { name: 'Undo' }).click();
    assert.equal(await page.getByLabel('Behind').inputValue(), '25');
    assert.equal(requested('PATCH', 'config').length, 0);
  });
});

describe('a user who may do little', bounded, () => {
  const READS = new Set(['info', 'metricsHistory', 'listFlushes', 'listTasks', 'getTask',
    'getConfig']);

  test('sees what is forbidden as disabled, with the reason', async () => {
    await begin({ rights: (operation) => READS.has(operation) });
    await signIn(page);
    assert.ok(await page.locator('#flush-now').isDisabled());
    assert.match(await page.getAttribute('#flush-now', 'title'), /lacks the right/);
    await go('tasks');
    await page.waitForSelector('[data-task]');
    assert.ok(await page.getByRole('button', { name: 'New task' }).isDisabled());
    for (const button of await page.locator('.row-actions button').all()) {
      assert.ok(await button.isDisabled());
    }
    await go('history');
    await page.getByText('Your user lacks the right +@taskhistory.').waitFor();
    await go('settings');
    await page.getByText('You may look, but not change').waitFor();
    assert.ok(await page.locator('input[type=radio]').first().isDisabled());
    // It did not even try.
    assert.deepEqual(mock.requests.filter((one) => one.method !== 'GET'), []);
    assert.equal(requested('GET', 'executions').length, 0);
  });

  test('is told when a right has been taken away meanwhile', async () => {
    let allowed = true;
    await begin({ rights: () => allowed });
    await signIn(page);
    await go('tasks');
    await page.waitForSelector('[data-task]');
    allowed = false;
    await page.click('[aria-label="Pause: nightly"]');
    await page.locator('.toast.bad', { hasText: 'You may not do this' }).waitFor();
    page.problems.length = 0;  // the browser logs refused requests
  });

  test('who may only read metrics sees the plots', async () => {
    await begin({ rights: (operation) => operation === 'metricsHistory' });
    await signIn(page);
    await page.waitForSelector('.plot path.line');
    assert.ok(await page.locator('.mark').count() > 0);
  });
});

describe('with nothing there yet', bounded, () => {
  test('says what would be there', async () => {
    await begin({ tasks: false, minutes: 0 });
    mock.runs.length = 0;
    await signIn(page);
    await page.getByText('No run since the server started.').waitFor();
    await page.getByText('Nothing is scheduled.').waitFor();
    await go('tasks');
    await page.getByText('No tasks yet').waitFor();
    await page.getByRole('button', { name: 'Create one' }).click();
    await page.getByLabel('Name').waitFor();
    await page.keyboard.press('Escape');
    await go('history');
    await page.getByText('No runs yet').waitFor();
  });
});

describe('on any screen', bounded, () => {
  for (const [name, width, height] of [['a phone', 390, 844], ['a tablet', 820, 1180]]) {
    test(`nothing is wider than ${name}`, async () => {
      await begin({}, { width, height });
      await signIn(page);
      for (const view of ['overview', 'tasks', 'history', 'settings']) {
        await go(view);
        await page.waitForSelector('.plot path.line, [data-task], [data-execution], .choices');
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${view}: ${wide}`);
      }
      await page.click('#flush-now');
      const box = await page.locator('dialog').boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width);
    });
  }

  test('every control has a name, and the keyboard reaches all of the header', async () => {
    await begin();
    await signIn(page);
    for (const view of ['overview', 'tasks', 'history', 'settings']) {
      await go(view);
      await page.waitForSelector('.plot path.line, [data-task], [data-execution], .choices');
      const nameless = await page.evaluate(() =>
        [...document.querySelectorAll('button, input, select, textarea, a')].filter((control) =>
          !(control.getAttribute('aria-label') || control.textContent.trim()
            || control.labels?.length)).map((control) => control.outerHTML));
      assert.deepEqual(nameless, [], view);
    }
    await page.reload();
    await page.waitForSelector('.choices');
    const reached = [];
    for (let i = 0; i < 9; ++i) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement.textContent.trim()
        || document.activeElement.getAttribute('aria-label')));
    }
    for (const wanted of ['Overview', 'Tasks', 'History', 'Settings', 'Flush now']) {
      assert.ok(reached.includes(wanted), `${wanted}: ${reached}`);
    }
  });

  test('the theme follows the system until it is chosen', async () => {
    await begin({}, { colorScheme: 'dark' });
    await signIn(page);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.locator('[aria-label^="Theme"]').click();
    const light = await ground();
    assert.notEqual(light, dark);
    await page.reload();
    await page.waitForSelector('.tile');
    assert.equal(await ground(), light);
    await page.locator('[aria-label^="Theme"]').click();
    assert.equal(await ground(), dark);
  });

  test('texts have enough contrast in both themes', async () => {
    for (const colorScheme of ['light', 'dark']) {
      await begin({}, { colorScheme });
      await signIn(page);
      await go('tasks');
      await page.waitForSelector('[data-task]');
      const poor = await page.evaluate(poorContrasts);
      assert.deepEqual(poor, [], colorScheme);
      if (colorScheme === 'light') {
        await page.context().close();
        mock.stop();
      }
    }
  });

  test('a server that is gone is told of, and nothing is lost when it is back', async () => {
    await begin();
    await signIn(page);
    await page.waitForSelector('.plot path.line');
    const port = Number(new URL(address).port);
    mock.stop();
    await page.getByText('The server does not answer.').waitFor({ timeout: PATIENCE_MS });
    assert.ok(await page.locator('.plot path.line').count() > 0);
    await mock.start(port);
    await page.getByText('The server does not answer.').waitFor({ state: 'hidden',
      timeout: PATIENCE_MS });
    page.problems.length = 0;
  });
});

// Runs in the page: texts below 4.5 to 1 against the nearest ground.
function poorContrasts() {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const pixel = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const groundOf = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = pixel(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('main *, header.top *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3
      && node.textContent.trim());
    if (!own || element.closest(':disabled') || !element.checkVisibility()) continue;
    const [a, b] = [light(pixel(getComputedStyle(element).color)), light(groundOf(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.textContent.trim()} ${ratio.toFixed(2)}`);
  }
  return poor;
}
