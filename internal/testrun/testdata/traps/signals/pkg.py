import os
import signal

GOT = []

def catch(sig):
    signal.signal(sig, lambda s, frame: GOT.append(s))
    os.kill(os.getpid(), sig)
    return GOT[-1:]

def child_killed_by(sig):
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), sig)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])

def alarmed():
    old = signal.signal(signal.SIGALRM, lambda s, frame: GOT.append("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    signal.pause()
    signal.signal(signal.SIGALRM, old)
    return GOT[-1]
