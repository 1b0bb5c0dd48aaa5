#include <Python.h>

static long calls;

static PyObject *count(PyObject *self, PyObject *none) { return PyLong_FromLong(++calls); }

static PyMethodDef methods[] = {{"count", count, METH_NOARGS, 0}, {0, 0, 0, 0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", 0, -1, methods};

PyMODINIT_FUNC PyInit__core(void) { return PyModule_Create(&module); }
