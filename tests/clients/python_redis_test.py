#!/usr/bin/env python3
"""What programs do with redis-py, from Debian's python3-redis: locks, pipelines, sessions."""

import os
import random
import threading
import time
import unittest

import redis
from redis.exceptions import LockError, LockNotOwnedError, NoScriptError, ResponseError, WatchError

PORT = int(os.environ["LAPSE_PORT"])
PATIENCE_SECONDS = 20


def connect(**options) -> redis.Redis:
    options.setdefault("decode_responses", True)
    return redis.Redis(host="127.0.0.1", port=PORT, socket_timeout=PATIENCE_SECONDS, **options)


def eventually(is_so) -> bool:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.redis = connect()
        self.addCleanup(self.redis.close)
        self.redis.flushall()


class Locks(ClientTest):
    def test_one_holder_at_a_time(self):
        inside, most, total = 0, 0, 0
        guard = threading.Lock()

        def work():
            nonlocal inside, most, total
            client = connect()
            for _ in range(10):
                with client.lock("lock", timeout=10, sleep=0.001,
                                 blocking_timeout=PATIENCE_SECONDS):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                    total += 1
                    with guard:
                        inside -= 1
            client.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((most, total), (1, 80))
        self.assertEqual(self.redis.exists("lock"), 0)

    def test_a_lock_times_out_and_is_then_not_its_holders(self):
        mine = self.redis.lock("lock", timeout=0.05)
        self.assertTrue(mine.acquire(blocking=False))
        other = self.redis.lock("lock", timeout=10)
        self.assertTrue(other.acquire(blocking=True, blocking_timeout=PATIENCE_SECONDS))
        with self.assertRaises(LockNotOwnedError):
            mine.release()
        self.assertTrue(other.owned())
        self.assertTrue(other.extend(10))
        self.assertGreater(self.redis.pttl("lock"), 15000)
        self.assertTrue(other.reacquire())
        self.assertLessEqual(self.redis.pttl("lock"), 10000)
        other.release()
        with self.assertRaises(LockError):
            other.release()


class Pipelines(ClientTest):
    def test_replies_come_in_order_and_errors_in_their_place(self):
        with self.redis.pipeline(transaction=False) as pipe:
            for i in range(3000):
                pipe.set(f"k{i}", i).incr(f"k{i}")
            pipe.lpush("k0", "v")
            replies = pipe.execute(raise_on_error=False)
        self.assertEqual(replies[:-1], [x for i in range(3000) for x in (True, i + 1)])
        self.assertIsInstance(replies[-1], ResponseError)

    def test_a_transaction_tries_again_when_a_watched_key_changes(self):
        self.redis.set("n", 1)
        tries = []

        def double(pipe):
            value = int(pipe.get("n"))
            if not tries:
                self.redis.set("n", 10)
            tries.append(value)
            pipe.multi()
            pipe.set("n", value * 2)

        self.assertEqual(self.redis.transaction(double, "n"), [True])
        self.assertEqual((tries, self.redis.get("n")), ([1, 10], "20"))

    def test_a_watched_key_that_expires_has_changed(self):
        with self.redis.pipeline() as pipe:
            self.redis.set("brief", "v", px=30)
            pipe.watch("brief")
            time.sleep(0.06)
            pipe.multi()
            pipe.set("other", "v")
            with self.assertRaises(WatchError):
                pipe.execute()
            pipe.watch("brief")  # Gone by now, and stays so.
            pipe.multi()
            pipe.set("other", "v")
            self.assertEqual(pipe.execute(), [True])


