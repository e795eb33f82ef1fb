"""Who works when: jobs by name and key, one at a time per key, behind one contract for one process or for several."""

from greenroom.scheduler.queue.contract import Clock, Handler, Queue, UnknownJobError
from greenroom.scheduler.queue.in_process import InProcessQueue

__all__ = ["Clock", "Handler", "InProcessQueue", "Queue", "UnknownJobError"]
