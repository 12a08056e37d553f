// What programs do with node-redis over RESP3: typed replies, pushes, and what is newer than 7.0.
'use strict';
const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { createClient, BasicClientSideCache, WatchError } = require('redis');
const { bounded, eventually, port, sleep } = require('./support.js');

const connect = (options = {}) =>
  createClient({ RESP: 3, socket: { host: '127.0.0.1', port }, ...options })
    .on('error', (error) => { throw error; })
    .connect();
let client;

before(async () => { client = await connect(); });
after(() => client.close());

test('the connection introduces itself', bounded, async () => {
  const info = await client.clientInfo();
  assert.equal(info.resp, 3);
  assert.match(info.libName, /^node-redis/);
  assert.equal((await client.hello()).proto, 3);
});

test('hashes', bounded, async () => {
  assert.equal(await client.hSet('h:user', { name: 'Ann', age: '30', town: 'Oslo' }), 3);
  assert.deepEqual({ ...await client.hGetAll('h:user') }, { name: 'Ann', age: '30', town: 'Oslo' });
  assert.equal(await client.hIncrBy('h:user', 'age', 1), 31);
  assert.deepEqual(await client.hmGet('h:user', ['age', 'none']), ['31', null]);
  assert.equal(await client.hDel('h:user', ['town']), 1);
  const pairs = await client.hRandFieldCountWithValues('h:user', 5);
  assert.deepEqual(pairs.map(({ field }) => field).sort(), ['age', 'name']);
  const large = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, `${i}`]));
  await client.hSet('h:large', large);
  assert.deepEqual({ ...await client.hGetAll('h:large') }, large);
  const fields = new Set();
  for await (const page of client.hScanIterator('h:large')) {
    page.forEach(({ field }) => fields.add(field));
  }
  assert.equal(fields.size, 1000);
});

test('deadlines of fields', bounded, async () => {
  await client.hSet('h:cart', { apple: '1', pear: '2', plum: '3', fig: '4' });
  assert.deepEqual(await client.hExpire('h:cart', ['apple', 'none'], 100), [1, -2]);
  assert.deepEqual(await client.hExpire('h:cart', ['apple'], 50, 'GT'), [0]);
  assert.deepEqual(await client.hpExpire('h:cart', ['pear', 'plum'], 60), [1, 1]);
  assert.deepEqual(await client.hPersist('h:cart', ['plum']), [1]);
  const [left, , none, missing] = await client.hTTL('h:cart', ['apple', 'pear', 'fig', 'none']);
  assert.ok(left > 95 && left <= 100);
  assert.deepEqual([none, missing], [-1, -2]);
  await sleep(80);
  assert.equal(await client.hGet('h:cart', 'pear'), null);
  assert.deepEqual((await client.hKeys('h:cart')).sort(), ['apple', 'fig', 'plum']);
  assert.equal(await client.hLen('h:cart'), 3);

  await client.hSet('h:gone', { only: 'x' });
  assert.deepEqual(await client.hExpireAt('h:gone', ['only'], 1), [2]);
  assert.equal(await client.exists('h:gone'), 0);
});

test('a cache in the client hears of changes and of expiry', bounded, async () => {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
  const invalidated = [];
  cache.on('invalidate', (key) => invalidated.push(String(key)));
  const caching = await connect({ clientSideCache: cache });
  try {
    await client.set('c:name', 'old');
    assert.equal(await caching.get('c:name'), 'old');
    for (let i = 0; i < 10; ++i) assert.equal(await caching.get('c:name'), 'old');
    assert.equal(cache.stats().hitCount, 10);
    assert.equal(cache.stats().missCount, 1);

    await client.set('c:name', 'new');
    await eventually(() => invalidated.includes('c:name'));
    assert.equal(await caching.get('c:name'), 'new');

    await client.set('c:brief', 'v', { expiration: { type: 'PX', value: 100 } });
    assert.equal(await caching.get('c:brief'), 'v');
    await eventually(() => invalidated.includes('c:brief'));
    assert.equal(await caching.get('c:brief'), null);

    await client.hSet('c:hash', { f: '1' });
    assert.equal(await caching.hGet('c:hash', 'f'), '1');
    await client.hSet('c:hash', { f: '2' });
    await eventually(() => invalidated.includes('c:hash'));
    assert.equal(await caching.hGet('c:hash', 'f'), '2');

    await client.flushDb();
    await eventually(async () => await caching.get('c:name') === null);
  } finally {
    await caching.close();
  }
});

test('sorted sets', bounded, async () => {
  const scores = [{ value: 'ann', score: 3 }, { value: 'bob', score: 1.5 }, { value: 'cy', score: 2 }];
  assert.equal(await client.zAdd('z', scores), 3);
  assert.deepEqual(await client.zRange('z', 0, -1), ['bob', 'cy', 'ann']);
  assert.deepEqual(await client.zRangeWithScores('z', 0, 1, { REV: true }),
    [{ value: 'ann', score: 3 }, { value: 'cy', score: 2 }]);
  assert.equal(await client.zIncrBy('z', 10, 'bob'), 11.5);
  assert.equal(await client.zScore('z', 'bob'), 11.5);
  assert.equal(await client.zAdd('z', { value: 'inf', score: Infinity }), 1);
  assert.equal(await client.zScore('z', 'inf'), Infinity);
  assert.equal(await client.zRank('z', 'ann'), 1);
  assert.equal(await client.zScore('z', 'none'), null);
  assert.equal(await client.zCount('z', '(2', '+inf'), 3);
  await client.zAdd('z2', [{ value: 'ann', score: 100 }, { value: 'dee', score: 4 }]);
  assert.deepEqual(await client.zUnionWithScores(['z', 'z2'], { AGGREGATE: 'MAX' }), [
    { value: 'cy', score: 2 }, { value: 'dee', score: 4 }, { value: 'bob', score: 11.5 },
    { value: 'ann', score: 100 }, { value: 'inf', score: Infinity }]);
  assert.deepEqual(await client.zPopMin('z2'), { value: 'dee', score: 4 });
  assert.deepEqual(await client.zmScore('z2', ['ann', 'dee']), [100, null]);
});

