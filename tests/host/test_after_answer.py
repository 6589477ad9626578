"""Work that waits for the answer: collected by the answering thread alone, and never without end."""

from __future__ import annotations

import threading

from host.after_answer import MOST_COLLECTED, after_answer, collecting, done_collecting


def test_work_waits_for_the_answer() -> None:
    done: list[str] = []
    assert not after_answer(lambda: done.append("nobody answers"))
    works = collecting()
    assert after_answer(lambda: done.append("one"))
    assert after_answer(lambda: done.append("two"))
    assert not done
    done_collecting()
    for work in works:
        work()
    assert done == ["one", "two"]
    assert not after_answer(lambda: done.append("too late"))


def test_other_threads_do_not_collect() -> None:
    works = collecting()
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(after_answer(lambda: None)))
    thread.start()
    thread.join()
    done_collecting()
    assert (taken, works) == ([False], [])


def test_what_waits_is_bounded() -> None:
    works = collecting()
    taken = [after_answer(lambda: None) for _ in range(MOST_COLLECTED + 2)]
    assert taken == [True] * MOST_COLLECTED + [False] * 2
    done_collecting()
    assert len(works) == MOST_COLLECTED
