// What programs do with ioredis, the client that BullMQ and many web frameworks stand on (RESP2).
'use strict';
const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const Redis = require('ioredis');
const { bounded, eventually, port, sleep } = require('./support.js');

const connect = (options = {}) => new Redis({ port, host: '127.0.0.1', ...options });
let redis;

before(() => { redis = connect(); });
after(() => redis.quit());

test('strings', bounded, async () => {
  assert.equal(await redis.set('s:a', 'one'), 'OK');
  assert.equal(await redis.set('s:a', 'two', 'NX'), null);
  assert.equal(await redis.get('s:a'), 'one');
  assert.equal(await redis.set('s:a', 'two', 'GET'), 'one');
  assert.equal(await redis.getdel('s:a'), 'two');
  assert.equal(await redis.get('s:a'), null);
  await redis.mset({ 's:x': 1, 's:y': 2 });
  assert.deepEqual(await redis.mget('s:x', 's:none', 's:y'), ['1', null, '2']);
  assert.equal(await redis.incrby('s:x', 41), 42);
  assert.equal(await redis.incrbyfloat('s:x', 0.5), '42.5');
  const binary = Buffer.from([0, 13, 10, 255, 36]);
  await redis.set('s:binary', binary);
  assert.deepEqual(await redis.getBuffer('s:binary'), binary);
  await redis.lpush('s:list', 'v');
  await assert.rejects(redis.incr('s:list'), /^ReplyError: WRONGTYPE /);
});

test('expiry', bounded, async () => {
  await redis.set('e:short', 'v', 'PX', 60);
  const left = await redis.pttl('e:short');
  assert.ok(left > 0 && left <= 60, `${left} ms left`);
  await sleep(80);
  assert.equal(await redis.get('e:short'), null);
  assert.equal(await redis.exists('e:short'), 0);

  await redis.set('e:long', 'v', 'EX', 100);
  assert.equal(await redis.expire('e:long', 50, 'GT'), 0);
  assert.equal(await redis.expire('e:long', 200, 'GT'), 1);
  assert.ok(await redis.ttl('e:long') > 190);
  assert.equal(await redis.persist('e:long'), 1);
  assert.equal(await redis.ttl('e:long'), -1);
  await redis.set('e:long', 'w', 'PXAT', Date.now() + 60000);
  assert.ok(await redis.expiretime('e:long') > Date.now() / 1000);
  assert.equal(await redis.ttl('e:none'), -2);
});

test('pipelines', bounded, async () => {
  const pipeline = redis.pipeline();
  for (let i = 0; i < 5000; ++i) pipeline.set(`p:${i}`, i).get(`p:${i}`);
  pipeline.hget('p:1', 'field');
  const replies = await pipeline.exec();
  for (let i = 0; i < 5000; ++i) {
    assert.deepEqual(replies[2 * i], [null, 'OK']);
    assert.deepEqual(replies[2 * i + 1], [null, `${i}`]);
  }
  assert.match(replies[10000][0].message, /^WRONGTYPE /);
});

test('automatic pipelining', bounded, async () => {
  const automatic = connect({ enableAutoPipelining: true });
  try {
    const numbers = await Promise.all(Array.from({ length: 1000 }, () => automatic.incr('ap:n')));
    assert.deepEqual(numbers, Array.from({ length: 1000 }, (_, i) => i + 1));
  } finally {
    await automatic.quit();
  }
});

test('transactions', bounded, async () => {
  const replies = await redis.multi().set('m:n', 1).incr('m:n').lpush('m:n', 'v').get('m:n').exec();
  assert.deepEqual(replies.slice(0, 2), [[null, 'OK'], [null, 2]]);
  assert.match(replies[2][0].message, /^WRONGTYPE /);
  assert.deepEqual(replies[3], [null, '2']);

  const watcher = connect();
  try {
    await watcher.watch('m:n');
    await redis.incr('m:n');
    assert.equal(await watcher.multi().set('m:n', 'lost').exec(), null);
    assert.equal(await redis.get('m:n'), '3');
    await watcher.multi({ pipeline: false });
    assert.equal(await watcher.set('m:n', 'x'), 'QUEUED');
    assert.equal(await watcher.discard(), 'OK');
  } finally {
    await watcher.quit();
  }
});

