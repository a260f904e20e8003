"""Logs of three kinds are written at a steady rate while everything that can happen to them, to the agent and to the endpoints happens in an order
made by a seed. In the end every line is at both endpoints, in order within its stream.

    WEIR_CHAOS_SECONDS   how long one run lasts (default 5)
    WEIR_CHAOS_SEEDS     which runs: 7, 0-19, or a list with commas (default 1,2)
"""
import os
import random
import time

import pytest

from log_world import Agent, Receiver, await_all, config, endpoint, stages
from log_writers import (Log, Logger, block_line, by_copytruncate, by_copytruncate_and_gzip, by_date, by_kubelet, by_rename, by_rename_and_gzip,
                         by_rename_and_later_gzip, by_rename_create, kubelet_log)
from loki_backend import Answer
from weirproc import LIMIT, SANITIZED

pytestmark = pytest.mark.core
SECONDS = float(os.environ.get("WEIR_CHAOS_SECONDS", "5"))
RATE = 300 if SANITIZED else 800  # lines a second to each log


def seeds():
    for part in os.environ.get("WEIR_CHAOS_SEEDS", "1,2").split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


class Chaos:
    def __init__(self, binary, folder, seed):
        self.rng = random.Random(seed)
        self.agent = Agent(binary, folder)
        self.a, self.b = self.endpoints = Receiver(), Receiver()
        self.logs, self.ways = self.make_logs(folder)
        self.stages = self.rng.choice((("seed",), ("seed", "staging", "plain")))
        self.wal = self.rng.random() < 0.3
        self.logger = Logger(self.logs, RATE)
        self.story, self.started = [], time.monotonic()

    def make_logs(self, folder):
        """A log keeps to one way of rotation, as a logrotate does."""
        (folder / "logs").mkdir()
        one, two, blocks = Log(folder / "logs" / "app.log"), Log(folder / "logs" / "other.log"), Log(folder / "logs" / "blocks.log", block_line)
        cri = kubelet_log(folder, "pod")
        renames = (by_rename, by_rename_create, by_rename_and_gzip, by_rename_and_later_gzip, by_date)
        ways = {one: self.rng.choice(renames), two: self.rng.choice((by_copytruncate, by_copytruncate_and_gzip)),
                blocks: self.rng.choice(renames + (by_copytruncate,)), cri: by_kubelet}
        return [one, two, blocks, cri], ways

    def config(self):
        kinds = ("plain", "plain", "blocks", "cri")
        targets = [{"__path__": log.path, "kind": kind} for log, kind in zip(self.logs, kinds)]
        batch = self.rng.choice(("", 'queue_config { capacity = "256KiB" }', "queue_config { min_shards = 4 }"))
        write = 'wal {\n enabled = true\n min_read_frequency = "50ms"\n }' if self.wal else 'wal { max_size = "%dMiB" }' % self.rng.choice((1, 16))
        return config(targets, stages(self.rng.choice(self.stages)), [endpoint(self.a, batch), endpoint(self.b, batch)], write)

    def say(self, what):
        self.story.append(f"{time.monotonic() - self.started:7.2f} {what}  [{' '.join(str(log.n) for log in self.logs)}]")

    # --- what happens ---

    def rotate(self):
        log = self.rng.choice(self.logs)
        late = self.rng.choice((0, 3))
        self.logger.do(lambda: (self.say(f"rotate {os.path.basename(log.path)} {self.ways[log].__name__} late={late}"), self.ways[log](log, late)))

    def reload(self):
        by_signal = self.rng.random() < 0.5
        self.agent.w.wait_ready()
        self.say("SIGHUP" if by_signal else "reload")
        self.agent.reload(self.config(), by_signal)

    def pause(self):
        """Nobody runs; logs go on and are rotated."""
        for _ in range(self.rng.choice((0, 0, 1, 2, 3))):
            self.rotate()
            time.sleep(self.rng.uniform(0, 0.2))

    def stop(self):
        self.agent.w.wait_ready()
        self.say("stop")
        self.agent.stop()
        self.say("stopped")
        self.pause()
        self.start()

    def kill(self):
        self.say("kill")
        self.agent.kill()
        self.pause()
        self.start()

    def start(self):
        self.agent.start(self.config(), wait=self.rng.random() < 0.7)
        self.say("started")

    def disturb(self):
        i = self.rng.choice((0, 1, 1, 1))
        e = self.endpoints[i]
        what = self.rng.choice(("down", "well", "well", "503", "429", "hang", "cut", "lost answer", "slow", "now and then"))
        self.say(f"endpoint {i}: {what}")
        if what == "down":
            e.down()
            return
        e.respond = {
            "well": Answer(), "503": Answer(503, b"later"), "429": Answer(429), "hang": Answer(hang=True), "cut": Answer(500, cut=True),
            "lost answer": lambda n, h: Answer(204, cut=n % 3 == 0), "slow": Answer(delay=0.4),
            "now and then": lambda n, h: Answer((204, 500, 204, 429, 503)[n % 5])}[what]
        if e.server is None:
            e.up()

    def mend(self):
        self.say("all endpoints well")
        for e in self.endpoints:
            e.respond = Answer()
            if e.server is None:
                e.up()

    def run(self):
        self.start()
        with self.logger:
            self.agent.wait_positions(self.logs)  # what is rotated away before it was ever seen is nobody's to find
            self.say("followed")
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                self.rng.choices((self.rotate, self.disturb, self.reload, self.stop, self.kill), (8, 7, 3, 1, 2))[0]()
                time.sleep(self.rng.choice((0, 0.05, 0.2, 0.5)))
        for log in self.logs:
            log.complete()
        self.mend()
        self.agent.w.wait_ready()
        await_all(self.logs, self.endpoints, LIMIT)
        self.say("complete")
        self.agent.stop()
        for e in self.endpoints:
            e.check_order()

    def close(self):
        self.agent.close()
        self.logger.done.set()
        for log in self.logs:
            log.close()
        for e in self.endpoints:
            e.down()


@pytest.mark.parametrize("seed", list(seeds()))
def test_chaos(weir_binary, tmp_path, seed):
    chaos = Chaos(weir_binary, tmp_path, seed)
    try:
        chaos.run()
    except BaseException:
        print("\n".join(chaos.story))
        print(chaos.agent.w.log[-6000:])
        raise
    finally:
        chaos.close()
    print(f"lines {sum(log.n for log in chaos.logs)}, kills {chaos.agent.kills}, repeats "
          f"{[sum(e.repeats(log) for log in chaos.logs) for e in chaos.endpoints]}")
