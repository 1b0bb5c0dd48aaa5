import os
import signal
import subprocess
import sys
import pytest
import pkg

def test_usr1():
    assert pkg.catch(signal.SIGUSR1) == [signal.SIGUSR1]

def test_term():
    assert pkg.child_killed_by(signal.SIGTERM) == signal.SIGTERM

def test_alarm():
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert pkg.alarmed() == "alarm"

def test_interrupt():
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

def test_defaults():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

def test_abort():
    p = subprocess.run([sys.executable, "-c", "import os; os.abort()"], capture_output=True)
    assert p.returncode == -signal.SIGABRT
