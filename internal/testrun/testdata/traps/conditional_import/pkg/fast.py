import a_module_that_is_not_there
def work(): return "fast"
