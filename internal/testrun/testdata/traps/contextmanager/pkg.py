import contextlib

LOG = []

@contextlib.contextmanager
def step(name):
    LOG.append("+" + name)
    try:
        yield name.upper()
    finally:
        LOG.append("-" + name)

@step("job")
def job():
    return list(LOG)

def many(names):
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(step(n)) for n in names]