class Messages(ClientTest):
    def test_messages_by_name_and_pattern(self):
        with self.redis.pubsub() as subscriber:
            subscriber.subscribe("news")
            subscriber.psubscribe("n*")
            heard = [subscriber.get_message(timeout=PATIENCE_SECONDS) for _ in range(2)]
            self.assertEqual([each["type"] for each in heard], ["subscribe", "psubscribe"])
            self.assertEqual(self.redis.publish("news", "rain"), 2)
            heard = [subscriber.get_message(timeout=PATIENCE_SECONDS) for _ in range(2)]
            self.assertEqual([(each["type"], each["data"]) for each in heard],
                             [("message", "rain"), ("pmessage", "rain")])
            subscriber.ping()
            self.assertEqual(subscriber.get_message(timeout=PATIENCE_SECONDS)["type"], "pong")

    def test_what_happens_to_a_key_is_told(self):
        self.redis.config_set("notify-keyspace-events", "KEA")
        with self.redis.pubsub(ignore_subscribe_messages=True) as subscriber:
            subscriber.psubscribe("__keyspace@0__:k")
            subscriber.get_message(timeout=PATIENCE_SECONDS)
            self.redis.set("k", "v", px=40)
            heard = []

            def all_heard():
                message = subscriber.get_message(timeout=0.05)
                heard.extend([message["data"]] if message else [])
                return len(heard) == 3

            self.assertTrue(eventually(all_heard), heard)
            self.assertEqual(heard, ["set", "expire", "expired"])
        self.redis.config_set("notify-keyspace-events", "")


class Scripts(ClientTest):
    def test_a_registered_script_survives_a_flush_of_scripts(self):
        add = self.redis.register_script("""
            local total = 0
            for i = 1, #KEYS do total = total + redis.call('INCRBY', KEYS[i], ARGV[i]) end
            return {total, redis.status_reply('FINE'), tostring(total / 2)}""")
        self.assertEqual(add(keys=["a", "b"], args=[1, 2]), [3, "FINE", "1.5"])
        self.redis.script_flush()
        self.assertEqual(add(keys=["a", "b"], args=[1, 2]), [6, "FINE", "3"])
        with self.assertRaises(NoScriptError):
            self.redis.evalsha("0" * 40, 0)

    def test_a_script_in_a_pipeline_is_one_step(self):
        limit = self.redis.register_script("""
            local n = redis.call('INCR', KEYS[1])
            if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
            return n""")
        with self.redis.pipeline() as pipe:
            for _ in range(50):
                limit(keys=["limit"], args=[100], client=pipe)
            pipe.ttl("limit")
            self.assertEqual(pipe.execute()[:-1], list(range(1, 51)))
        self.assertGreater(self.redis.ttl("limit"), 90)


class SortedSets(ClientTest):
    def test_a_leader_board(self):
        dice = random.Random(7)
        model = {}
        with self.redis.pipeline(transaction=False) as pipe:
            for _ in range(5000):
                player, points = f"p{dice.randrange(800)}", dice.randrange(100)
                model[player] = model.get(player, 0) + points
                pipe.zincrby("board", points, player)
            pipe.execute()
        best = sorted(model.items(), key=lambda pair: (pair[1], pair[0]), reverse=True)
        self.assertEqual(self.redis.zrevrange("board", 0, 9, withscores=True),
                         [(player, float(points)) for player, points in best[:10]])
        self.assertEqual(self.redis.zrevrank("board", best[123][0]), 123)
        self.assertEqual(self.redis.zcount("board", 300, "+inf"),
                         sum(points >= 300 for points in model.values()))
        self.assertEqual(dict(self.redis.zscan_iter("board")),
                         {player: float(points) for player, points in model.items()})
        self.assertEqual(self.redis.zremrangebyrank("board", 0, -11), len(model) - 10)
        self.assertEqual(self.redis.zcard("board"), 10)


class Streams(ClientTest):
    def test_two_groups_read_all_and_what_fails_is_claimed(self):
        for group in ("mail", "audit"):
            self.redis.xgroup_create("orders", group, id="0", mkstream=True)
        ids = [self.redis.xadd("orders", {"n": n}) for n in range(100)]
        for group in ("mail", "audit"):
            seen = []
            while True:
                reply = self.redis.xreadgroup(group, "c1", {"orders": ">"}, count=7)
                if not reply:
                    break
                seen += [entry for entry, _ in reply[0][1]]
            self.assertEqual(seen, ids)
        self.assertEqual(self.redis.xack("orders", "mail", *ids[10:]), 90)
        self.assertEqual(self.redis.xpending("orders", "mail")["pending"], 10)
        claimed = self.redis.xclaim("orders", "mail", "c2", 0, ids[:3], justid=True)
        self.assertEqual(claimed, ids[:3])
        self.assertEqual(self.redis.xpending_range("orders", "mail", "-", "+", 10, "c2")[2]
                         ["message_id"], ids[2])
        self.assertEqual(self.redis.xtrim("orders", maxlen=50, approximate=False), 50)
        self.assertEqual(self.redis.xinfo_stream("orders")["length"], 50)
        self.assertEqual({group["name"]: group["pending"]
                          for group in self.redis.xinfo_groups("orders")},
                         {"audit": 100, "mail": 10})


