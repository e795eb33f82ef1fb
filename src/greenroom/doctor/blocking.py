"""What blocks (name service, disks) is done in threads that nobody waits for at the end: one that hangs hangs alone."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class DaemonExecutor(ThreadPoolExecutor):
    """An executor for an event loop, with a thread for each call: none waits behind one that hangs, and no exit waits for any.

    asyncio takes only subclasses of ThreadPoolExecutor, of which nothing is used.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it in a thread of its own."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  it goes to whoever asked, like in any executor
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="greenroom-doctor", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave alone whoever still works."""


_THREADS = DaemonExecutor(1)


async def in_thread(call: Callable[[], T]) -> T:
    """Do something that blocks; whoever is cancelled while waiting leaves it to itself."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[T] = loop.create_future()

    def settle(done: Future[T]) -> None:
        if arrived.done():
            return
        if (error := done.exception()) is not None:
            arrived.set_exception(error)
        else:
            arrived.set_result(done.result())

    def hand_over(done: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left
            loop.call_soon_threadsafe(settle, done)

    _THREADS.submit(call).add_done_callback(hand_over)
    return await arrived


class Apart:
    """An event loop in a thread of its own, for a command that must end whatever hangs.

    `work` is given a function by which it hands over its result, before it tidies up. The thread is waited for only as long as
    `left` says, and never at the exit.
    """

    def __init__(self, work: Callable[[Callable[[Any], None]], Any]) -> None:
        self._work = work
        self._result: Future[Any] = Future()
        self._thread = threading.Thread(target=self._run, name="greenroom-doctor-loop", daemon=True)
        self._thread.start()

    def result(self, seconds: float) -> Any:
        """Return what was handed over, or raise what `work` raised; TimeoutError. Ctrl-C ends the waiting at once."""
        return self._result.result(timeout=seconds)

    def is_tidy(self, seconds: float) -> bool:
        """Whether all has been tidied up, within so many seconds; if not, only a hard exit ends this process for sure."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        def hand_over(value: Any) -> None:
            if not self._result.done():
                self._result.set_result(value)

        async def main() -> None:
            asyncio.get_running_loop().set_default_executor(DaemonExecutor(1))
            await self._work(hand_over)

        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001  it is raised where the result is waited for
            if not self._result.done():
                self._result.set_exception(error)
        else:
            hand_over(None)
