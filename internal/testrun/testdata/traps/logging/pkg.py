import io
import logging

LOG = logging.getLogger("pkg")
BUFFER = io.StringIO()
LOG.addHandler(logging.StreamHandler(BUFFER))

def work(n):
    LOG.warning("work %d", n)
    LOG.debug("details")
    return n
