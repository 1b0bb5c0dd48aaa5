import logging
import pkg

def test_warning(caplog):
    pkg.work(1)
    assert caplog.record_tuples == [("pkg", logging.WARNING, "work 1")]

def test_debug(caplog):
    with caplog.at_level(logging.DEBUG, logger="pkg"):
        pkg.work(2)
    assert caplog.messages == ["work 2", "details"]

def test_handler():
    pkg.work(3)
    assert pkg.BUFFER.getvalue().endswith("work 3\n")