test('publish and subscribe, by name and by pattern', bounded, async () => {
  const subscriber = connect();
  try {
    const heard = [];
    subscriber.on('message', (channel, message) => heard.push([channel, message]));
    subscriber.on('pmessage', (pattern, channel, message) => heard.push([pattern, channel, message]));
    assert.equal(await subscriber.subscribe('news', 'sport'), 2);
    assert.equal(await subscriber.psubscribe('ne?s'), 3);
    assert.equal(await redis.publish('news', 'rain'), 2);
    assert.equal(await redis.publish('sport', 'goal'), 1);
    assert.equal(await redis.publish('nobody', 'x'), 0);
    await eventually(() => heard.length === 3);
    assert.deepEqual(heard, [['news', 'rain'], ['ne?s', 'news', 'rain'], ['sport', 'goal']]);
    await subscriber.unsubscribe('news');
    assert.deepEqual(await redis.pubsub('NUMSUB', 'news', 'sport'), ['news', 0, 'sport', 1]);
    await assert.rejects(subscriber.get('k'), /subscriber mode/);
  } finally {
    await subscriber.quit();
  }
});

test('a notification of every key that expires, once', bounded, async () => {
  await redis.config('SET', 'notify-keyspace-events', 'Ex');
  const subscriber = connect();
  try {
    const heard = [];
    subscriber.on('message', (_, key) => heard.push(key));
    await subscriber.subscribe('__keyevent@0__:expired');
    const pipeline = redis.pipeline();
    for (let i = 0; i < 500; ++i) pipeline.set(`n:${i}`, 'v', 'PX', 20 + i % 200);
    await pipeline.exec();
    await eventually(() => heard.filter((key) => key.startsWith('n:')).length >= 500);
    await sleep(50);
    const expected = Array.from({ length: 500 }, (_, i) => `n:${i}`).sort();
    assert.deepEqual(heard.filter((key) => key.startsWith('n:')).sort(), expected);
  } finally {
    await redis.config('SET', 'notify-keyspace-events', '');
    await subscriber.quit();
  }
});

test('streams and consumer groups', bounded, async () => {
  await redis.xgroup('CREATE', 'x', 'workers', '$', 'MKSTREAM');
  const ids = [];
  for (let i = 0; i < 10; ++i) ids.push(await redis.xadd('x', '*', 'n', i));
  assert.equal(await redis.xlen('x'), 10);

  const read = (consumer, count, id = '>') => redis.xreadgroup(
    'GROUP', 'workers', consumer, 'COUNT', count, 'STREAMS', 'x', id);
  const [[name, first]] = await read('ann', 6);
  const [[, second]] = await read('bob', 10);
  assert.equal(name, 'x');
  assert.deepEqual([...first, ...second].map(([id]) => id), ids);
  assert.deepEqual(first[3], [ids[3], ['n', '3']]);

  assert.equal(await redis.xack('x', 'workers', ...ids.slice(0, 4)), 4);
  assert.deepEqual(await redis.xpending('x', 'workers'),
    [6, ids[4], ids[9], [['ann', '2'], ['bob', '4']]]);
  const [next, claimed] = await redis.xautoclaim('x', 'workers', 'bob', 0, '0', 'COUNT', 1);
  assert.equal(next, ids[5]);
  assert.equal(claimed[0][0], ids[4]);
  const [[, again]] = await read('ann', 10, '0');
  assert.deepEqual(again.map(([id]) => id), [ids[5]]);

  const blocked = connect();
  try {
    const waiting = blocked.xread('BLOCK', 5000, 'STREAMS', 'x', '$');
    await eventually(async () => /cmd=xread/.test(await redis.client('LIST')));
    const id = await redis.xadd('x', 'MAXLEN', '~', 1000, '*', 'late', 'yes');
    assert.deepEqual(await waiting, [['x', [[id, ['late', 'yes']]]]]);
  } finally {
    await blocked.quit();
  }
});

test('scripts as commands', bounded, async () => {
  redis.defineCommand('setIfGreater', {
    numberOfKeys: 1,
    lua: `
      local old = tonumber(redis.call('GET', KEYS[1]) or '-inf')
      if tonumber(ARGV[1]) <= old then return {old, false} end
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
      return {tonumber(ARGV[1]), redis.call('PTTL', KEYS[1]) > 0 and 'set'}`,
  });
  assert.deepEqual(await redis.setIfGreater('lua:n', 5, 60000), [5, 'set']);
  assert.deepEqual(await redis.setIfGreater('lua:n', 3, 60000), [5, null]);
  await redis.script('FLUSH');
  assert.deepEqual(await redis.setIfGreater('lua:n', 9, 60000), [9, 'set']);
  const replies = await redis.pipeline().setIfGreater('lua:n', 10, 60000).get('lua:n').exec();
  assert.deepEqual(replies, [[null, [10, 'set']], [null, '10']]);
  await redis.set('lua:word', 'w');
  await assert.rejects(redis.eval("return redis.call('INCR', KEYS[1])", 1, 'lua:word'),
    /ERR value is not an integer or out of range/);
  assert.equal(await redis.eval('return cjson.encode({1, "two"})', 0), '[1,"two"]');
});

