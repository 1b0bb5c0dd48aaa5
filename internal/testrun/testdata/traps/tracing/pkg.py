import sys

def lines_of(f):
    seen = []
    def trace(frame, event, arg):
        if event == "line":
            seen.append(frame.f_lineno - f.__code__.co_firstlineno)
        return trace
    old = sys.gettrace()
    sys.settrace(trace)
    try:
        f()
    finally:
        sys.settrace(old)
    return seen

def two_lines():
    a = 1
    return a

def caller():
    return sys._getframe(1).f_code.co_name
