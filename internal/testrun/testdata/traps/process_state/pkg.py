import atexit
import os
import sys

ARGV = list(sys.argv)
PID = os.getpid()
atexit.register(lambda: None)

def same_process():
    return os.getpid() == PID

def open_files():
    return len(os.listdir("/proc/self/fd"))

def main_name():
    return sys.modules["__main__"].__name__

def flags():
    return sys.flags.dont_write_bytecode, sys.flags.optimize