class Sessions(ClientTest):
    """A session store: each visit renews the session, most sessions end by their time."""

    SESSIONS = 20000

    def store(self, longest_ms: int) -> dict:
        """Writes all sessions; returns by when each has ended for sure, by this side's clock."""
        dice = random.Random(13)
        latest_end = {}
        with self.redis.pipeline(transaction=False) as pipe:
            for begin in range(0, self.SESSIONS, 1000):
                lifetimes = {f"session:{i}": dice.randrange(100, longest_ms)
                             for i in range(begin, begin + 1000)}
                for name, lifetime in lifetimes.items():
                    pipe.set(name, f"{name}:" + "x" * 1000, px=lifetime)
                pipe.execute()
                now = time.time()
                for name, lifetime in lifetimes.items():
                    latest_end[name] = now + (lifetime + 1) / 1000
        return latest_end

    def test_no_session_is_seen_after_its_time(self):
        dice = random.Random(11)
        latest_end = {}  # When the session has ended for sure, by this side's clock.
        earliest_end = {}
        wrong, hits, misses = [], 0, 0
        end = time.monotonic() + 3
        while time.monotonic() < end:
            name = f"s{dice.randrange(2000)}"
            lifetime = dice.randrange(20, 400)
            before = time.time()
            value = self.redis.get(name)
            after = time.time()
            if value is None:
                misses += 1
                if name in earliest_end and after < earliest_end[name]:
                    wrong.append(f"{name} ended early")
                self.redis.set(name, "v", px=lifetime)
            else:
                hits += 1
                if before > latest_end[name]:
                    wrong.append(f"{name} was there after its end")
                if not self.redis.pexpire(name, lifetime):  # It ended in between.
                    earliest_end.pop(name)
                    continue
            # The server counts in whole milliseconds from when it ran the command.
            latest_end[name] = time.time() + (lifetime + 1) / 1000
            earliest_end[name] = after + (lifetime - 1) / 1000
        self.assertEqual(wrong, [])
        self.assertGreater(hits, 100)
        self.assertGreater(misses, 100)

    def test_memory_falls_without_anyone_reading(self):
        before = self.redis.info("memory")["used_memory"]
        with self.redis.pipeline(transaction=False) as pipe:
            for i in range(self.SESSIONS):
                pipe.set(f"session:{i}", "x" * 1000, px=2000)
            pipe.execute()
        filled = self.redis.info("memory")["used_memory"]
        self.assertGreater(filled - before, self.SESSIONS * 1000)
        self.assertTrue(eventually(lambda: self.redis.dbsize() == 0), self.redis.dbsize())
        left = self.redis.info("memory")["used_memory"]
        self.assertLess(left - before, (filled - before) / 10)
        self.assertGreaterEqual(self.redis.info("stats")["expired_keys"], self.SESSIONS)

    def test_whatever_lists_keys_lists_the_living(self):
        self.redis.set("forever", "v")
        latest_end = self.store(longest_ms=2500)
        names = list(latest_end)[::10]
        latest_end["forever"] = time.time() + 3600
        looks = {
            "KEYS": lambda: self.redis.keys("*"),
            "SCAN": lambda: self.redis.scan(count=500)[1],
            "RANDOMKEY": lambda: [self.redis.randomkey()],
            "MGET": lambda: [name for name, value in zip(names, self.redis.mget(names)) if value],
            "TTL": lambda: [name for name in names[:3] if self.redis.pttl(name) != -2],
        }
        shown_after_their_end = []
        while time.time() < max(latest_end[name] for name in names):
            for command, look in looks.items():
                before = time.time()
                shown_after_their_end += [(command, name) for name in look()
                                          if latest_end[name] < before]
        self.assertEqual(shown_after_their_end, [])
        self.assertTrue(eventually(lambda: self.redis.dbsize() == 1), self.redis.dbsize())
        self.assertEqual(self.redis.keys("*"), ["forever"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
