import faulthandler

def dump(f):
    faulthandler.dump_traceback(f)

def later(f):
    faulthandler.dump_traceback_later(0.02, file=f)

def on():
    return faulthandler.is_enabled()
