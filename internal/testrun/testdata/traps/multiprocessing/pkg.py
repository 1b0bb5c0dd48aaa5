import multiprocessing

def work(n):
    return n * 2

def other(n):
    return n + 1

def run(method, f, n):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply(f, (n,))
