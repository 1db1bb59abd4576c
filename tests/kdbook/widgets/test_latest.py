"""One worker for the latest wish, with answers that take as long as a training."""

import threading
import time

import pytest

from kdbook.widgets.latest import Latest

WAIT = 0.05
LONG = 10


class Slow:
    """Answers that end only when they are told to stop, or after ``seconds``."""

    def __init__(self, seconds):
        self.seconds, self.lock = seconds, threading.Lock()
        self.begun, self.stopped, self.at_once, self.most = [], [], 0, 0

    def __call__(self, wish, stop):
        with self.lock:
            self.begun.append(wish)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        if stop.wait(self.seconds):
            self.stopped.append(wish)
        with self.lock:
            self.at_once -= 1

    def until_begun(self, count):
        ends = time.monotonic() + LONG
        while len(self.begun) < count:
            assert time.monotonic() < ends, self.begun
            time.sleep(0.005)


def test_of_many_moves_the_last_is_answered():
    slow = Slow(0)
    latest = Latest(slow, WAIT)
    for wish in range(20):
        latest.ask(wish)
    assert latest.join(LONG)
    assert slow.begun == [19]


def test_a_move_while_it_waits_starts_the_wait_again():
    slow = Slow(0)
    latest = Latest(slow, 0.3)
    latest.ask("first")
    time.sleep(0.1)
    latest.ask("second")
    assert latest.join(LONG)
    assert slow.begun == ["second"]


def test_a_newer_wish_stops_the_answer_and_waits_for_its_end():
    slow = Slow(LONG)
    latest = Latest(slow, WAIT)
    for count, wish in enumerate("abc", 1):
        latest.ask(wish)
        slow.until_begun(count)
    latest.cancel()
    assert latest.join(LONG)
    assert (slow.begun, slow.stopped, slow.most) == (["a", "b", "c"], ["a", "b", "c"], 1)


def test_wishes_from_several_threads_are_answered_one_at_a_time():
    slow = Slow(0.02)
    latest = Latest(slow, 0.001)

    def ask_often(name):
        for number in range(10):
            latest.ask((name, number))
            time.sleep(0.005)

    askers = [threading.Thread(target=ask_often, args=(name,)) for name in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert latest.join(LONG)
    assert slow.most == 1
    assert slow.begun[-1][1] == 9


@pytest.mark.parametrize("early", [True, False], ids=["before it begins", "under way"])
def test_what_is_cancelled_is_not_answered_to_the_end(early):
    slow = Slow(LONG)
    latest = Latest(slow, WAIT)
    latest.ask("a")
    if not early:
        slow.until_begun(1)
    latest.cancel()
    assert latest.join(LONG)
    assert slow.begun == slow.stopped == ([] if early else ["a"])


def test_after_the_last_answer_no_thread_is_left_and_a_wish_starts_one():
    slow = Slow(0)
    latest = Latest(slow, WAIT)
    before = threading.active_count()
    for wish in "ab":
        latest.ask(wish)
        assert latest.join(LONG)
    assert threading.active_count() == before
    assert slow.begun == ["a", "b"]
