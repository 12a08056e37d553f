// What programs do with @alicloud/r-kvstore20150101, the managed service's own SDK, whose endpoint
// is set to a Lapse.
// server: --http-port {http_port} --instance-name r-lapse
// server: --http-access-key key-robot robots-secret robot key-reader readers-secret reader
// server: --user robot on >pw +flushexpirekeys +describeinstances
// server: --user reader on >pw +describeinstances +describehistorytasks
// server: --user keeper on >pw +modifyinstancemaintaintime +config|get
// server: --http-access-key key-keeper keepers-secret keeper
'use strict';
const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const Redis = require('ioredis');
const { bounded, eventually, port } = require('./support.js');

let sdk;
try {
  sdk = require('@alicloud/r-kvstore20150101');
} catch (error) {
  console.log('skipped: no package @alicloud/r-kvstore20150101; ./dev test-clients installs it');
  process.exit(77);
}
const { $OpenApiUtil } = require('@alicloud/openapi-core');

const endpoint = `127.0.0.1:${process.env.LAPSE_HTTP_PORT}`;
const connect = (accessKeyId, accessKeySecret, options = {}) => new sdk.default(
  new $OpenApiUtil.Config({ accessKeyId, accessKeySecret, endpoint, protocol: 'http', ...options }));
const instanceId = 'r-lapse';
let redis, robot, reader, keeper;

before(() => {
  redis = new Redis({ port, host: '127.0.0.1' });
  robot = connect('key-robot', 'robots-secret');
  reader = connect('key-reader', 'readers-secret');
  keeper = connect('key-keeper', 'keepers-secret');
});
after(() => redis.quit());

const flush = (client, effectiveTime) =>
  client.flushExpireKeys(new sdk.FlushExpireKeysRequest({ instanceId, effectiveTime }));
const history = (request) =>
  reader.describeHistoryTasks(new sdk.DescribeHistoryTasksRequest({ instanceId, ...request }));
// The code of the error that the call ends with.
const codeOf = (call) => call.then(() => 'success', (error) => error.code);

async function finished(taskId) {
  let item;
  await eventually(async () => {
    const { body } = await history({ taskId });
    [item] = body.items;
    return item !== undefined && ['Succeed', 'Failed', 'Canceled'].includes(item.status);
  });
  return item;
}

test('flushes now', bounded, async () => {
  await redis.config('SET', 'active-expire-strategy', 'fullscan',
    'active-expire-fullscan-period', '86400000');
  for (let i = 0; i < 1000; ++i) await redis.set(`k:${i}`, 'v', 'PX', 1);
  const { statusCode, body } = await flush(robot);
  assert.equal(statusCode, 200);
  assert.equal(body.instanceId, instanceId);
  assert.match(body.requestId, /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
  assert.match(body.taskId, /^\d+$/);
  const item = await finished(body.taskId);
  assert.equal(item.status, 'Succeed');
  assert.equal(item.taskType, 'FlushExpireKeys');
  assert.equal(item.progress, 100);
  assert.equal(item.instanceId, instanceId);
  assert.match(item.startTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(item.endTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(await redis.dbsize(), 0);
});

test('describes the instance', bounded, async () => {
  const { body } = await robot.describeInstances(new sdk.DescribeInstancesRequest({}));
  assert.equal(body.totalCount, 1);
  assert.equal(body.pageNumber, 1);
  const [instance] = body.instances.KVStoreInstance;
  assert.equal(instance.instanceId, instanceId);
  assert.equal(instance.port, port);
  assert.ok(['Normal', 'Flushing'].includes(instance.instanceStatus));
  assert.equal(typeof instance.QPS, 'number');
  const others = await robot.describeInstances(
    new sdk.DescribeInstancesRequest({ instanceIds: 'r-another', pageSize: 30 }));
  assert.equal(others.body.totalCount, 0);
});

test('pages through the history', bounded, async () => {
  for (let i = 0; i < 3; ++i) await finished((await flush(robot, 'Immediately')).body.taskId);
  const { body } = await history({ pageSize: 2, pageNumber: 1 });
  assert.equal(body.items.length, 2);
  assert.equal(body.pageSize, 2);
  assert.ok(body.totalCount >= 3);
  assert.ok(Number(body.items[0].taskId) > Number(body.items[1].taskId));
  assert.equal((await history({ status: 'Failed' })).body.totalCount, 0);
});

test('sets the maintenance window', bounded, async () => {
  await keeper.modifyInstanceMaintainTime(new sdk.ModifyInstanceMaintainTimeRequest(
    { instanceId, maintainStartTime: '03:00Z', maintainEndTime: '04:00Z' }));
  assert.deepEqual(await redis.config('GET', 'maintenance-window'),
    ['maintenance-window', '03:00Z-04:00Z']);
});

test('signs in the older way', bounded, async () => {
  const old = connect('key-robot', 'robots-secret', { signatureAlgorithm: 'v2' });
  const { body } = await flush(old);
  assert.equal((await finished(body.taskId)).status, 'Succeed');
  const forged = connect('key-robot', 'wrong', { signatureAlgorithm: 'v2' });
  assert.equal(await codeOf(flush(forged)), 'SignatureDoesNotMatch');
});

test('refuses in the words of the service', bounded, async () => {
  assert.equal(await codeOf(flush(reader)), 'Forbidden.RAM');
  assert.equal(await codeOf(robot.describeHistoryTasks(
    new sdk.DescribeHistoryTasksRequest({ instanceId }))), 'Forbidden.RAM');
  assert.equal(await codeOf(flush(connect('key-none', 'x'))), 'InvalidAccessKeyId.NotFound');
  assert.equal(await codeOf(flush(connect('key-robot', 'wrong'))), 'SignatureDoesNotMatch');
  assert.equal(await codeOf(robot.flushExpireKeys(
    new sdk.FlushExpireKeysRequest({ instanceId: 'r-another' }))), 'InvalidInstanceId.NotFound');
  assert.equal(await codeOf(robot.flushExpireKeys(new sdk.FlushExpireKeysRequest({}))),
    'MissingParameter');
  assert.equal(await codeOf(robot.createInstance(new sdk.CreateInstanceRequest(
    { regionId: 'cn-hangzhou' }))), 'InvalidAction.NotFound');
});