test('blocking pops are served in order', bounded, async () => {
  const waiters = [connect(), connect()];
  try {
    const first = waiters[0].blpop('b:none', 'b:list', 5);
    await eventually(async () => /cmd=blpop/.test(await redis.client('LIST')));
    const second = waiters[1].brpop('b:list', 5);
    await eventually(async () => /cmd=brpop/.test(await redis.client('LIST')));
    await redis.rpush('b:list', 'a', 'b', 'c');
    assert.deepEqual(await first, ['b:list', 'a']);
    assert.deepEqual(await second, ['b:list', 'c']);
    assert.equal(await waiters[0].blmove('b:list', 'b:done', 'LEFT', 'RIGHT', 1), 'b');
    assert.equal(await waiters[0].blpop('b:list', 0.05), null);
    const least = waiters[0].bzpopmin('b:set', 5);
    await redis.zadd('b:set', 2, 'two', 1, 'one');
    assert.deepEqual(await least, ['b:set', 'one', '1']);
  } finally {
    await Promise.all(waiters.map((waiter) => waiter.quit()));
  }
});

test('a stream over SCAN finds every key', bounded, async () => {
  const scanner = connect({ db: 5 });
  try {
    const pipeline = scanner.pipeline();
    for (let i = 0; i < 3000; ++i) pipeline.set(`scan:${i}`, i);
    pipeline.hset('scan:hash', Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f${i}`, i])));
    await pipeline.exec();
    const found = new Set();
    for await (const keys of scanner.scanStream({ match: 'scan:*', count: 100, type: 'string' })) {
      keys.forEach((key) => found.add(key));
    }
    assert.equal(found.size, 3000);
    const fields = new Set();
    for await (const page of scanner.hscanStream('scan:hash')) {
      page.filter((_, i) => i % 2 === 0).forEach((field) => fields.add(field));
    }
    assert.equal(fields.size, 600);
    assert.equal(await scanner.dbsize(), 3001);
  } finally {
    await scanner.quit();
  }
});

test('a client that is cut off comes back, with its subscriptions', bounded, async () => {
  const client = connect({ connectionName: 'victim' }).on('error', () => {});  // as it is cut off
  try {
    const id = await client.client('ID');
    assert.match(await redis.client('LIST', 'ID', id), / name=victim /);
    assert.equal(await redis.client('KILL', 'ID', id), 1);
    assert.equal(await client.set('after', 'v'), 'OK');
    assert.ok(await client.client('ID') > id);

    const heard = [];
    client.on('message', (_, message) => heard.push(message));
    await client.subscribe('again');
    const [, subscribed] = /id=(\d+)/.exec(await redis.client('LIST', 'TYPE', 'pubsub'));
    assert.equal(await redis.client('KILL', 'ID', subscribed), 1);
    await eventually(async () => await redis.publish('again', 'x') > 0 && heard.length > 0);
  } finally {
    client.disconnect();
  }
});

test('two hundred wait for one list, and each gets an element', bounded, async () => {
  const waiters = Array.from({ length: 200 }, () => connect());
  try {
    const popped = Promise.all(waiters.map((waiter) => waiter.blpop('fan', 20)));
    await eventually(async () => /blocked_clients:200\r/.test(await redis.info('clients')));
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    await redis.rpush('fan', ...numbers);
    assert.deepEqual((await popped).map(([, n]) => Number(n)).sort((a, b) => a - b), numbers);
    assert.equal(await redis.exists('fan'), 0);
  } finally {
    waiters.forEach((waiter) => waiter.disconnect());
  }
});

test('a user may do what the access control list says', bounded, async () => {
  const rules = ['on', '>secret', '~app:*', '+@read', '+set', '+info', '+@connection'];
  await redis.call('ACL', 'SETUSER', 'bob', ...rules);
  const bob = connect({ username: 'bob', password: 'secret' });
  try {
    assert.equal(await bob.set('app:1', 'v'), 'OK');
    assert.equal(await bob.get('app:1'), 'v');
    await assert.rejects(bob.get('other'), /NOPERM/);
    await assert.rejects(bob.del('app:1'), /NOPERM/);
    await assert.rejects(bob.subscribe('news'), /NOPERM/);
  } finally {
    bob.disconnect();
    assert.equal(await redis.call('ACL', 'DELUSER', 'bob'), 1);
  }
});
