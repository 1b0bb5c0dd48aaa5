from setuptools import Extension, setup
setup(name="traps-native", version="1", packages=["native"], ext_modules=[Extension("native._core", ["native/_core.c"])])
