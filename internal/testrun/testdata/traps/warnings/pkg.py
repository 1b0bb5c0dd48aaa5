import warnings

with warnings.catch_warnings(record=True) as AT_IMPORT:
    warnings.simplefilter("always")
    warnings.warn("at import", DeprecationWarning)

def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)
    return 1

def quiet():
    return 2