test('transactions with WATCH', bounded, async () => {
  await client.set('t:balance', '100');
  const other = await connect();
  try {
    await other.watch('t:balance');
    await client.decrBy('t:balance', 30);
    await assert.rejects(other.multi().set('t:balance', '0').exec(), WatchError);
    assert.equal(await client.get('t:balance'), '70');

    // Twenty increments by way of reading and writing: none is lost when all try until they succeed.
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect()));
    await Promise.all(clients.map(async (each) => {
      for (let done = 0; done < 5;) {
        await each.watch('t:balance');
        const balance = Number(await each.get('t:balance'));
        try {
          await each.multi().set('t:balance', `${balance + 1}`).exec();
          ++done;
        } catch (error) {
          assert.ok(error instanceof WatchError);
        }
      }
      await each.close();
    }));
    assert.equal(await client.get('t:balance'), '90');

    const replies = await client.multi().hSet('t:h', { a: '1' }).hGetAll('t:h').zAdd('t:z',
      { value: 'm', score: 1 }).zScore('t:z', 'm').exec();
    assert.equal(replies[0], 1);
    assert.deepEqual({ ...replies[1] }, { a: '1' });
    assert.deepEqual(replies.slice(2), [1, 1]);
  } finally {
    await other.close();
  }
});

test('functions', bounded, async () => {
  const code = `#!lua name=counters
    local function limited(keys, args)
      local n = redis.call('INCR', keys[1])
      if n == 1 then redis.call('PEXPIRE', keys[1], args[1]) end
      return n
    end
    redis.register_function('limited', limited)
    redis.register_function{function_name = 'peek', flags = {'no-writes'},
      callback = function(keys) return {redis.call('GET', keys[1]), 1.9, true} end}
    redis.register_function{function_name = 'typed', callback = function()
      redis.setresp(3)
      return {map = {a = 1}} end}`;
  assert.equal(await client.functionLoad(code, { REPLACE: true }), 'counters');
  await assert.rejects(client.functionLoad(code), /Library 'counters' already exists/);
  assert.equal(await client.fCall('limited', { keys: ['f:n'], arguments: ['60000'] }), 1);
  assert.equal(await client.fCall('limited', { keys: ['f:n'], arguments: ['60000'] }), 2);
  assert.ok(await client.pTTL('f:n') > 0);
  assert.deepEqual(await client.fCallRo('peek', { keys: ['f:n'], arguments: [] }), ['2', 1, 1]);
  assert.deepEqual({ ...await client.fCall('typed', { keys: [], arguments: [] }) }, { a: 1 });
  const [library] = await client.functionList();
  assert.equal(library.library_name, 'counters');
  const dump = await client.sendCommand(['FUNCTION', 'DUMP'], { typeMapping: { 36: Buffer } });
  assert.equal(await client.functionDelete('counters'), 'OK');
  await assert.rejects(client.fCall('limited', { keys: ['f:n'], arguments: ['1'] }), /not found/);
  assert.equal(await client.functionRestore(dump), 'OK');
  assert.equal(await client.fCall('limited', { keys: ['f:n'], arguments: ['1'] }), 3);
});

test('places', bounded, async () => {
  assert.equal(await client.geoAdd('g', [
    { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    { longitude: 15.087269, latitude: 37.502669, member: 'Catania' },
  ]), 2);
  assert.equal(await client.geoDist('g', 'Palermo', 'Catania', 'km'), 166.2742);
  assert.deepEqual(await client.geoHash('g', 'Palermo'), ['sqc8b49rny0']);
  assert.deepEqual(await client.geoSearch('g', { longitude: 15, latitude: 37 },
    { radius: 200, unit: 'km' }, { SORT: 'ASC' }), ['Catania', 'Palermo']);
  const [near] = await client.geoSearchWith('g', 'Palermo', { width: 10, height: 10, unit: 'km' },
    ['WITHDIST', 'WITHCOORD']);
  assert.equal(near.member, 'Palermo');
  assert.equal(Number(near.distance), 0);
  assert.ok(Math.abs(Number(near.coordinates.longitude) - 13.361389) < 1e-5);
});

test('messages arrive between replies on one connection', bounded, async () => {
  const subscriber = await connect();
  try {
    const heard = [];
    await subscriber.subscribe('events', (message) => heard.push(message));
    await subscriber.pSubscribe('ev*', (message, channel) => heard.push([channel, message]));
    assert.equal(await client.publish('events', 'one'), 2);
    assert.equal(await subscriber.ping(), 'PONG');
    assert.equal(await subscriber.set('k', 'v'), 'OK');
    await eventually(() => heard.length === 2);
    assert.deepEqual(heard, ['one', ['events', 'one']]);
    await subscriber.sSubscribe('shard', (message) => heard.push(message));
    assert.equal(await client.sPublish('shard', 'two'), 1);
    await eventually(() => heard.length === 3);
  } finally {
    await subscriber.close();
  }
});
