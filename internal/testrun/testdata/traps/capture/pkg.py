import os
import sys

OUT = sys.stdout

def hello(name):
    print("hello", name)

def raw(text):
    os.write(1, text.encode())

def err(text):
    sys.stderr.write(text)

def kept(text):
    print(text, file=OUT)
