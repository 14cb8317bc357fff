"""Work beside the requests: what it gives, what it raises, and that it ends when nobody wants it any more."""

import asyncio
import threading

import pytest

from server.web.operate.acting import in_thread


async def test_it_runs_on_a_loop_of_its_own() -> None:
    async def work() -> tuple[object, str]:
        return asyncio.get_running_loop(), threading.current_thread().name

    loop, thread = await in_thread(work)
    assert loop is not asyncio.get_running_loop()
    assert thread != threading.current_thread().name


async def test_what_it_raises_is_raised() -> None:
    async def work() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        await in_thread(work)


async def test_who_operates_keeps_no_thread_from_whoever_resolves_names() -> None:
    """The loop's own threads are what `getaddrinfo` runs in: a connection to the database may need one."""
    begun, free = threading.Semaphore(0), threading.Event()

    async def work() -> None:
        begun.release()
        free.wait(20)

    tasks = [asyncio.create_task(in_thread(work)) for _ in range(40)]
    try:
        assert await asyncio.to_thread(begun.acquire, timeout=10)
        await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("localhost", 0), 5)
    finally:
        free.set()
        await asyncio.gather(*tasks)


async def test_it_is_ended_where_it_runs_when_it_is_cancelled() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = asyncio.create_task(in_thread(work))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)
