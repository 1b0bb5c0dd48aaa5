from .core import *
from .core import _private
