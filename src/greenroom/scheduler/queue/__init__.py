"""Who works when: jobs by name and key, one at a time per key, behind one contract for one process or for several."""

from greenroom.scheduler.queue.contract import Clock, Handler, Queue, UnknownJobError

__all__ = ["Clock", "Handler", "Queue", "UnknownJobError"]
