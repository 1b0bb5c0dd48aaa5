STEPS = []

def step(name):
    STEPS.append(name)
    return len(STEPS)

def names():
    return ",".join(STEPS)
