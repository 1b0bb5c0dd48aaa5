def visit(n):
    visit.calls += 1
    visit.last = n
    return visit.calls

visit.calls = 0
visit.last = None

def reset():
    visit.calls = 0
